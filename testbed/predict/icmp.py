"""Errors that the kernel tells whoever connects: by connect(2) itself, by an ICMP error, by a reset. Values only."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from testbed.evidence import RouteKind

#: What connect(2) gives for a route of one's own that forbids (ip-route(8)).
ROUTE_ERRNO: Final[Mapping[RouteKind, int]] = MappingProxyType(
    {
        RouteKind.UNREACHABLE: errno.EHOSTUNREACH,
        RouteKind.PROHIBIT: errno.EACCES,
        RouteKind.BLACKHOLE: errno.EINVAL,
    }
)
#: What an answer of REJECT gives (net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach).
REJECT_ERRNO: Final[Mapping[str, int]] = MappingProxyType(
    {
        "tcp-reset": errno.ECONNREFUSED,
        "icmp-port-unreachable": errno.ECONNREFUSED,
        "icmp-net-unreachable": errno.ENETUNREACH,
        "icmp-net-prohibited": errno.ENETUNREACH,
        "icmp-host-unreachable": errno.EHOSTUNREACH,
        "icmp-host-prohibited": errno.EHOSTUNREACH,
        "icmp-admin-prohibited": errno.EHOSTUNREACH,
        "icmp-proto-unreachable": errno.ENOPROTOOPT,
        "icmp6-port-unreachable": errno.ECONNREFUSED,
        "icmp6-no-route": errno.ENETUNREACH,
        "icmp6-adm-prohibited": errno.EACCES,
        "icmp6-addr-unreachable": errno.EHOSTUNREACH,
    }
)
_FORWARD_ERRNO: Final = {
    4: {None: errno.ENETUNREACH, RouteKind.UNREACHABLE: errno.EHOSTUNREACH, RouteKind.PROHIBIT: errno.EHOSTUNREACH},
    6: {None: errno.ENETUNREACH, RouteKind.UNREACHABLE: errno.ENETUNREACH, RouteKind.PROHIBIT: errno.EACCES},
}


def forward_errno(version: int, kind: RouteKind | None) -> int | None:
    """The errno that the ICMP error of a host on the way gives; None where that host keeps silent.

    The rule is that of net/ipv4/route.c (ip_error) and net/ipv6/route.c (ip6_pkt_drop): a blackhole says nothing.

    :param kind: of its route; None where it has none
    """
    return _FORWARD_ERRNO[version].get(kind)
