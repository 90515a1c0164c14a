"""One attempt: resolve, connect, TLS, HTTP, as far as the target asks, or one datagram of UDP.

Its sockets are born in the vantage's namespace.
"""

from __future__ import annotations

import email.utils
import http.client
import socket
import ssl
import string
import time
import urllib.parse
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from testbed.model import (
    Address,
    Answer,
    Handshake,
    Outcome,
    Phase,
    Scheme,
    SocketState,
    Target,
    bracketed,
    family,
)
from testbed.names import NameFailure, Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe.datagram import exchange
from testbed.probe.outcome import of_error
from testbed.probe.tls import TlsStream
from testbed.probe.trust import Trust

#: Headers in which a server says what it is, most telling first.
_NAMING_HEADERS: Final = ("Portainer-Agent", "Server")
_SUCCESS: Final = range(200, 300)
#: How much of an answer that is no success is kept, in bytes.
_EXCERPT: Final = 256
#: Of an answer that is read to its end: what is longer than this is not.
_MOST: Final = 1 << 20
#: Seconds that an address gets at the least, where as many are left (Go, net/dial.go, saneMinimum).
_LEAST_SHARE: Final = 2.0
#: What comes once TCP is connected.
_NEXT_PHASE: Final = {Scheme.TCP: Phase.CONNECT, Scheme.HTTP: Phase.HTTP, Scheme.HTTPS: Phase.TLS}


@dataclass(frozen=True, slots=True)
class Ask:
    """The request of HTTP, where it is more than a GET whose good answer nobody reads; by UDP only the body."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


#: Looks at the two ends of a connection from which nothing came in time, while it is still there: told is its port at
#: this end.
LookAtEnds: TypeAlias = Callable[[int], tuple[SocketState, ...]]


@dataclass(frozen=True, slots=True)
class How:
    """How a client tries."""

    ask: Ask | None = None
    """The request of HTTP; the answer is read to its end then, good or not, and its beginning kept."""
    trust: Trust | None = None
    """The trust that certificates are verified by; None takes any, as Portainer's ping does."""
    look: LookAtEnds | None = None
    """Called where nothing comes in time, before the connection is closed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one attempt saw, before it is known whose it was."""

    outcome: Outcome
    phase: Phase
    seconds: float
    errno: int | None = None
    text: str = ""
    answer: Answer | None = None
    peer: Address | None = None
    handshake: Handshake | None = None
    sockets: tuple[SocketState, ...] = ()
    unverified: Seen | None = None
    """Where the certificate was refused: what a client sees that takes any."""


def attempt(net: NetworkNamespace, naming: Naming, target: Target, *, seconds: float, how: How | None = None) -> Seen:
    """Try once. Never raises for what the network does: that is what it reports.

    A certificate that is refused is not the end of it: it is tried once more without verifying, as far as the time
    goes, and what came of that is kept beside.

    :param seconds: the budget of the whole attempt, as Portainer gives its ping 3 s
    """
    start = time.monotonic()
    deadline = start + seconds
    how = how or How()
    try:
        addresses = naming.resolve(target.host, net, seconds=seconds)
    except NameFailure as failure:
        return Seen(failure.outcome, Phase.RESOLVE, time.monotonic() - start, failure.number, str(failure))
    if target.scheme is Scheme.UDP:
        return _by_datagram(net, addresses, target.port, how.ask, start, deadline)
    found, peer = _connect(net, addresses, target.port, deadline)
    if isinstance(found, OSError):
        # A handshake that fails is ECONNREFUSED: a reset means that it was over already.
        phase = _NEXT_PHASE[target.scheme] if isinstance(found, ConnectionResetError) else Phase.CONNECT
        return Seen(of_error(found), phase, time.monotonic() - start, _errno(found), str(found), peer=peer)
    with found as connected:
        seen = _spoken(connected, peer, target, how, deadline)
    if how.trust is not None and seen.handshake is not None and seen.handshake.verify_code is not None:
        seen = replace(seen, unverified=_not_verified(net, peer, target, how, deadline))
    return replace(seen, seconds=time.monotonic() - start)


def _spoken(connected: socket.socket, peer: Address, target: Target, how: How, deadline: float) -> Seen:
    """The end of an attempt whose connection is made; the time it took is left to whoever began."""
    reached = f"{bracketed(str(peer))}:{target.port}"
    return replace(_asked(connected, reached, target, how, deadline), peer=peer)


def _asked(connected: socket.socket, peer: str, target: Target, how: How, deadline: float) -> Seen:
    if target.scheme is Scheme.TCP:
        return Seen(Outcome.CONNECTED, Phase.CONNECT, 0, answer=Answer(peer))
    phase, tls = Phase.HTTP, None
    try:
        if target.scheme is Scheme.HTTPS:
            phase = Phase.TLS
            tls = TlsStream(connected, target.host, how.trust, deadline)
            tls.handshake()
            phase = Phase.HTTP
        else:
            connected.settimeout(_left(deadline))
        answer = _get(tls or connected, target, peer, how.ask)
    except http.client.RemoteDisconnected as exc:
        return Seen(Outcome.CLOSED, phase, 0, None, str(exc), handshake=_handshake(tls, how))
    except http.client.HTTPException as exc:
        text = f"{type(exc).__name__}: {exc}"
        return Seen(Outcome.INCONCLUSIVE, phase, 0, None, text, handshake=_handshake(tls, how))
    except OSError as exc:
        return _failed(exc, phase, connected, peer, tls, how)
    good = answer.status in _SUCCESS
    outcome, text = (Outcome.CONNECTED, "") if good else (Outcome.HTTP_STATUS, f"HTTP {answer.status}")
    return Seen(outcome, phase, 0, None, text, answer, handshake=_handshake(tls, how))


