"""Changes of interfaces, their addresses and their neighbours. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import edited, namespace_of, with_link, with_namespace
from testbed.evidence import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Evidence,
    InterfaceAddress,
    Link,
    LinkAddress,
    Namespace,
    Neighbour,
    Route,
    RouteKind,
)


@dataclass(frozen=True, slots=True)
class LinkChange(Change):
    """A change of one interface; the base of those below."""

    effort = 1

    namespace: str
    """The key of the namespace it is in."""
    link: Link


@dataclass(frozen=True, slots=True)
class SetUp(LinkChange):
    """An interface is set up; what its far end needs for a carrier is left as it is."""


@dataclass(frozen=True, slots=True)
class SetHairpin(LinkChange):
    """A bridge port may get back what came in by it."""


@dataclass(frozen=True, slots=True)
class MakePort(LinkChange):
    """An interface becomes a port of a bridge (ip-link(8), master)."""

    bridge: Link


@dataclass(frozen=True, slots=True)
class EndIsolation(LinkChange):
    """A bridge port may talk to isolated ones too (bridge(8), isolated)."""


@dataclass(frozen=True, slots=True)
class SetMtu(LinkChange):
    """An interface gets another MTU."""

    mtu: int


@dataclass(frozen=True, slots=True)
class ForgetNeighbour(Change):
    """An entry of a neighbour table is removed, so that the kernel asks anew."""

    effort = 1

    namespace: str
    """The key of the namespace whose entry it is."""
    neighbour: Neighbour


@dataclass(frozen=True, slots=True)
class AddAddress(LinkChange):
    """An interface gets one more address."""

    address: InterfaceAddress


@dataclass(frozen=True, slots=True)
class RemoveAddress(Change):
    """An interface loses an address."""

    effort = 1

    namespace: str
    """The key of the namespace whose address it is."""
    address: LinkAddress


@apply.register
def _set_up(change: SetUp, evidence: Evidence) -> Evidence:
    """Its subnets have routes again, what was routed by a gateway has not (net/ipv4/fib_frontend.c, fib_add_ifaddr)."""
    here = namespace_of(evidence, change.namespace)
    link = _present(here, change.link)
    there = evidence.namespaces.get(link.peer.namespace or "") if link.peer else None
    end = next((one for one in there.links if link.peer and one.index == link.peer.index), None) if there else None
    routes = here.routes
    for row in (row for row in here.addresses if row.link == link.index):
        routes += tuple(route for route in routes_of(link, row.address) if route not in routes)
    carrier = end is None or end.up
    here = _carried(with_link(replace(here, routes=routes), replace(link, up=True, carrier=carrier)), link)
    evidence = with_namespace(evidence, here)
    if there is None or end is None:
        return evidence
    return edited(
        evidence, there.key, lambda far: _carried(with_link(far, replace(_present(far, end), carrier=end.up)), end)
    )


def _carried(here: Namespace, port: Link) -> Namespace:
    """A namespace whose bridge has a carrier where a port of it has one (net/bridge/br_if.c, br_port_carrier_check)."""
    bridge = next((one for one in here.links if one.index == port.master), None)
    if bridge is None:
        return here
    carrier = any(one.up and one.carrier for one in here.links if one.master == bridge.index)
    return with_link(here, replace(bridge, carrier=carrier))


@apply.register
def _set_hairpin(change: SetHairpin, evidence: Evidence) -> Evidence:
    key, link = change.namespace, change.link
    return edited(evidence, key, lambda here: with_link(here, replace(_present(here, link), hairpin=True)))


@apply.register
def _make_port(change: MakePort, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        bridge = _present(here, change.bridge)
        port = replace(_present(here, change.link), master=bridge.index)
        return _carried(with_link(here, port), port)

    return edited(evidence, change.namespace, edit)


@apply.register
def _end_isolation(change: EndIsolation, evidence: Evidence) -> Evidence:
    key, link = change.namespace, change.link
    return edited(evidence, key, lambda here: with_link(here, replace(_present(here, link), isolated=False)))


@apply.register
def _set_mtu(change: SetMtu, evidence: Evidence) -> Evidence:
    key, link = change.namespace, change.link
    return edited(evidence, key, lambda here: with_link(here, replace(_present(here, link), mtu=change.mtu)))


@apply.register
def _forget(change: ForgetNeighbour, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        if change.neighbour not in here.neighbours:
            raise ImpossibleChangeError("that neighbour entry is gone")
        return replace(here, neighbours=tuple(one for one in here.neighbours if one != change.neighbour))

    return edited(evidence, change.namespace, edit)


@apply.register
def _add_address(change: AddAddress, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        return with_address(here, _present(here, change.link), change.address)

    return edited(evidence, change.namespace, edit)


@apply.register
def _remove_address(change: RemoveAddress, evidence: Evidence) -> Evidence:
    return edited(evidence, change.namespace, lambda here: without_address(here, change.address))


def _present(here: Namespace, link: Link) -> Link:
    found = next((one for one in here.links if one.index == link.index), None)
    if found is None:
        raise ImpossibleChangeError(f"{here.label} has no interface {link.name} any more")
    return found


def with_address(here: Namespace, link: Link, address: InterfaceAddress) -> Namespace:
    """A namespace with one more address of an interface, and the routes that the kernel makes for it.

    That is one to itself and one to its subnet (net/ipv4/fib_frontend.c, fib_add_ifaddr; net/ipv6/addrconf.c).
    """
    return replace(
        here,
        addresses=(*here.addresses, LinkAddress(link.index, address, "global")),
        routes=(*here.routes, *routes_of(link, address)),
    )


def routes_of(link: Link, address: InterfaceAddress) -> tuple[Route, ...]:
    """The routes that the kernel makes for an address of an interface."""
    own = ipaddress.ip_network(address.ip)
    source = address.ip if address.version == 4 else None
    local = Route(LOCAL_TABLE, RouteKind.LOCAL, own, link.index, source=source)
    if address.network.prefixlen == address.max_prefixlen:
        return (local,)
    return (local, Route(MAIN_TABLE, RouteKind.UNICAST, address.network, link.index, source=source))


def without_address(here: Namespace, row: LinkAddress) -> Namespace:
    """A namespace without an address, and without the routes that came with it.

    :raises ImpossibleChangeError: it does not have it
    """
    if row not in here.addresses:
        raise ImpossibleChangeError(f"{here.label} has no address {row.address.ip} any more")
    own = (ipaddress.ip_network(row.address.ip), row.address.network)
    return replace(
        here,
        addresses=tuple(one for one in here.addresses if one != row),
        routes=tuple(
            one
            for one in here.routes
            if not (one.link == row.link and one.gateway is None and one.destination in own)
            and one.source != row.address.ip
        ),
    )
