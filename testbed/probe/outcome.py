"""From what the kernel or a library said to the closed set of outcomes. Pure."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from testbed.model import Outcome

#: connect(2), ip-route(8) for what each route type gives the sender, tcp(7).
ERRNO_OUTCOMES: Final[Mapping[int, Outcome]] = MappingProxyType(
    {
        errno.ECONNREFUSED: Outcome.REFUSED,
        errno.ECONNRESET: Outcome.RESET,
        errno.EPIPE: Outcome.RESET,
        errno.ETIMEDOUT: Outcome.TIMED_OUT,
        errno.EHOSTUNREACH: Outcome.HOST_UNREACHABLE,
        errno.EHOSTDOWN: Outcome.HOST_UNREACHABLE,
        errno.ENETUNREACH: Outcome.NETWORK_UNREACHABLE,
        errno.ENETDOWN: Outcome.NETWORK_UNREACHABLE,
        errno.EINVAL: Outcome.NETWORK_UNREACHABLE,  # a blackhole route
        errno.EADDRNOTAVAIL: Outcome.NETWORK_UNREACHABLE,  # no source address, as with IPv6 off
        errno.EACCES: Outcome.PROHIBITED,
        errno.EPERM: Outcome.PROHIBITED,
    }
)


def of_error(error: OSError) -> Outcome:
    """The outcome that an error of connecting, TLS or reading means."""
    if isinstance(error, TimeoutError):
        return Outcome.TIMED_OUT
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Outcome.CLOSED
    if isinstance(error, ssl.SSLError):
        return Outcome.TLS_FAILED
    return ERRNO_OUTCOMES.get(error.errno or 0, Outcome.INCONCLUSIVE)
