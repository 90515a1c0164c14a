"""Reading and writing the error texts of Go's net/http client. Pure; the texts were measured."""

from __future__ import annotations

import errno
import re
import socket
from dataclasses import dataclass
from typing import Final

from testbed.model import Address, Outcome, Phase, bracketed

#: syscall/zerrors_linux_amd64.go: Go's names of the errno values.
_ERRNO_TEXTS: Final = {
    errno.ECONNREFUSED: ("connection refused", Outcome.REFUSED),
    errno.EHOSTUNREACH: ("no route to host", Outcome.HOST_UNREACHABLE),
    errno.ENETUNREACH: ("network is unreachable", Outcome.NETWORK_UNREACHABLE),
    errno.EACCES: ("permission denied", Outcome.PROHIBITED),
    errno.EPERM: ("operation not permitted", Outcome.PROHIBITED),
    errno.EINVAL: ("invalid argument", Outcome.NETWORK_UNREACHABLE),
    errno.EADDRNOTAVAIL: ("cannot assign requested address", Outcome.NETWORK_UNREACHABLE),
    errno.ECONNRESET: ("connection reset by peer", Outcome.RESET),
    errno.ETIMEDOUT: ("connection timed out", Outcome.TIMED_OUT),
}


@dataclass(frozen=True, slots=True)
class GoFailure:
    """What a Go error text says, in our words."""

    outcome: Outcome
    phase: Phase
    errno: int | None = None


#: First match wins. Go's timeout text is the same for a dropped SYN and a silent peer: its phase is a lower bound.
_PATTERNS: Final = (
    (re.compile(r"no such host$"), GoFailure(Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME)),
    (re.compile(r"lookup \S+.*: "), GoFailure(Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN)),
    *(
        (re.compile(rf"connect: {text}$"), GoFailure(outcome, Phase.CONNECT, number))
        for number, (text, outcome) in _ERRNO_TEXTS.items()
    ),
    (re.compile(r"(read|write): connection reset by peer$"), GoFailure(Outcome.RESET, Phase.TLS, errno.ECONNRESET)),
    (re.compile(r"write: broken pipe$"), GoFailure(Outcome.RESET, Phase.TLS, errno.EPIPE)),
    (re.compile(r"(i/o timeout|context deadline exceeded)"), GoFailure(Outcome.TIMED_OUT, Phase.CONNECT)),
    (re.compile(r"\bEOF$"), GoFailure(Outcome.CLOSED, Phase.TLS)),
    (re.compile(r"(x509: |tls: |server gave HTTP response to HTTPS client)"), GoFailure(Outcome.TLS_FAILED, Phase.TLS)),
    (
        re.compile(r"(Failed request with status|Header is missing|platform is invalid)"),
        GoFailure(Outcome.HTTP_STATUS, Phase.HTTP),
    ),
)


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
    return f'Get "{url}": dial tcp {bracketed(str(address))}:{port}: connect: {_ERRNO_TEXTS[number][0]}'


def lookup_failure(url: str, name: str, server: str) -> str:
    """The text for a name that nobody knows, of Go's own resolver: static programs have no other."""
    return f'Get "{url}": dial tcp: lookup {name} on {bracketed(server)}:53: no such host'
