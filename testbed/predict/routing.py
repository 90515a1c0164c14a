"""Choosing a route and a source address, as Linux does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import LOCAL_TABLE, Link, Namespace, PolicyRule, Route, RouteKind
from testbed.model import Address
from testbed.predict.policy_rules import Flow, rules_of, selects, vrf_of

#: Routes that say that a destination must not be reached; policy rules have the same actions (ip-rule(8)).
FORBIDDING: Final = frozenset({RouteKind.UNREACHABLE, RouteKind.PROHIBIT, RouteKind.BLACKHOLE})
_FORBIDDING_ACTIONS: Final = frozenset(map(str, FORBIDDING))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer to "where does a packet to this address go"."""

    kind: RouteKind | None
    """None where there is no route at all."""
    route: Route | None = None
    link: Link | None = None
    """The interface it leaves by, for UNICAST and LOCAL."""
    choices: int = 1
    """How many next hops the kernel may take: of a route with several it takes one by a hash of the addresses with a
    secret of its own, of default routes of one metric by what it has heard of their gateways."""
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
) -> Chosen:
    """The route of a packet of which no more than that is known; see :func:`look_up`.

    :param incoming: the interface the packet came in by; ``lo`` for one's own packets
    """
    return look_up(namespace, Flow(destination, source, mark, incoming))


def look_up(namespace: Namespace, flow: Flow, preference: int = 0) -> Chosen:
    """Go through policy rules by priority and take the longest prefix of the first table that has one (ip-rule(8)).

    Where it is not known whether a rule selects the packet, the answer is known all the same if it does not depend on
    that.

    :param preference: which of several next hops to take, where the kernel's choice is not for sure. Of a route with
        several it is made by a hash with a secret (net/ipv4/fib_semantics.c, fib_select_multipath); of default routes
        of one metric, for one's own packets only, by what was heard of the gateways (fib_select_default)
    """
    rules = rules_of(namespace, flow.destination.version)
    found: dict[int, Chosen] = {len(rules): Chosen(None)}

    def from_rule(at: int) -> Chosen:
        """The answer of the rules from one on; each is asked once, however many ways lead to it."""
        if at not in found:
            selected = selects(namespace, rules[at], flow)
            if selected is False:
                found[at] = from_rule(at + 1)
            else:
                if_so = _answer(namespace, rules[at], flow, preference) or from_rule(_next(rules, at))
                known = selected or _alike(if_so, from_rule(at + 1))
                found[at] = if_so if known else Chosen(None, unmodelled=rules[at])
        return found[at]

    return from_rule(0)


def heeds_source(namespace: Namespace, chosen: Chosen) -> bool:
    """Tell if a route may be another one once the packet has a source address."""
    return chosen.choices > 1 or any(rule.source is not None for rule in namespace.policy_rules)


def _next(rules: Sequence[PolicyRule], at: int) -> int:
    """The rule after one that selects a packet and has no answer.

    That is where ``goto`` leads; one that leads to a priority that no rule has does nothing (fib_rules_lookup).
    """
    if rules[at].action != "goto":
        return at + 1
    return next((n for n, rule in enumerate(rules) if n > at and rule.priority == rules[at].goto), at + 1)


def _answer(namespace: Namespace, rule: PolicyRule, flow: Flow, preference: int) -> Chosen | None:
    """The decision of a rule on a packet that it selects; None where it leaves that to the next one."""
    if rule.action in _FORBIDDING_ACTIONS:
        return Chosen(RouteKind(rule.action), forbidden_by=rule)
    if rule.action in ("nop", "goto"):
        return None
    vrf = vrf_of(namespace, flow.incoming)
    if rule.action != "lookup" or (rule.l3mdev and vrf is not None):
        return Chosen(None, unmodelled=rule)
    found = _longest(namespace, rule.table, flow.destination)
    if found is None or found.kind is RouteKind.THROW:
        return None
    if found.kind not in FORBIDDING and _suppressed(namespace, rule, found):
        return None
    return _taken(namespace, found, flow, preference)


def _suppressed(namespace: Namespace, rule: PolicyRule, found: Route) -> bool:
    """Tell if a rule passes over the route that it found (net/ipv4/fib_rules.c, fib4_rule_suppress)."""
    if rule.suppress_prefixlength is not None and found.destination.prefixlen <= rule.suppress_prefixlength:
        return True
    link = link_of(namespace, found.link)
    return link is not None and rule.suppress_ifgroup is not None and link.group == rule.suppress_ifgroup


def _alike(one: Chosen, other: Chosen) -> bool:
    """Tell if two answers lead a packet the same way."""
    return (one.kind, one.route, one.link, one.unmodelled) == (other.kind, other.route, other.link, other.unmodelled)


def _taken(namespace: Namespace, found: Route, flow: Flow, preference: int) -> Chosen:
    if found.multipath and not found.nexthops:
        return Chosen(None, unmodelled=found)
    if found.kind in FORBIDDING:
        return Chosen(found.kind, found, forbidden_by=found)
    if found.kind is RouteKind.LOCAL:
        # To oneself all goes by lo, whichever interface has the address (net/ipv4/route.c, ip_route_output_key).
        return Chosen(found.kind, found, link_named(namespace, "lo"))
    equals = _paths(namespace, found, flow) if found.nexthops else _equals(namespace, found) if flow.own else [found]
    taken = equals[preference % len(equals)]
    return Chosen(taken.kind, taken, link_of(namespace, taken.link), len(equals))


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