def _failed(error: OSError, phase: Phase, connected: socket.socket, peer: str, tls: TlsStream | None, how: How) -> Seen:
    outcome = of_error(error)
    greeting = tls.greeting if tls else b""
    return Seen(
        outcome,
        # A server of TLS 1.3 refuses its client after that one's handshake is done (RFC 8446, 4.4.2.4).
        Phase.TLS if outcome is Outcome.TLS_FAILED else phase,
        0,
        _errno(error),
        str(error),
        Answer(peer, excerpt=greeting[:_EXCERPT].decode(errors="replace")) if greeting else None,
        handshake=_handshake(tls, how, error),
        sockets=how.look(connected.getsockname()[1]) if how.look and outcome is Outcome.TIMED_OUT else (),
    )


def _handshake(tls: TlsStream | None, how: How, error: OSError | None = None) -> Handshake | None:
    """The handshake of TLS, where it was spoken."""
    if tls is None:
        return None
    seen = tls.seen
    if how.trust is not None:
        seen = replace(seen, store=how.trust.said, trusted=len(how.trust.certificates))
    if isinstance(error, ssl.SSLCertVerificationError):
        return replace(seen, verify_code=error.verify_code, clock=datetime.now(UTC))
    return seen


def _not_verified(net: NetworkNamespace, peer: Address, target: Target, how: How, deadline: float) -> Seen | None:
    """The observation of a client that takes any certificate; None where it could not connect any more."""
    start = time.monotonic()
    found, _ = _connect(net, (peer,), target.port, deadline)
    if isinstance(found, OSError):
        return None
    with found as connected:
        seen = _spoken(connected, peer, target, replace(how, trust=None), deadline)
    return replace(seen, seconds=time.monotonic() - start)


def _connect(
    net: NetworkNamespace, addresses: tuple[Address, ...], port: int, deadline: float
) -> tuple[socket.socket | OSError, Address]:
    """The first address that connects, else the first one with its error, which Go's client reports too.

    Each gets its share of the time, as Go's dialSerial gives it (net/dial.go, partialDeadline): one that is silent does
    not keep the next from being tried.
    """
    first: tuple[OSError, Address] | None = None
    for number, address in enumerate(addresses):
        left = _left(deadline)
        share = min(left, max(left / (len(addresses) - number), _LEAST_SHARE))
        try:
            sock = net.socket(family(address), socket.SOCK_STREAM)
        except OSError as exc:
            first = first or (exc, address)
            continue
        try:
            sock.settimeout(share)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as HTTP clients do
            sock.connect((str(address), port))
        except OSError as exc:
            sock.close()
            first = first or (exc, address)
        else:
            return sock, address
    assert first is not None, "a name that resolves has an address"
    return first


def _by_datagram(
    net: NetworkNamespace,
    addresses: tuple[Address, ...],
    port: int,
    ask: Ask | None,
    start: float,
    deadline: float,
) -> Seen:
    """Say one thing over UDP, and wait for an answer."""
    error, peer = _answerer(net, addresses, port, ask.body if ask else b"", deadline)
    took = time.monotonic() - start
    if error is None:
        answer = Answer(f"{bracketed(str(peer))}:{port}")
        return Seen(Outcome.CONNECTED, Phase.CONNECT, took, answer=answer, peer=peer)
    if isinstance(error, TimeoutError):
        return Seen(Outcome.NO_ANSWER, Phase.CONNECT, took, None, str(error), peer=peer)
    return Seen(of_error(error), Phase.CONNECT, took, error.errno, str(error), peer=peer)


def _answerer(
    net: NetworkNamespace, addresses: tuple[Address, ...], port: int, payload: bytes, deadline: float
) -> tuple[OSError | None, Address]:
    """The first address that answers, or is silent; else the first one with its error. None for an answer."""
    first: tuple[OSError, Address] | None = None
    for address in addresses:
        try:
            exchange(net, address, port, payload, seconds=_left(deadline))
        except TimeoutError as exc:
            return exc, address
        except OSError as exc:
            first = first or (exc, address)
        else:
            return None, address
    assert first is not None, "a name that resolves has an address"
    return first


def _get(connected: socket.socket | TlsStream, target: Target, peer: str, ask: Ask | None) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)  # adds the brackets itself
    connection.sock = connected  # of a socket it wants what a TlsStream has
    path = urllib.parse.quote(target.path, safe=string.punctuation)  # as browsers and Go do with other than ASCII
    headers = {"User-Agent": "testbed", "Connection": "close", **dict(ask.headers if ask else ())}
    connection.request(ask.method if ask else "GET", path, (ask.body or None) if ask else None, headers=headers)
    response = connection.getresponse()
    name = next((header for header in _NAMING_HEADERS if response.headers.get(header)), None)
    server = "" if name is None else f"{name if name != 'Server' else ''} {response.headers[name]}".strip()
    if ask is not None:
        excerpt = response.read(_MOST)[:_EXCERPT].decode(errors="replace")
    else:
        excerpt = "" if response.status in _SUCCESS else response.read(_EXCERPT).decode(errors="replace")
    response.close()
    return Answer(peer, response.status, server, excerpt, _clock(response.headers.get("Date", "")))


def _clock(date: str) -> datetime | None:
    with suppress(TypeError, ValueError):
        return email.utils.parsedate_to_datetime(date)
    return None


def _left(deadline: float) -> float:
    """Seconds until the deadline, never 0: that would mean a socket that does not wait at all."""
    return max(deadline - time.monotonic(), 0.001)


def _errno(error: OSError) -> int | None:
    """TLS errors carry OpenSSL's numbers, which are no errno."""
    return None if isinstance(error, ssl.SSLError) else error.errno
