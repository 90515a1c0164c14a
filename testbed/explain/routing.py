"""Causes where there is no route, or one that forbids. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from testbed.change.networks import Connect, NewOnNetwork
from testbed.change.routing import AddRoute, RemovePolicyRule, RemoveRoute, SetSysctl
from testbed.change.wording import words
from testbed.evidence import LOCAL_TABLE, MAIN_TABLE, Container, Namespace, Network, PolicyRule, Route, RouteKind
from testbed.explain.by_ending import propose
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.links import own_link_down, restarted
from testbed.explain.rows import route_row, rows_of_walk
from testbed.model import Address
from testbed.predict.ending import NoRoute, NoSource, RouteForbids
from testbed.predict.routing import link_of

#: The table that the last of the kernel's own rules looks in (ip-rule(8)).
_DEFAULT_TABLE = 253
#: Networks that are offered to connect to.
_MOST = 3


@propose.register
def no_route(ending: NoRoute, case: Case) -> Iterator[Proposal]:
    """A namespace has no route to the address: the container's own, or one on the way."""
    yield from without_route(case, ending.namespace, ending.destination, back=ending.back)


def without_route(case: Case, here: Namespace, to: Address, *, back: bool) -> Iterator[Proposal]:
    """Propose why a namespace has no route to an address.

    :param back: whether the address is the sender's, and it is the way of an answer that is missing
    """
    container = case.place.container
    yield from own_link_down(case, here, to)
    if here.key == case.place.namespace and container is not None and not case.is_host(here.key):
        networks = case.networks_of(container)
        if not any(link.name != "lo" for link in here.links):
            yield _no_network(case, container, here, to)
        elif networks and all(network.internal for network in networks):
            yield _internal(case, container, here, to, networks[0])
        for network in case.networks_with(to, {container.host}):
            if network not in networks and networks:
                yield _not_shared(case, container, to, network)
    routes = unicast(here, to)
    covering = [route for route in routes if to in route.destination]
    why = (
        f"the interface of each of its {len(covering)} routes that cover it is down"
        if covering
        else f"{_none_of(len(routes))}has no default route for IPv{to.version}"
    )
    yield Proposal(
        Cause.NO_ROUTE,
        f"{here.label} has no route {'back ' if back else ''}to {to}: {why}.",
        (*routes_rows(here, to), *rows_of_walk(case.prediction)),
        (*_added(case, here, to), *_restarted(case, here)),
    )


def _none_of(count: int) -> str:
    """Say that no route covers an address, as far as there are any."""
    if count == 0:
        return "it "
    covers = "its one route does not cover" if count == 1 else f"none of its {count} routes covers"
    return f"{covers} that address, and it "


def _added(case: Case, here: Namespace, to: Address) -> Iterator[Remedy]:
    """Adding the route that is missing, by each gateway that the picture has for it."""
    for destination, gateway in _gateways(case, here, to):
        link = next((row.link for row in here.addresses if gateway in row.address.network), None)
        yield Remedy(
            f"Give {here.label} a route (run on {case.machine(here)})",
            changes=(AddRoute(here.key, Route(MAIN_TABLE, RouteKind.UNICAST, destination, link, gateway)),),
        )


def _gateways(
    case: Case, here: Namespace, to: Address
) -> Iterator[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Address]]:
    """Destinations and gateways that a route could have: of a container's network, or a neighbour with the address."""
    everything = ipaddress.ip_network("0.0.0.0/0" if to.version == 4 else "::/0")
    if not case.is_host(here.key):
        # Its other routes are Podman's, and a new start would not bring one that was added by hand.
        for container in case.containers_in(here.key):
            internal = {network.name for network in case.networks_of(container) if network.internal}
            for attachment in container.attachments:
                if attachment.network not in internal:
                    yield from ((everything, g) for g in attachment.gateways if g.version == to.version)
        return
    own = [row.address for row in here.addresses if not row.address.ip.is_loopback]
    for namespace in case.evidence.namespaces.values():
        addresses = [row.address.ip for row in namespace.addresses]
        if namespace.key != here.key and to in addresses:
            for address in addresses:
                if address.version == to.version and any(address in interface.network for interface in own):
                    yield ipaddress.ip_network(to), address


def _restarted(case: Case, here: Namespace) -> Iterator[Remedy]:
    """Starting a container anew, which makes its interfaces and routes anew."""
    if not case.is_host(here.key):
        for container in case.containers_in(here.key)[:1]:
            yield restarted(container)


def _no_network(case: Case, container: Container, here: Namespace, to: Address) -> Proposal:
    theirs = case.networks_with(to, {container.host})
    known = (*theirs, *(n for n in case.evidence.networks if n.host == container.host and n not in theirs))
    return Proposal(
        Cause.NO_NETWORK,
        f"{container.name} has no network: only its own loopback, so nothing leads to {to}.",
        (Row("links", here.label, " ".join(link.name for link in here.links)),),
        tuple(
            Remedy(
                f"Start it on the network {network.name}",
                f"podman run --network {network.name} ... (a new container)",
                (NewOnNetwork(container.host, container.id, network.name),),
            )
            for network in known[:_MOST]
        ),
    )


def _internal(case: Case, container: Container, here: Namespace, to: Address, network: Network) -> Proposal:
    gateway = next(iter(network.gateways), None)
    host = f", the host's own address {gateway} apart" if gateway else ""
    by_gateway = replace(case.attempt.target, host=str(gateway))
    return Proposal(
        Cause.INTERNAL_NETWORK,
        f"{container.name} is only on the network {network.name}, which is internal: containers on it have no default "
        f"route and reach nothing but each other{host}.",
        (
            Row("network", case.place.host.name, f"{network.name} internal=true {subnets(network)}"),
            *routes_rows(here, to),
        ),
        (
            *connects(case, container, network),
            *([Remedy("Call the gateway's address", target=by_gateway)] if gateway else []),
        ),
    )


