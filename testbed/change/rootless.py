"""Changes of the programs that connect rootless containers: what they let through, and by which addresses. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network

from testbed.change.change import ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange
from testbed.change.edit import container_of, edited, with_link
from testbed.change.segments import with_address
from testbed.evidence import MAIN_TABLE, Evidence, Link, Namespace, PastaNames, Route, RouteKind
from testbed.evidence.programs import SLIRP, is_pasta
from testbed.model import Address


@dataclass(frozen=True, slots=True)
class OpenHostLoopback(ContainerChange):
    """A container is made anew whose slirp4netns reaches the host's loopback (podman-run(1), allow_host_loopback)."""

    effort = 4


@dataclass(frozen=True, slots=True)
class MapGuestAddress(ContainerChange):
    """A container is made anew whose pasta takes an address for the host's own (pasta(1), --map-guest-addr)."""

    effort = 4

    address: Address


@dataclass(frozen=True, slots=True)
class SlirpSubnet(ContainerChange):
    """A container is made anew whose slirp4netns has another subnet (slirp4netns(1), --cidr)."""

    effort = 4

    subnet: IPv4Network


@apply.register
def _resubnet(change: SlirpSubnet, evidence: Evidence) -> Evidence:
    """Its host has the second address, and the container the hundredth (slirp4netns(1), --cidr)."""
    container = container_of(evidence, change.host, change.container)
    gateway, own = change.subnet[2], change.subnet[100]

    def moved(here: Namespace) -> Namespace:
        tap = next((link for link in here.links if link.holder == SLIRP), None)
        if tap is None:
            raise ImpossibleChangeError(f"{container.name} is on a bridge, or has another network")
        bare = replace(
            here,
            addresses=tuple(row for row in here.addresses if row.link != tap.index or row.address.version == 6),
            routes=tuple(row for row in here.routes if row.link != tap.index or row.destination.version == 6),
        )
        addressed = with_address(bare, tap, IPv4Interface(f"{own}/{change.subnet.prefixlen}"))
        route = Route(MAIN_TABLE, RouteKind.UNICAST, IPv4Network("0.0.0.0/0"), tap.index, gateway=gateway)
        return replace(addressed, routes=(*addressed.routes, route))

    return edited(evidence, container.namespace or "", moved)


@apply.register
def _open(change: OpenHostLoopback, evidence: Evidence) -> Evidence:
    return _with_tap(evidence, change, lambda name: name == SLIRP, lambda tap: replace(tap, host_loopback=True))


@apply.register
def _map(change: MapGuestAddress, evidence: Evidence) -> Evidence:
    def mapped(tap: Link) -> Link:
        return replace(tap, pasta=replace(tap.pasta or PastaNames(), host=change.address))

    return _with_tap(evidence, change, is_pasta, mapped)


def _with_tap(
    evidence: Evidence, change: ContainerChange, is_held: Callable[[str], bool], edit: Callable[[Link], Link]
) -> Evidence:
    """The picture with the interface changed that a program holds for a container."""
    container = container_of(evidence, change.host, change.container)

    def changed(here: Namespace) -> Namespace:
        tap = next((link for link in here.links if link.holder and is_held(link.holder)), None)
        if tap is None:
            raise ImpossibleChangeError(f"{container.name} is on a bridge, or has another network")
        return with_link(here, edit(tap))

    return edited(evidence, container.namespace or "", changed)
