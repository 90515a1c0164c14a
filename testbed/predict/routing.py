"""Choosing a route and a source address, as Linux does. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from testbed.evidence import LOCAL_TABLE, MAIN_TABLE, Link, Namespace, PolicyRule, Route, RouteKind
from testbed.model import Address

_DEFAULT_TABLE: Final = 253
#: Routes that say that a destination must not be reached; policy rules have the same actions (ip-rule(8)).
FORBIDDING: Final = frozenset({RouteKind.UNREACHABLE, RouteKind.PROHIBIT, RouteKind.BLACKHOLE})
#: The rules that a namespace has from the start (ip-rule(8)).
_INITIAL: Final = {
    family: tuple(
        PolicyRule(priority, family, table)
        for priority, table in ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, _DEFAULT_TABLE))
    )
    for family in (4, 6)
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer to "where does a packet to this address go"."""

    kind: RouteKind | None
    """None where there is no route at all."""
    route: Route | None = None
    link: Link | None = None
    """The interface it leaves by, for UNICAST and LOCAL."""
    choices: int = 1
    """How many routes the kernel may take, where its choice depends on what it has heard of the gateways."""
    forbidden_by: PolicyRule | Route | None = None
    """The policy rule, or the route, that forbids the destination; None where it is not forbidden."""
    unmodelled: PolicyRule | Route | None = None
    """The rule or route for which the answer is not known; None where it is."""

    @property
    def hop(self) -> Address | None:
        """The next hop's address; None where the destination itself is on the link."""
        return self.route.gateway if self.route else None


def choose(
    namespace: Namespace,
    destination: Address,
    *,
    source: Address | None = None,
    mark: int = 0,
    incoming: str = "lo",
    preference: int | None = None,
) -> Chosen:
    """Go through policy rules by priority and take the longest prefix of the first table that has one (ip-rule(8)).

    :param incoming: the interface the packet came in by; ``lo`` for one's own packets
    :param preference: for one's own packets: which of several default routes of one metric to take. The kernel prefers
        those whose gateway it has heard of lately, and none of that is for sure (net/ipv4/fib_semantics.c,
        fib_select_default). None takes the first, as for packets of others.
    """
    family = destination.version
    rules = sorted(
        (rule for rule in namespace.policy_rules if rule.family == family), key=lambda rule: rule.priority
    ) or list(_INITIAL[family])
    for rule in rules:
        if rule.other or rule.outgoing or (rule.action != "lookup" and rule.action not in FORBIDDING):
            return Chosen(None, unmodelled=rule)
        if rule.inverted == _selects(rule, source, destination, mark, incoming):
            continue
        if rule.action in FORBIDDING:
            return Chosen(RouteKind(rule.action), forbidden_by=rule)
        found = _longest(namespace, rule.table, destination)
        if found is not None and found.kind is not RouteKind.THROW:
            return _taken(namespace, found, preference)
    return Chosen(None)


def _taken(namespace: Namespace, found: Route, preference: int | None) -> Chosen:
    if found.multipath:
        return Chosen(None, unmodelled=found)
    if found.kind in FORBIDDING:
        return Chosen(found.kind, found, forbidden_by=found)
    if found.kind is RouteKind.LOCAL:
        # To oneself all goes by lo, whichever interface has the address (net/ipv4/route.c, ip_route_output_key).
        return Chosen(found.kind, found, link_named(namespace, "lo"))
    equals = [found] if preference is None else _equals(namespace, found)
    found = equals[(preference or 0) % len(equals)]
    return Chosen(found.kind, found, link_of(namespace, found.link), len(equals))


def link_of(namespace: Namespace, index: int | None) -> Link | None:
    """The interface of an index."""
    return next((link for link in namespace.links if link.index == index), None)


def link_named(namespace: Namespace, name: str) -> Link | None:
    """The interface of a name."""
    return next((link for link in namespace.links if link.name == name), None)


def own_addresses(namespace: Namespace, version: int, link: int | None = None) -> Iterator[Address]:
    """The addresses of a namespace, or of one of its interfaces, in the kernel's order."""
    for row in namespace.addresses:
        if row.usable and row.address.version == version and link in (None, row.link):
            yield row.address.ip