def connects(case: Case, container: Container, internal: Network) -> Iterator[Remedy]:
    """Connecting a container to another network of its host that has a way out."""
    others = [
        n
        for n in case.evidence.networks
        if n.host == container.host and not n.internal and n != internal and n.driver == "bridge"
    ]
    for network in others[:_MOST]:
        yield Remedy(
            f"Connect it to the network {network.name}, which has a way out, as well",
            changes=(Connect(container.host, container.id, network.name),),
        )


def _not_shared(case: Case, container: Container, to: Address, network: Network) -> Proposal:
    return Proposal(
        Cause.NETWORKS_NOT_SHARED,
        f"{to} is on the network {network.name}, which {container.name} is not on, and nothing leads from one to the "
        "other.",
        (Row("network", case.place.host.name, f"{network.name} {subnets(network)}"),),
        (Remedy(f"Connect {container.name} to it", changes=(Connect(container.host, container.id, network.name),)),),
    )


@propose.register
def route_forbids(ending: RouteForbids, case: Case) -> Iterator[Proposal]:
    """An unreachable, prohibit or blackhole route, or policy rule."""
    here, to, by = ending.namespace, ending.destination, ending.by
    change: RemovePolicyRule | RemoveRoute
    if isinstance(by, PolicyRule):
        what, text, change = "policy rule", _rule_words(by), RemovePolicyRule(here.key, by)
        row = Row("policy rule", here.label, text, change)
    else:
        what, text = "route", f"{by.kind} {by.destination}{'' if by.table == MAIN_TABLE else f' table {by.table}'}"
        change = RemoveRoute(here.key, by)
        row = route_row(here, by, text)
    answer = "the answer to " if ending.back else ""
    leading = _leading_to(here, by) if isinstance(by, Route) else ()
    yield Proposal(
        Cause.ROUTE_FORBIDS,
        f"{here.label} has a {what} that forbids {answer}{to}: {text}.",
        (row, *(Row("policy rule", here.label, words(gone, case.evidence), gone) for gone in leading)),
        (
            *(Remedy(words(gone, case.evidence), changes=(gone,)) for gone in leading),
            Remedy(
                f"Remove it, if it is not meant (run on {case.machine(here)}); a VPN's kill switch with its own tool",
                changes=(change,),
            ),
        ),
    )


def _leading_to(here: Namespace, route: Route) -> tuple[RemovePolicyRule, ...]:
    """The removal of each policy rule by which a table that the kernel does not look in by itself is looked up."""
    if route.table in (LOCAL_TABLE, MAIN_TABLE, _DEFAULT_TABLE):
        return ()
    version = route.destination.version
    rules = (rule for rule in here.policy_rules if (rule.table, rule.family) == (route.table, version))
    return tuple(RemovePolicyRule(here.key, rule) for rule in rules)


def _rule_words(rule: PolicyRule) -> str:
    """A policy rule as ip-rule(8) is given it."""
    words = [f"priority {rule.priority}"]
    words += ["not"] if rule.inverted else []
    words += [f"from {rule.source}"] if rule.source else []
    words += [f"to {rule.destination}"] if rule.destination else []
    words += [f"iif {rule.incoming}"] if rule.incoming else []
    words += [f"oif {rule.outgoing}"] if rule.outgoing else []
    words += [f"fwmark {rule.mark:#x}/{rule.mask:#x}"] if rule.mark is not None else []
    return " ".join([*words, rule.action])


@propose.register
def no_source(ending: NoSource, case: Case) -> Iterator[Proposal]:
    """There is no address to send from: that IP version is off."""
    here, to = ending.namespace, ending.destination
    names = [f"ipv6/conf/{name}/disable_ipv6" for name in ("all", *(link.name for link in here.links))]
    off = [name for name in names if here.sysctls.get(name) == "1"] if to.version == 6 else []
    other = [a for a in _addresses(case) if a.version != to.version]
    yield Proposal(
        Cause.NO_ROUTE,
        f"{here.label} has no IPv{to.version} address to send from, so nothing leads to {to}.",
        tuple(
            Row("sysctl", here.label, f"net.{name.replace('/', '.')} = 1", SetSysctl(here.key, name, "0"))
            for name in off[:1]
        ),
        tuple(
            Remedy(
                f"Call it by its IPv{address.version} address", target=replace(case.attempt.target, host=str(address))
            )
            for address in other
        ),
    )


def _addresses(case: Case) -> Iterator[Address]:
    """Other addresses of whoever has the one that was called."""
    called = case.prediction.address
    for namespace in case.evidence.namespaces.values():
        own = [row.address.ip for row in namespace.addresses if not row.address.ip.is_link_local]
        if called in own:
            yield from own


def unicast(here: Namespace, to: Address) -> list[Route]:
    """The routes of an IP version that lead somewhere, of the main table."""
    return [
        r
        for r in here.routes
        if r.kind is RouteKind.UNICAST and r.table == MAIN_TABLE and r.destination.version == to.version
    ]


def routes_rows(here: Namespace, to: Address) -> tuple[Row, ...]:
    """The routes of a namespace for an IP version; that there are none, where there are none."""
    found = []
    for route in unicast(here, to)[:8]:
        link = link_of(here, route.link)
        via = f" via {route.gateway}" if route.gateway else ""
        found.append(Row("route", here.label, f"{route.destination}{via} dev {link.name if link else '?'}"))
    return tuple(found) or (Row("route", here.label, "no route at all"),)


def subnets(network: Network) -> str:
    """The subnets of a network, in a list."""
    return ", ".join(map(str, network.subnets))
