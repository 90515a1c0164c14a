"""What a pasted error says, as a value, and the words that all clients share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from testbed.explain.client_texts.places import as_address
from testbed.explain.client_texts.vocabulary import of_errno
from testbed.explain.codes import Cause
from testbed.model import Address, Outcome, Phase, Scheme, Target


class Client(StrEnum):
    """Whose words they are."""

    GO = "Go"
    CURL = "curl"
    PYTHON = "Python"
    NODE = "Node.js"
    OPENSSH = "OpenSSH"
    NGINX = "nginx"
    JAVA = "Java"
    DOTNET = ".NET"
    POSTGRESQL = "PostgreSQL client"
    MYSQL = "MySQL client"
    REDIS = "Redis client"
    MONGODB = "MongoDB driver"
    AMQP = "AMQP client"
    KAFKA = "Kafka client"
    ERLANG = "Erlang"
    PHP = "PHP"
    RUBY = "Ruby"
    RUST = "Rust"
    ENVOY = "Envoy"
    HAPROXY = "HAProxy"
    APACHE = "Apache httpd"
    BROWSER = "browser"
    APT = "apt"
    WGET = "wget"
    BUSYBOX = "BusyBox"
    NETCAT = "nc"
    TELNET = "telnet"
    WINDOWS = "Windows tool"
    ODBC = "ODBC driver"
    DOCKER = "Docker"
    KUBERNETES = "kubectl"
    GRPC = "gRPC"
    RESOLVER = "resolver tool"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pasted:
    """What an error text says, and what it cannot say."""

    client: Client
    outcome: Outcome
    """INCONCLUSIVE where the text stands for several (see ``possible``), or for none of ours."""
    phase: Phase
    """The earliest phase that it can have ended in."""
    errno: int | None
    target: Target | None
    """What was asked for: from the URL or host and port in the text; None where it names none."""
    address: Address | None
    """The one that was dialled, where the text has it."""
    port: int | None
    """The one that was dialled, or that could not be listened on."""
    resolver: Address | None
    """The one that was asked for the name."""
    text: str
    """The part that was recognised, in one line, without control characters."""
    hint: str = ""
    """What the text cannot tell."""
    code: Cause | None = None
    """The cause, where the text alone proves it."""
    name: str = ""
    """The name that was looked up, or that was asked for where the text has no port."""
    possible: tuple[Outcome, ...] = ()
    """Where the text stands for several outcomes: all of them, ``outcome`` among them or INCONCLUSIVE."""
    udp: bool = False
    """True where the port that could not be listened on is one of UDP."""
    also: tuple[Address, ...] = ()
    """Further addresses that the text says were tried with the same end: a name may have several."""
    ended: bool = False
    """Whether it is a program's last word: its container does not run any more."""


#: What a failed connect(2) may be, where its errno is not said.
CONNECT_OUTCOMES: Final = (
    Outcome.REFUSED,
    Outcome.HOST_UNREACHABLE,
    Outcome.NETWORK_UNREACHABLE,
    Outcome.PROHIBITED,
)

REFUSED_HINT: Final = (
    "A client sees the same refusal when nobody listens and when a firewall rule rejects: the listeners and the rules' "
    "counters there tell which."
)
UNREACHABLE_HINT: Final = (
    "Mostly a firewall that rejects with host-prohibited, or a neighbour that does not answer; seldom a missing route."
)
CLOSED_HINT: Final = (
    "Closed or reset right after connecting is also what a tunnel or proxy does whose own far side failed."
)
NAMES_HINT: Final = "The text is the same for a name that does not exist and for a resolver that did not answer."

