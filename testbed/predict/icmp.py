"""Errors that the kernel tells whoever connects: by connect(2) itself, by an ICMP error, by a reset. Values only."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from testbed.evidence import PolicyRule, Route, RouteKind

_ROUTE_ERRNO: Final[Mapping[RouteKind, int]] = MappingProxyType(
    {
        RouteKind.UNREACHABLE: errno.EHOSTUNREACH,
        RouteKind.PROHIBIT: errno.EACCES,
        RouteKind.BLACKHOLE: errno.EINVAL,
    }
)
_RULE_ERRNO: Final[Mapping[str, int]] = MappingProxyType({"unreachable": errno.ENETUNREACH})
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


def own_errno(by: PolicyRule | Route) -> int:
    """The errno that connect(2) gives for a route or policy rule of one's own that forbids (ip-route(8), ip-rule(8)).

    A rule that says ``unreachable`` gives ENETUNREACH, a route that does EHOSTUNREACH (net/ipv4/fib_rules.c,
    fib4_rule_action; net/ipv4/fib_semantics.c, fib_props).
    """
    if isinstance(by, Route):
        return _ROUTE_ERRNO[by.kind]
    return _RULE_ERRNO.get(by.action) or _ROUTE_ERRNO[RouteKind(by.action)]


def forward_errno(version: int, by: PolicyRule | Route | None) -> int | None:
    """The errno that the ICMP error of a host on the way gives; None where that host keeps silent.

    The rule is that of net/ipv4/route.c (ip_error) and net/ipv6/route.c (ip6_pkt_drop): a blackhole says nothing, and
    a policy rule that says ``unreachable`` is as no route at all.

    :param by: the route or policy rule that forbids; None where there is no route
    """
    if isinstance(by, PolicyRule):
        kind = None if by.action in _RULE_ERRNO else RouteKind(by.action)
    else:
        kind = by.kind if by else None
    return _FORWARD_ERRNO[version].get(kind)