def is_local(
    namespace: Namespace, address: Address, *, source: Address | None = None, incoming: str = "lo", mark: int = 0
) -> bool:
    """Tell if the kernel delivers packets to an address to itself.

    :param source: where they come from
    :param incoming: the interface that they come in by; ``lo`` for one's own packets
    """
    # Of a whole segment every station is asked: most have no such route in any table, whatever the policy rules say.
    if not any(route.kind is RouteKind.LOCAL and address in route.destination for route in namespace.routes):
        return False
    return choose(namespace, address, source=source, incoming=incoming, mark=mark).kind is RouteKind.LOCAL


def address_type(namespace: Namespace, address: Address) -> str:
    """The type of an address by ``addrtype`` and ``fib ... type`` (iptables-extensions(8), addrtype).

    It is that of the table ``local``, whatever the policy rules say (net/ipv4/fib_frontend.c, inet_addr_type).
    """
    if address.is_multicast:
        return "multicast"
    found = _longest(namespace, LOCAL_TABLE, address)
    return str(found.kind) if found and found.kind in (RouteKind.LOCAL, RouteKind.BROADCAST) else "unicast"


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
        # Of a route without a gateway the kernel takes the first one there (fib_info_update_nhc_saddr).
        hop = chosen.hop or (destination if chosen.route is None else None)
        near = [row for row in here if hop is not None and hop in row.address.network]
        elsewhere = [row for row in rows if row.scope not in ("link", "host")]
        return next((row.address.ip for row in (*near, *here, *elsewhere)), None)
    wanted = destination.is_link_local
    fitting = [r for r in rows if r.address.ip.is_link_local == wanted and not r.address.ip.is_loopback]
    fitting = [r for r in fitting if r.link == index] or fitting
    best = max(fitting, key=lambda row: _common_bits(row.address.ip, destination), default=None)
    return best.address.ip if best else None


def reverse_path_fails(
    namespace: Namespace,
    link: Link,
    source: Address,
    *,
    destination: Address | None = None,
    mark: int = 0,
    outgoing: str = "lo",
) -> bool:
    """Tell if rp_filter drops a packet from a source that came in by a link (ip-sysctl, rp_filter; IPv4 only).

    The rules are those of net/ipv4/fib_frontend.c, __fib_validate_source: a way back by any next hop will do; loose (2)
    asks for no more than any way back, and for an address of the interface that the packet came in by.

    :param destination: where the packet goes; the way back is looked up from there
    :param mark: of the packet, which the lookup heeds with src_valid_mark only
    :param outgoing: of a packet that is passed on: the interface that it will leave by
    """
    if source.version != 4 or link.name == "lo":
        return False
    mode = reverse_path_mode(namespace, link)
    if not mode:
        return False
    back = way_back(namespace, link, source, destination=destination, mark=mark, outgoing=outgoing)
    if back.kind is not RouteKind.UNICAST:
        return back.unmodelled is None
    links = {hop.link for hop in back.route.nexthops} if back.route else set()
    if back.link is None or link.index in links | {back.link.index}:
        return False
    return mode == 1 or not any(own_addresses(namespace, 4, link.index))


def reverse_path_mode(namespace: Namespace, link: Link) -> int:
    """The mode of rp_filter at an interface: 0 is off, 1 strict, 2 loose; the higher of its own and that of ``all``."""
    return max(setting(namespace, f"ipv4/conf/{name}/rp_filter") for name in ("all", link.name))


def way_back(
    namespace: Namespace,
    link: Link,
    source: Address,
    *,
    destination: Address | None = None,
    mark: int = 0,
    outgoing: str = "lo",
) -> Chosen:
    """The route back to the source of a packet that came in by a link, as rp_filter looks it up.

    The parameters are those of :func:`reverse_path_fails`.
    """
    heeds = any(setting(namespace, f"ipv4/conf/{name}/src_valid_mark") for name in ("all", link.name))
    return choose(namespace, source, source=destination, mark=mark if heeds else 0, incoming=outgoing)


def setting(namespace: Namespace, name: str) -> int:
    """A sysctl as a number; 0 where it is not there."""
    text = namespace.sysctls.get(name, "0")
    return int(text) if text.lstrip("-").isdecimal() else 0


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


def _paths(namespace: Namespace, route: Route, flow: Flow) -> list[Route]:
    """A route with several next hops as one route for each that the kernel may take; all where it may take none.

    One's own packets go by a next hop whose own source address they have, where there is one (net/ipv4/
    fib_semantics.c, fib_select_multipath, since Linux 6.15).
    """
    hops = [hop for hop in route.nexthops if _carries(namespace, hop.link, route.destination.version)]
    ways = dict.fromkeys((hop.link, hop.gateway) for hop in hops or route.nexthops)
    paths = [replace(route, link=link, gateway=gateway) for link, gateway in ways]
    if not flow.own or flow.source is None:
        return paths
    return [path for path in paths if _source_of(namespace, path, flow) == flow.source] or paths


def _source_of(namespace: Namespace, route: Route, flow: Flow) -> Address | None:
    return source_for(namespace, flow.destination, Chosen(route.kind, route, link_of(namespace, route.link)))


def _usable(namespace: Namespace, route: Route) -> bool:
    """Tell if the kernel takes a route: its interface is up, and carries where that is asked for (ip-sysctl)."""
    version = route.destination.version
    if route.nexthops:
        return any(_carries(namespace, hop.link, version) for hop in route.nexthops)
    return _carries(namespace, route.link, version)


def _carries(namespace: Namespace, index: int | None, version: int) -> bool:
    link = link_of(namespace, index)
    if link is None or not link.up:
        return link is None
    if link.carrier:
        return True
    names = (f"ipv{version}/conf/{name}/ignore_routes_with_linkdown" for name in ("all", link.name))
    return not any(setting(namespace, name) for name in names)


def _common_bits(one: Address, other: Address) -> int:
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()