#: The cause that a text proves by itself, whoever said it. First match wins: Go and curl report a wrong name first.
_CODES: Final = (
    (
        Cause.CERTIFICATE_OTHER_NAME,
        re.compile(
            r"x509: certificate is (?:not )?valid for|doesn't contain any IP SANs"
            r"|no alternative certificate subject name|certificate is not valid for '"
            r"|(?:Hostname|IP address) mismatch, certificate|ERR_TLS_CERT_ALTNAME_INVALID"
            r"|does not match certificate's altnames|upstream SSL certificate does not match"
            # The JDK, HttpClient, .NET, rustls, Chromium, NSS
            r"|\bNo (?:name matching|subject alternative (?:DNS )?names?)|match any of the subject alternative names"
            r"|RemoteCertificateNameMismatch|NotValidForName|ERR_CERT_COMMON_NAME_INVALID|SSL_ERROR_BAD_CERT_DOMAIN",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.CERTIFICATE_NOT_TRUSTED,
        re.compile(
            r"signed by unknown authority|self[- ]signed certificate|unable to get (?:local )?issuer cert"
            r"|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)"
            r"|unable to verify the first certificate|certificate is (?:not|NOT) trusted"
            r"|PKIX path building failed|unable to find valid certification path|UntrustedRoot|PartialChain"
            r"|peer certificate: UnknownIssuer|ERR_CERT_AUTHORITY_INVALID|SEC_ERROR_UNKNOWN_ISSUER"
            r"|MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.TLS_TO_PLAIN,
        re.compile(
            r"server gave HTTP response to HTTPS client|wrong[ _]version[ _]number"
            r"|first record does not look like a TLS handshake|packet length too long"
            r"|Unsupported or unrecognized SSL message|Cannot determine the frame size|SSL_ERROR_RX_RECORD_TOO_LONG"
            r"|corrupt message of type InvalidContentType",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.PLAIN_TO_TLS,
        re.compile(
            r"Client sent an HTTP request to an HTTPS server|plain HTTP request (?:was sent )?to HTTPS port"
            r'|malformed HTTP response "\\x15\\x03',
            re.IGNORECASE,
        ),
    ),
    (
        Cause.PROXY,
        re.compile(
            r"proxyconnect tcp:|ProxyError\(|Could not resolve proxy:|from proxy after CONNECT|CONNECT tunnel failed",
        ),
    ),
)


def cause_in(text: str) -> Cause | None:
    """The cause that a text proves by itself; None for most texts."""
    return next((cause for cause, pattern in _CODES if pattern.search(text)), None)


def phase_of(outcome: Outcome, target: Target | None) -> Phase:
    """The earliest phase in which an outcome can come about."""
    if outcome in (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED):
        return Phase.RESOLVE
    if outcome in (Outcome.RESET, Outcome.CLOSED):
        return after_connect(target)
    return {Outcome.TLS_FAILED: Phase.TLS, Outcome.HTTP_STATUS: Phase.HTTP}.get(outcome, Phase.CONNECT)


def after_connect(target: Target | None) -> Phase:
    """The phase that follows on a TCP connection to a target."""
    if target is None:
        return Phase.TLS
    return {Scheme.HTTP: Phase.HTTP, Scheme.HTTPS: Phase.TLS}.get(target.scheme, Phase.CONNECT)


def hint_of(outcome: Outcome) -> str:
    """What no client can tell about an outcome."""
    return {
        Outcome.REFUSED: REFUSED_HINT,
        Outcome.HOST_UNREACHABLE: UNREACHABLE_HINT,
        Outcome.RESET: CLOSED_HINT,
        Outcome.CLOSED: CLOSED_HINT,
    }.get(outcome, "")


def with_also(said: Pasted, addresses: Iterable[Address | None]) -> Pasted:
    """A failure with further addresses that were tried with the same end, which the hint names."""
    also = tuple(dict.fromkeys(address for address in addresses if address not in (None, said.address)))
    if not also:
        return said
    hint = f"The text names {', '.join(map(str, also))} too."
    return replace(said, also=(*said.also, *also), hint=f"{said.hint} {hint}".strip())


def from_errno(
    client: Client,
    number: int,
    text: str,
    target: Target | None,
    *,
    address: Address | None = None,
    port: int | None = None,
    name: str = "",
) -> Pasted:
    """A failure whose errno the client gives."""
    outcome = of_errno(number)
    return Pasted(
        client=client,
        outcome=outcome,
        phase=phase_of(outcome, target),
        errno=number,
        target=target,
        address=address,
        port=target.port if port is None and target else port,
        resolver=None,
        text=text,
        hint=hint_of(outcome),
        code=cause_in(text),
        name=name,
    )


def plain(
    client: Client,
    outcome: Outcome,
    text: str,
    target: Target | None,
    *,
    phase: Phase | None = None,
    hint: str | None = None,
) -> Pasted:
    """A failure without an errno."""
    code = cause_in(text)
    dialled = None if code is Cause.PROXY else target
    return Pasted(
        client=client,
        outcome=outcome,
        phase=phase or phase_of(outcome, target),
        errno=None,
        target=target,
        address=as_address(dialled.host) if dialled else None,
        port=dialled.port if dialled else None,
        resolver=None,
        text=text,
        hint=hint_of(outcome) if hint is None else hint,
        code=code,
    )


def several(
    client: Client, outcomes: tuple[Outcome, ...], text: str, target: Target | None, hint: str, *, name: str = ""
) -> Pasted:
    """A text that stands for several outcomes."""
    one = plain(client, Outcome.INCONCLUSIVE, text, target, phase=phase_of(outcomes[0], target), hint=hint)
    return replace(one, name=name, possible=outcomes)
