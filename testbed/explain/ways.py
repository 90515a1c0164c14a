"""Causes on the way itself, whatever it ends in: a decision that leads astray, found by undoing it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from testbed.change.firewall import ChainName, RemoveRule
from testbed.change.naming import NewWithoutHostsLine, RemoveHostsLine
from testbed.change.routing import AddRoute, RemoveRoute
from testbed.evidence import LOCAL_TABLE, MAIN_TABLE, Act, Container, Namespace, Route, RouteKind
from testbed.explain.case import Case, at
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import route_row, rule_row
from testbed.model import Address
from testbed.predict.packet import Packet
from testbed.predict.steps import Forwarding, NameLookup, RouteLookup, Translation


def proposals(case: Case) -> Iterator[Proposal]:
    """Undo each translation, route and line of the hosts file that the attempt met."""
    for step in case.prediction.steps:
        if isinstance(step, Translation):
            yield from _translated(case, step)
        elif isinstance(step, RouteLookup | Forwarding) and step.chosen.route is not None:
            to = step.destination if isinstance(step, RouteLookup) else None
            yield from _routed(case, step.namespace, step.chosen.route, to, back=step.back)
        elif isinstance(step, NameLookup) and step.resolver is None:
            yield from _named(case, step)


def _translated(case: Case, step: Translation) -> Iterator[Proposal]:
    """A rule that rewrites the packet, and is not the only one for it."""
    by = step.by
    if by is None or by.rule is None:
        return
    here, before, after = step.namespace, step.before, step.after
    if any(action.act in (Act.MASQUERADE, Act.SNAT) for action in by.rule.actions):
        return
    if _is_published(case, before.destination_port, after):
        return
    to = at(after.destination, after.destination_port or 0)
    yield Proposal(
        Cause.STALE_TRANSLATION,
        f"A rule of {here.label} rewrites what is for {at(before.destination, before.destination_port or 0)} to "
        f"{to}, which {_whose(case, after.destination)}, before any other rule is asked: {by.rule.text}.",
        (rule_row(here, by),),
        (Remedy("Take that rule out", changes=(RemoveRule(here.key, ChainName.of(by.chain), by.rule),)),),
        ("podman ps shows what is published, and not what the rules of the kernel do.",),
    )


def _whose(case: Case, address: Address) -> str:
    """Say who has an address, as it goes on after "which"."""
    names = [container.name for container in _having(case, address)]
    names += [
        n.label for n in case.evidence.namespaces.values() if any(address == row.address.ip for row in n.addresses)
    ]
    return f"is {names[0]}'s" if names else "nobody has now"


def _is_published(case: Case, port: int | None, after: Packet) -> bool:
    """Tell if a translation is that of a port which a container publishes, to where it is now."""
    return any(
        published.host_port == port and published.container_port == after.destination_port
        for container in _having(case, after.destination)
        for published in container.published
    )


def _having(case: Case, address: object) -> Iterator[Container]:
    for container in case.evidence.containers:
        if container.state == "running" and any(address in on.addresses for on in container.attachments):
            yield container


def _by_the_main_table(case: Case, here: Namespace, route: Route, to: Address | None) -> Iterator[Proposal]:
    """A policy rule leads to another table than the main one, as a VPN's does, which has a way there too."""
    goal = to or (case.walked.destination if case.walked else None)
    if goal is None:
        return
    link = next((link.name for link in here.links if link.index == route.link), "?")
    remedies = [
        Remedy(
            f"Give {here.label} a route for it by {other.gateway}, as its main table has (run on {case.machine(here)})",
            changes=(
                AddRoute(here.key, Route(MAIN_TABLE, RouteKind.UNICAST, ip_network(goal), other.link, other.gateway)),
            ),
        )
        for other in here.routes
        if other.table == MAIN_TABLE and other.gateway is not None and goal in other.destination
    ]
    yield Proposal(
        Cause.ROUTE_ASTRAY,
        f"{here.label} sends what is for {goal} by {link}: a policy rule leads to its table {route.table}, whose route "
        f"{route.destination} covers it, before the main table, which has another way.",
        (route_row(here, route, f"{route.destination} dev {link} table {route.table}"),),
        tuple(remedies),
    )


def _routed(case: Case, here: Namespace, route: Route, to: Address | None, *, back: bool) -> Iterator[Proposal]:
    """A route that is more specific than another one, which leads there."""
    if route.table not in (LOCAL_TABLE, MAIN_TABLE):
        yield from _by_the_main_table(case, here, route, to)
    if route.table == LOCAL_TABLE or not route.destination.prefixlen or _is_a_subnet_of(here, route):
        return
    link = next((link.name for link in here.links if link.index == route.link), "?")
    via = f" via {route.gateway}" if route.gateway else ""
    text = f"{route.destination}{via} dev {link}"
    what = "the answer" if back else "the packet"
    yield Proposal(
        Cause.ROUTE_ASTRAY,
        f"{here.label} sends {what} by its route {text}, where it is lost; without that route it would take another "
        "one, which leads there.",
        (route_row(here, route, text),),
        (
            Remedy(
                f"Take that route out, if it is not meant (run on {case.machine(here)})",
                changes=(RemoveRoute(here.key, route),),
            ),
        ),
    )


def _is_a_subnet_of(here: Namespace, route: Route) -> bool:
    """Tell if a route is the one that the kernel made for an address of its interface."""
    return route.gateway is None and any(
        row.link == route.link and row.address.network == route.destination for row in here.addresses
    )


def _named(case: Case, step: NameLookup) -> Iterator[Proposal]:
    """A line of the hosts file with an address that was another one's, and a resolver that knows better."""
    place, host = case.place, step.host
    changes = tuple(
        NewWithoutHostsLine(place.host.key, place.container.id, host, address)
        if place.container
        else RemoveHostsLine(place.host.key, host, address)
        for address in step.addresses
    )
    addresses = " and ".join(map(str, step.addresses))
    yield Proposal(
        Cause.STALE_HOSTS_LINE,
        f"The hosts file of {place.name} says that {host} is {addresses}, and its resolver, which is not asked then, "
        "has another address.",
        tuple(
            Row("hosts", place.name, f"{address} {host}", change)
            for address, change in zip(step.addresses, changes, strict=True)
        ),
        (
            Remedy(
                f"Take the name out of the hosts file of {place.name}",
                f"podman run ... (a new container, without --add-host {host})"
                if place.container
                else f"sed -i '/\\b{host}\\b/d' /etc/hosts",
                changes,
            ),
        ),
    )
