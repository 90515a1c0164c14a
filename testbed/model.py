"""The words everything else speaks in: target, outcome, phase, observation. Values only, no I/O."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import urlsplit

from testbed.errors import UsageError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Outcome(StrEnum):
    """How one attempt ended, as the one who connects sees it. A closed set."""

    CONNECTED = "connected"
    """Everything that was asked for happened: a TCP connection, and where a URL was given TLS and an answer."""
    REFUSED = "refused"
    """The other end answered the SYN with a reset, or an ICMP port-unreachable came back (ECONNREFUSED)."""
    RESET = "reset"
    """The connection was there and was then torn down by a reset (ECONNRESET, EPIPE)."""
    CLOSED = "closed"
    """The connection was there and the other end closed it in good order before it answered (end of file)."""
    TIMED_OUT = "timed out"
    """Nothing came back in time: dropped packets, or a peer that accepts and says nothing."""
    NO_ANSWER = "no answer"
    """Of UDP: nothing came back in time, neither an answer nor an ICMP error. UDP acknowledges nothing (RFC 768), so
    that this does not show that the datagram was lost."""
    HOST_UNREACHABLE = "host unreachable"
    """No neighbour answered, or a router or firewall said so (EHOSTUNREACH, "no route to host")."""
    NETWORK_UNREACHABLE = "network unreachable"
    """No route for that address here, so that nothing was sent (ENETUNREACH; EINVAL of a blackhole route)."""
    PROHIBITED = "prohibited"
    """A route or a local filter forbids it (EACCES, EPERM)."""
    NAME_NOT_FOUND = "name not found"
    """Neither the hosts file nor the resolver knows the name."""
    RESOLVER_FAILED = "resolver failed"
    """No resolver gave an answer about the name, neither yes nor no."""
    TLS_FAILED = "TLS failed"
    """TCP connected, and the other end does not speak TLS or not in a way we accept."""
    HTTP_STATUS = "HTTP status"
    """An HTTP answer came, with a status that is not a success (RFC 9110, 15: outside 2xx)."""
    INCONCLUSIVE = "inconclusive"
    """What was seen fits none of these; the text says what it was."""


class Phase(StrEnum):
    """The part of an attempt in which it ended."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "TLS"
    HTTP = "HTTP"


class Scheme(StrEnum):
    """The protocol that is spoken: over TCP, once that is connected, HTTP or nothing at all; or one datagram of UDP."""

    TCP = "tcp"
    UDP = "udp"
    HTTP = "http"
    HTTPS = "https"

    @property
    def is_http(self) -> bool:
        """True where HTTP is spoken, so that there is a path to ask for."""
        return self in (Scheme.HTTP, Scheme.HTTPS)


