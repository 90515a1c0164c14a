"""What each errno(3) of connecting, reading or writing means, as one of our outcomes. Values only."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from testbed.model import Outcome

#: connect(2), ip-route(8) for what each route type gives the sender, tcp(7).
OUTCOMES: Final[Mapping[int, Outcome]] = MappingProxyType(
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
