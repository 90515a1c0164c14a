"""Causes where nobody on the segment answers for the next hop, or another one is believed to have it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change import ImpossibleChangeError
from testbed.change.networks import RecreateNetwork
from testbed.change.new_networks import free_subnet
from testbed.change.routing import SetSysctl
from testbed.change.segments import ForgetNeighbour
from testbed.evidence import Container, Link, Namespace, Network, Route
from testbed.explain import bridge_ports, bridges, macvlans
from testbed.explain.by_ending import propose
from testbed.explain.case import Case, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.forwarding import silent, sysctl_row
from testbed.explain.links import down_between
from testbed.explain.not_running import not_running
from testbed.explain.routing import subnets, unicast
from testbed.explain.rows import route_row, rows_of_walk
from testbed.model import Address
from testbed.predict.barrier import KeepsSilent, MacvlanParent
from testbed.predict.ending import NoNeighbour, StaleNeighbour
from testbed.predict.routing import choose, link_of, own_addresses, reverse_path_fails, source_for

#: Containers that are offered in the place of an address that nobody has.
_MOST = 2


@propose.register
def nobody_has_it(ending: NoNeighbour, case: Case) -> Iterator[Proposal]:
    """The address, or the gateway to it, is on a segment where nobody answers for it."""
    here, goal, link, to = ending.namespace, ending.destination, ending.link, ending.hop
    network = next(
        (n for n in case.evidence.networks if _has(n, to) and link.name in (n.bridge, *_behind(n, case))), None
    )
    if isinstance(ending.barrier, MacvlanParent):
        yield from macvlans.proposals(ending, ending.barrier, case)
        return
    yield from bridges.proposals(case, to)
    yield from bridge_ports.proposals(ending, case)
    yield from down_between(case, here, link, to)
    for namespace, its_link, sender in _filtered(ending, case):
        yield silent(case, namespace, its_link, sender)
    yield from _not_answering(ending)
    for stopped in _stopped_with(case, to):
        yield not_running(case, stopped)
    if network is not None:
        for host, route, via in _shadowed(case, to, link):
            yield _subnet_shadows(case, to, network, host, route, via)
    on = f"the network {network.name} ({subnets(network)})" if network else f"{link.name} of {here.label}"
    way = "" if to == goal else f", the gateway to {goal},"
    asks = "ARP" if to.version == 4 else "neighbour discovery"
    yield Proposal(
        Cause.NOBODY_HAS_ADDRESS,
        f"{to}{way} would be on {on}, and nobody there has it: the question who does ({asks}) goes unanswered.",
        (Row("link", here.label, f"{link.name}: no neighbour {to}"), *rows_of_walk(case.prediction)),
        tuple(_others(case, network)),
        ("It takes the kernel three seconds to say so: a client with less patience only sees a timeout.",),
        f"another container was meant than one that had {to}",
    )


def _not_answering(ending: NoNeighbour) -> Iterator[Proposal]:
    """The owner is asked, and a parameter of its kernel keeps it from answering (ip-sysctl, arp_ignore)."""
    barrier = ending.barrier
    if not isinstance(barrier, KeepsSilent) or barrier.owner is None:
        return
    there = barrier.owner
    names = [f"ipv4/conf/{one}/arp_ignore" for one in ("all", barrier.link.name)]
    on = tuple(name for name in names if there.sysctls.get(name, "0") != "0")
    changes = tuple(SetSysctl(there.key, name, "0") for name in on)
    if changes:
        settings = " ".join(f"net.{change.name.replace('/', '.')}=0" for change in changes)
        yield Proposal(
            Cause.NOBODY_HAS_ADDRESS,
            f"{ending.hop} is {there.label}'s, which does not answer the question who has it (ARP) by "
            f"{barrier.link.name}: arp_ignore is set there.",
            tuple(sysctl_row(there, name, "0") for name in on),
            (Remedy(f"Let {there.label} answer for all its addresses", f"sysctl -w {settings}", changes),),
        )


def _others(case: Case, network: Network | None) -> Iterator[Remedy]:
    """Calling a container that listens on the port that was called, where its address may be what was meant."""
    if network is None:
        return
    offered = 0
    for container in case.evidence.containers:
        there = case.evidence.namespaces.get(container.namespace or "")
        if (
            there is None
            or network not in case.networks_of(container)
            or not listeners(there, case.port, case.protocol)
        ):
            continue
        for address in (a for on in container.attachments if on.network == network.name for a in on.addresses):
            target = replace(case.attempt.target, host=str(address), port=case.port)
            yield Remedy(f"Call {container.name}, which has {address} now", target=target)
            offered += 1
            if offered >= _MOST:
                return


def _subnet_shadows(case: Case, to: Address, network: Network, host: Namespace, route: Route, via: str) -> Proposal:
    """A network of Podman's has taken a range that the host reaches otherwise."""
    return Proposal(
        Cause.SUBNET_SHADOWS,
        f"{to} is also within {route.destination}, which {host.label} reaches by {via}, but Podman's network "
        f"{network.name} ({subnets(network)}) has taken that range: packets stay on {network.bridge}, where nobody "
        "has that address.",
        (
            Row("network", case.machine(host), f"{network.name} {subnets(network)}"),
            route_row(host, route, f"{route.destination} dev {via}"),
        ),
        tuple(_another_subnet(case, network)),
    )


