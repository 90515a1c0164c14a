"""Reading and writing the error texts of Go's net/http client. Pure; the texts were measured."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final

from testbed.errnos import ERRNOS
from testbed.model import Address, Outcome, Phase, bracketed


@dataclass(frozen=True, slots=True)
class GoFailure:
    """What a Go error text says, in our words."""

    outcome: Outcome
    phase: Phase
    errno: int | None = None


#: First match wins. Go's timeout text is the same for a dropped SYN and a silent peer: its phase is a lower bound.
_PATTERNS: Final = (
    (re.compile(r"\bno such host\b"), GoFailure(Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME)),
    # Of Windows' resolver (net/lookup_windows.go).
    (
        re.compile(r"\bgetaddrinfow: No such host is known\b"),
        GoFailure(Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME),
    ),
    (
        re.compile(r"\blookup \S{1,255}(?: on \S{1,64})?: "),
        GoFailure(Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN),
    ),
    # Before Go 1.10 the call that told the error was getsockopt (net/fd_unix.go).
    *(
        (
            re.compile(rf"\b(?:connect|getsockopt): {meaning.words[0]}\b"),
            GoFailure(meaning.outcome, Phase.CONNECT, number),
        )
        for number, meaning in ERRNOS.items()
    ),
    # Before Go 1.5 no call was named (net/fd_unix.go).
    *(
        (
            re.compile(rf"\bdial tcp[46]? \S{{1,80}}: {meaning.words[0]}\b"),
            GoFailure(meaning.outcome, Phase.CONNECT, number),
        )
        for number, meaning in ERRNOS.items()
    ),
    # Windows' calls with Winsock's words (internal/poll/fd_windows.go).
    *(
        (re.compile(rf"\bconnectex: {words}"), GoFailure(ERRNOS[number].outcome, Phase.CONNECT, number))
        for words, number in (
            ("No connection could be made because the target machine actively refused it", errno.ECONNREFUSED),
            ("A connection attempt failed because the connected party did not properly respond", errno.ETIMEDOUT),
            ("A socket operation was attempted to an unreachable host", errno.EHOSTUNREACH),
            ("A socket operation was attempted to an unreachable network", errno.ENETUNREACH),
        )
    ),
    (
        re.compile(r"\bwsa(?:recv|send): An existing connection was forcibly closed by the remote host"),
        GoFailure(Outcome.RESET, Phase.TLS, errno.ECONNRESET),
    ),
    (re.compile(r"(read|write): connection reset by peer\b"), GoFailure(Outcome.RESET, Phase.TLS, errno.ECONNRESET)),
    (re.compile(r"write: broken pipe\b"), GoFailure(Outcome.RESET, Phase.TLS, errno.EPIPE)),
    (re.compile(r"TLS handshake timeout"), GoFailure(Outcome.TIMED_OUT, Phase.TLS)),
    (re.compile(r"(read|write) tcp \S{1,200}: i/o timeout"), GoFailure(Outcome.TIMED_OUT, Phase.TLS)),
    (re.compile(r"timeout awaiting response headers"), GoFailure(Outcome.TIMED_OUT, Phase.HTTP)),
    (
        re.compile(r"(i/o timeout|context deadline exceeded|request canceled)"),
        GoFailure(Outcome.TIMED_OUT, Phase.CONNECT),
    ),
    (re.compile(r"\bEOF\b"), GoFailure(Outcome.CLOSED, Phase.TLS)),
    (re.compile(r"(x509: |tls: |server gave HTTP response to HTTPS client)"), GoFailure(Outcome.TLS_FAILED, Phase.TLS)),
    # Portainer's own words about an answer, and about an address that it may not dial (pkg/libhttp/ssrf).
    (
        re.compile(r"(Failed request with status|Header is missing|platform is invalid|already paired with another)"),
        GoFailure(Outcome.HTTP_STATUS, Phase.HTTP),
    ),
    (re.compile(r"ssrf: destination \S{1,64} is not in"), GoFailure(Outcome.PROHIBITED, Phase.CONNECT)),
)


@dataclass(frozen=True, slots=True)
class GoText:
    """A Go error found in a longer text, with the places it names."""

    text: str
    """From its first to its last word, in one line."""
    failure: GoFailure
    url: str = ""
    """The one that was asked for; empty where the text has none."""
    name: str = ""
    """The name that was looked up."""
    resolver: Address | None = None
    address: Address | None = None
    """The one that was dialled."""
    port: int | None = None


_UNTIL_QUOTE: Final = r'(?:(?:malformed HTTP response|ssrf: resolving) "[^"\n]{0,300}"|[^"\n]){1,600}'
#: net/url, Error: the method with one capital, the URL (quoted since Go 1.14), the reason.
_URL_ERROR: Final = re.compile(
    r'\b(?:Get|Head|Post|Put|Patch|Delete|Options) "?([a-z]{2,10}://[^"\s]{1,2048})"?: (' + _UNTIL_QUOTE + ")"
)
#: What a Go text without a URL begins with (net.OpError, crypto/tls, crypto/x509, net/http, Portainer).
_WITHOUT_URL: Final = re.compile(
    r"\b(?:proxyconnect tcp: |dial tcp[46]?\b|lookup \S{1,255} on \S{1,64}: |(?:read|write) tcp \S{1,200}: |x509: "
    r"|remote error: tls: |tls: f(?:ailed to verify|irst record)|net/http: |http: server gave|context deadline exceeded"
    r"|Failed request with status|(?:Version|Agent Platform) Header is missing|Agent platform is invalid"
    r"|ssrf: destination |agent already paired with another)" + _UNTIL_QUOTE.replace("{1,600}", "{0,600}"),
    re.IGNORECASE,
)
_ADDRESS_PORT: Final = r"(\[[0-9a-fA-F:.]{2,45}(?:%\w{1,15})?\]|[0-9.]{7,15}):([0-9]{1,5})"
_DIALLED: Final = re.compile(
    r"\b(?:dial tcp[46]? |(?:read|write) tcp \S{1,80}->)" + _ADDRESS_PORT + ": ", re.IGNORECASE
)
_LOOKED_UP: Final = re.compile(r"\blookup (\S{1,255}?)(?: on " + _ADDRESS_PORT + r")?: ", re.IGNORECASE)


def find(text: str) -> GoText | None:
    """The first Go error in a text that may hold much else, in time linear in its length; None where there is none."""
    start = 0
    while match := _URL_ERROR.search(text, start):
        start = match.end()
        if _URL_ERROR.match(text, match.start(2)):
            # One request was made for another (a registry's token): the inner one failed.
            start = match.start(2)
        elif found := _told(match.group(), match.group(1), match.group(2)):
            return found
    for match in _WITHOUT_URL.finditer(text):
        if found := _told(match.group(), "", match.group()):
            return found
    return None


def _told(whole: str, url: str, reason: str) -> GoText | None:
    failure = read(reason[:1].lower() + reason[1:] if reason.startswith(("Dial", "Lookup")) else reason)
    if failure.outcome is Outcome.INCONCLUSIVE and "malformed HTTP response" not in reason:
        return None
    dialled, looked_up = _DIALLED.search(reason), _LOOKED_UP.search(reason)
    return GoText(
        text=whole.rstrip(" }\\'"),
        failure=failure,
        url=url,
        name=looked_up.group(1) if looked_up else "",
        resolver=_address(looked_up.group(2)) if looked_up and looked_up.group(2) else None,
        address=_address(dialled.group(1)) if dialled and not looked_up else None,
        port=int(dialled.group(2)) if dialled and not looked_up else None,
    )


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def read(text: str) -> GoFailure:
    """What an error text of Go's client says; INCONCLUSIVE for one that is not known."""
    for pattern, failure in _PATTERNS:
        if pattern.search(text):
            return failure
    return GoFailure(Outcome.INCONCLUSIVE, Phase.CONNECT)


def dial_failure(url: str, address: Address, port: int, number: int) -> str:
    """The text for a connect(2) that failed, such as
    ``Get "https://NAME:P/ping": dial tcp A:P: connect: connection refused``.

    :param number: the errno
    """
    return f'Get "{url}": dial tcp {bracketed(str(address))}:{port}: connect: {ERRNOS[number].words[0]}'


def lookup_failure(url: str, name: str, server: str) -> str:
    """The text for a name that nobody knows, of Go's own resolver: static programs have no other."""
    return f'Get "{url}": dial tcp: lookup {name} on {bracketed(server)}:53: no such host'