def is_local(namespace: Namespace, address: Address) -> bool:
    """Tell if the kernel delivers packets to an address to itself."""
    return choose(namespace, address).kind is RouteKind.LOCAL


def address_type(namespace: Namespace, address: Address) -> str:
    """The type of an address by ``addrtype`` and ``fib ... type`` (iptables-extensions(8), addrtype)."""
    if address.is_multicast:
        return "multicast"
    kind = choose(namespace, address).kind
    return str(kind) if kind in (RouteKind.LOCAL, RouteKind.BROADCAST) else "unicast"


def source_for(namespace: Namespace, destination: Address, chosen: Chosen) -> Address | None:
    """The source address for a socket that has none yet; None where there is none to be had.

    IPv4: the route's own, else the first of the outgoing interface in the next hop's subnet, else its first, else the
    first of any other interface (net/ipv4/devinet.c, inet_select_addr). IPv6: RFC 6724, 5, as far as rules 1, 2 and 8
    go.
    """
    if chosen.route is not None and chosen.route.source is not None:
        return chosen.route.source
    if chosen.kind is RouteKind.LOCAL:
        return destination
    index = chosen.link.index if chosen.link else None
    rows = [row for row in namespace.addresses if row.usable and row.address.version == destination.version]
    if destination.version == 4:
        here = [row for row in rows if row.link == index]
        near = [row for row in here if (chosen.hop or destination) in row.address.network]
        elsewhere = [row for row in rows if row.scope not in ("link", "host")]
        return next((row.address.ip for row in (*near, *here, *elsewhere)), None)
    wanted = destination.is_link_local
    fitting = [r for r in rows if r.address.ip.is_link_local == wanted and not r.address.ip.is_loopback]
    fitting = [r for r in fitting if r.link == index] or fitting
    best = max(fitting, key=lambda row: _common_bits(row.address.ip, destination), default=None)
    return best.address.ip if best else None


def reverse_path_fails(namespace: Namespace, link: Link, source: Address) -> bool:
    """Tell if rp_filter drops a packet from a source that came in by a link (ip-sysctl, rp_filter; IPv4 only)."""
    if source.version != 4 or link.name == "lo":
        return False
    mode = max(setting(namespace, f"ipv4/conf/{name}/rp_filter") for name in ("all", link.name))
    if not mode:
        return False
    back = choose(namespace, source)
    if back.kind is not RouteKind.UNICAST:
        return True
    return mode == 1 and back.link is not None and back.link.index != link.index


def setting(namespace: Namespace, name: str) -> int:
    """A sysctl as a number; 0 where it is not there."""
    text = namespace.sysctls.get(name, "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


def _selects(rule: PolicyRule, source: Address | None, destination: Address, mark: int, incoming: str) -> bool:
    zero = ipaddress.ip_address("0.0.0.0" if destination.version == 4 else "::")
    return (
        (rule.source is None or (source or zero) in rule.source)
        and (rule.destination is None or destination in rule.destination)
        and (rule.mark is None or mark & rule.mask == rule.mark & rule.mask)
        and rule.incoming in (None, incoming)
    )


def _longest(namespace: Namespace, table: int, destination: Address) -> Route | None:
    best: Route | None = None
    for route in namespace.routes:
        if route.table != table or route.destination.version != destination.version:
            continue
        if destination not in route.destination:
            continue
        if route.kind is RouteKind.UNICAST and not _usable(namespace, route):
            continue
        if best is None or (-route.destination.prefixlen, route.metric) < (-best.destination.prefixlen, best.metric):
            best = route
    return best


def _equals(namespace: Namespace, first: Route) -> list[Route]:
    """The default routes that the kernel may take as well as the first one; it alone where it is none."""
    if first.destination.prefixlen or first.gateway is None or first.destination.version == 6:
        return [first]
    alike = (first.table, first.kind, first.destination, first.metric)
    return [
        route
        for route in namespace.routes
        if (route.table, route.kind, route.destination, route.metric) == alike
        and route.gateway is not None
        and _usable(namespace, route)
    ]


def _usable(namespace: Namespace, route: Route) -> bool:
    link = link_of(namespace, route.link)
    return link is None or link.up


def _common_bits(one: Address, other: Address) -> int:
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()