@dataclass(frozen=True, slots=True)
class Target:
    """What somebody typed: a URL, or host:port."""

    scheme: Scheme
    host: str
    """A name or an address, an IPv6 one without its brackets."""
    port: int
    path: str = "/"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``https://host:port/path``, ``http://...``, ``tcp://host:port``, ``udp://host:port`` or ``host:port``.

        :raises UsageError: it is none of these
        """
        try:
            parts = urlsplit(text if "://" in text else f"tcp://{text}")
            scheme, host, port = Scheme(parts.scheme), parts.hostname, parts.port
        except ValueError as exc:
            raise _not_a_target(text, str(exc)) from exc
        port = {Scheme.HTTP: 80, Scheme.HTTPS: 443}.get(scheme, 0) if port is None else port
        if any(character.isspace() for character in text):
            raise _not_a_target(text, "it has white space in it")
        if not host or not port:
            raise _not_a_target(text, "it needs a host and a port")
        if parts.username is not None:
            raise _not_a_target(text, "it has a user in front of the host, which nothing here would use")
        if not scheme.is_http and parts.path not in ("", "/"):
            raise _not_a_target(text, "a path needs http:// or https:// in front")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return cls(scheme, host, port, path)

    @property
    def authority(self) -> str:
        """host:port, with brackets around an IPv6 address (RFC 3986, 3.2)."""
        return f"{bracketed(self.host)}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}" + (self.path if self.scheme.is_http else "")


def _not_a_target(text: str, why: str) -> UsageError:
    return UsageError(
        f"{text!r} is no URL and no host:port ({why}): write for example https://host.containers.internal:19001/ping"
    )


def family(address: Address) -> socket.AddressFamily:
    """The family of sockets that an address is for."""
    return socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6


def bracketed(host: str) -> str:
    """A host as it stands in a URL or in front of a port: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered, by what the answer itself says."""

    peer: str
    """The address and port that the connection ended at."""
    status: int | None = None
    """The HTTP status, where HTTP was spoken."""
    server: str = ""
    """The server's own name for itself, such as ``Portainer-Agent 2.23.0``; empty where it says none."""
    excerpt: str = ""
    """The first characters of what it said, where that is no HTTP answer, or one whose status is not a success."""
    clock: datetime | None = None
    """The server's clock, by its ``Date`` (RFC 9110, 6.6.1); None where it does not say it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a server sent (RFC 5280, 4.1)."""

    subject: str
    """Its distinguished name, as RFC 4514 writes one."""
    issuer: str
    names: tuple[str, ...]
    """The DNS names and addresses of its subjectAltName, which are all that clients look at (RFC 9525, 2)."""
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Handshake:
    """A TLS handshake, as the client saw it (RFC 8446, 4; RFC 5246, 7.4)."""

    hello: bool = False
    """True where a ServerHello came: version and cipher are agreed on."""
    asks_certificate: bool = False
    """True where a CertificateRequest was seen; from TLS 1.3 on it is encrypted, and never is."""
    chain: tuple[Certificate, ...] = ()
    """The certificates that the server sent, its own first; empty where it came to none."""
    store: str = ""
    """The trust store that verified them, in words; empty where the client does not verify."""
    trusted: int = 0
    """How many certificates that store has."""
    verify_code: int | None = None
    """Why it was refused: X509_V_ERR_... of OpenSSL (include/openssl/x509_vfy.h.in)."""
    clock: datetime | None = None
    """The client's clock when it was refused."""


@dataclass(frozen=True, slots=True)
class SocketState:
    """A TCP socket while an attempt is in flight, as ``ss -tin`` shows it (ss(8))."""

    namespace: str
    """The key of the network namespace that it is in."""
    state: str
    """``ESTAB``, ``SYN-RECV``, ..., as ss(8) prints it."""
    local: str
    """Its own address and port."""
    peer: str
    """The address and port of the other end, as this end sees it."""
    accepted: bool
    """True where a program holds it: one that nobody took from the accept queue has no inode yet, a closed one none any
    more."""
    unread: int
    """Recv-Q: bytes that came and that the program has not read."""
    unacknowledged: int
    """Send-Q: bytes that were sent, and that the other end's kernel has not acknowledged."""
    retransmitted: int
    """Segments that were sent once more (tcpi_total_retrans)."""
    received: int
    """Bytes that came (tcpi_bytes_received, RFC 4898)."""
    acknowledged: int
    """Bytes that the other end's kernel has acknowledged, the SYN's one among them (tcpi_bytes_acked)."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one attempt from one vantage to one target saw."""

    vantage: str
    target: str
    outcome: Outcome
    phase: Phase
    """The phase it ended in; for CONNECTED the last one that was asked for."""
    errno: int | None
    """errno(3) of the failure, None where there was none or it has no number."""
    text: str
    """The exact words of the client that tried; empty when connected."""
    seconds: float
    command: str
    """What repeats the attempt by hand."""
    answer: Answer | None = None
    peer: Address | None = None
    """The address that the outcome is about: the one that a connection was made to, else the first that was tried.

    None where the name has none."""
    handshake: Handshake | None = None
    """Where TLS was begun: what came of it."""
    sockets: tuple[SocketState, ...] = ()
    """Where nothing came in time: the two ends' sockets at that moment, as far as they were looked at."""
    unverified: Observation | None = None
    """Where the certificate was refused: what a client sees there that takes any; None where that was not tried."""
