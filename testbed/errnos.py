"""The meaning of each errno(3) of connecting, reading or writing, and the words of clients for it. Values only."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from testbed.model import Outcome


@dataclass(frozen=True, slots=True)
class Meaning:
    """One errno: the outcome that it is, and its words."""

    outcome: Outcome
    words: tuple[str, ...]
    """strerror(3) of glibc, which are Go's too (syscall/zerrors_linux_amd64.go), then of musl where it differs; in
    lower case, because clients disagree about the first letter."""


#: connect(2), ip-route(8) for what each route type gives the sender, tcp(7).
ERRNOS: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        errno.ECONNREFUSED: Meaning(Outcome.REFUSED, ("connection refused",)),
        errno.ECONNRESET: Meaning(Outcome.RESET, ("connection reset by peer",)),
        errno.EPIPE: Meaning(Outcome.RESET, ("broken pipe",)),
        errno.ETIMEDOUT: Meaning(Outcome.TIMED_OUT, ("connection timed out", "operation timed out")),
        errno.EHOSTUNREACH: Meaning(Outcome.HOST_UNREACHABLE, ("no route to host", "host is unreachable")),
        errno.EHOSTDOWN: Meaning(Outcome.HOST_UNREACHABLE, ("host is down",)),
        errno.ENETUNREACH: Meaning(Outcome.NETWORK_UNREACHABLE, ("network is unreachable", "network unreachable")),
        errno.ENETDOWN: Meaning(Outcome.NETWORK_UNREACHABLE, ("network is down",)),
        # No source address, as with IPv6 off.
        errno.EADDRNOTAVAIL: Meaning(
            Outcome.NETWORK_UNREACHABLE, ("cannot assign requested address", "address not available")
        ),
        errno.EACCES: Meaning(Outcome.PROHIBITED, ("permission denied",)),
        errno.EPERM: Meaning(Outcome.PROHIBITED, ("operation not permitted",)),
        errno.EINVAL: Meaning(Outcome.NETWORK_UNREACHABLE, ("invalid argument",)),  # a blackhole route
    }
)
#: The outcome of each errno.
OUTCOMES: Final[Mapping[int, Outcome]] = MappingProxyType({number: one.outcome for number, one in ERRNOS.items()})
#: The errno of each of its words.
ERRNO_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {word: number for number, one in ERRNOS.items() for word in one.words}
)