def _another_subnet(case: Case, network: Network) -> Iterator[Remedy]:
    """Making a network anew, out of the way."""
    try:
        subnet = free_subnet(case.evidence, network.host)
    except ImpossibleChangeError:
        return
    yield Remedy(
        f"Make the network {network.name} anew with another subnet, and its containers with it",
        f"podman network rm {network.name} && podman network create --subnet {subnet} {network.name}",
        (RecreateNetwork(network.host, network.name, subnets=(subnet,)),),
    )


def _stopped_with(case: Case, address: Address) -> Iterator[Container]:
    """Containers that have an address whenever they run: Podman forgets that at its end, a hosts file does not."""
    for container in case.evidence.containers:
        named = container.host == case.place.host.key and address in case.place.names.hosts.lookup(container.name)
        if container.state != "running" and (named or any(address in a.addresses for a in container.attachments)):
            yield container


def _filtered(ending: NoNeighbour, case: Case) -> Iterator[tuple[Namespace, Link, Address]]:
    """Owners of the address that do not answer the question who has it: rp_filter drops that too."""
    here, to = ending.namespace, ending.hop
    source = source_for(here, to, choose(here, to))
    # An answer comes from the address that was called, whatever way it takes.
    senders = own_addresses(here, to.version) if ending.back else (source,)
    for sender in (one for one in senders if one is not None and not one.is_loopback):
        for namespace in case.evidence.namespaces.values():
            for row in namespace.addresses:
                link = link_of(namespace, row.link) if row.address.ip == to else None
                if link is not None and reverse_path_fails(namespace, link, sender):
                    yield namespace, link, sender


def _shadowed(case: Case, to: Address, link: Link) -> Iterator[tuple[Namespace, Route, str]]:
    """Less specific routes of the host, by another interface, that the network's own has taken the place of."""
    for host in case.evidence.hosts:
        namespace = case.evidence.namespaces.get(host.namespace)
        if namespace is None or host.key != case.place.host.key:
            continue
        names = {entry.index: entry.name for entry in namespace.links}
        bridges = {n.bridge for n in case.evidence.networks if n.host == host.key and _has(n, to)}
        for route in unicast(namespace, to):
            via = names.get(route.link or 0, "")
            if to in route.destination and route.destination.prefixlen and via not in bridges and via != link.name:
                yield namespace, route, via


def _behind(network: Network, case: Case) -> tuple[str, ...]:
    """The names that a network's interface may have inside its containers."""
    container = case.place.container
    if container is None or network not in case.networks_of(container):
        return ()
    namespace = case.evidence.namespaces.get(container.namespace or "")
    return tuple(link.name for link in namespace.links if link.name != "lo") if namespace else ()


def _has(network: Network, address: Address) -> bool:
    return any(address in subnet for subnet in network.subnets)


@propose.register
def believes_another(ending: StaleNeighbour, case: Case) -> Iterator[Proposal]:
    """The sender has a MAC address for it in its neighbour table, and nobody on the segment has that one."""
    here, link, known = ending.namespace, ending.link, ending.neighbour
    to = known.address
    owner = _owner(case, to, known.mac)
    now = f"{owner[0]}, which has {to}, is at {owner[1]} now" if owner else f"whoever has {to} is at another one now"
    forget = ForgetNeighbour(here.key, known)
    rows = [Row("neighbour", here.label, f"{to} dev {link.name} lladdr {known.mac} {known.state.upper()}", forget)]
    if owner:
        rows.append(Row("link", owner[0], f"link/ether {owner[1]}"))
    permanent = known.state in ("permanent", "noarp")
    heals = (
        "It stays so until that entry is removed." if permanent else "It asks anew by itself within a minute (arp(7))."
    )
    yield Proposal(
        Cause.STALE_NEIGHBOUR,
        f"{here.label} believes that {to} is at {known.mac}, and nobody has that MAC address any more: {now}. "
        f"{'Its answers reach' if ending.back else 'What it sends reaches'} nobody until it asks anew.",
        tuple(rows),
        (Remedy(f"Have it forget (run on {case.machine(here)})", changes=(forget,)),),
        (heals,)
        if permanent
        else ("It comes after a restart, where an address has another MAC address than before.", heals),
    )


def _owner(case: Case, to: Address, believed: str | None) -> tuple[str, str] | None:
    """The owner of an address, and its MAC address; None where nobody in the picture does."""
    for namespace in case.evidence.namespaces.values():
        links = {link.index: link.mac for link in namespace.links}
        for row in namespace.addresses:
            mac = links.get(row.link, "")
            if row.address.ip == to and mac and mac != believed:
                return namespace.label, mac
    return None
