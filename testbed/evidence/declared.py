"""A picture made from a description instead of from a machine: what the kernels of such hosts would show. Pure."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from testbed.evidence.firewall import Ruleset
from testbed.evidence.kernel import (
    LOCAL_TABLE,
    MAIN_TABLE,
    InterfaceAddress,
    Link,
    LinkAddress,
    Listener,
    Namespace,
    Peer,
    Route,
    RouteKind,
)
from testbed.evidence.picture import Evidence
from testbed.evidence.podman import Container, HostFacts, Network
from testbed.model import Address

_LOOPBACK: Final = 1
_LOOPBACKS: Final[tuple[InterfaceAddress, ...]] = (
    ipaddress.ip_interface("127.0.0.1/8"),
    ipaddress.ip_interface("::1/128"),
)


@dataclass(frozen=True, slots=True)
class Seat:
    """An interface of a stack, and the segment that it is on.

    A segment with a bridge connects all its seats; without one it is a cable between two. One alone has nobody.
    """

    segment: str
    address: InterfaceAddress
    bridge: bool = False
    """Whether this interface is the segment's bridge, as podman0 is on its host."""
    name: str = ""
    """The interface's name; the segment's by default."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A network namespace to be: its seats beside loopback, its default route, its listeners."""

    name: str
    seats: tuple[Seat, ...] = ()
    gateway: Address | None = None
    forwards: bool = False
    listeners: tuple[Listener, ...] = ()
    firewall: Ruleset = field(default_factory=Ruleset)
    sysctls: Mapping[str, str] = field(default_factory=dict)


def picture(
    stacks: Sequence[Stack],
    hosts: Iterable[HostFacts],
    containers: Iterable[Container] = (),
    networks: Iterable[Network] = (),
) -> Evidence:
    """A picture of these stacks; the key of a stack's namespace is its name."""
    links: dict[str, list[Link]] = {stack.name: [_loopback()] for stack in stacks}
    seated: dict[str, list[tuple[int, InterfaceAddress]]] = {
        stack.name: [(_LOOPBACK, address) for address in _LOOPBACKS] for stack in stacks
    }
    by_segment: dict[str, list[tuple[str, Seat]]] = {}
    for stack in stacks:
        for seat in stack.seats:
            by_segment.setdefault(seat.segment, []).append((stack.name, seat))
    for members in by_segment.values():
        _join(members, links, seated)
    return Evidence(
        taken="declared",
        hosts=tuple(hosts),
        containers=tuple(containers),
        networks=tuple(networks),
        namespaces={stack.name: _namespace(stack, tuple(links[stack.name]), seated[stack.name]) for stack in stacks},
    )


def _join(
    members: list[tuple[str, Seat]],
    links: dict[str, list[Link]],
    seated: dict[str, list[tuple[int, InterfaceAddress]]],
) -> None:
    """Make the interfaces of one segment."""
    bridge = next((member for member in members if member[1].bridge), None)
    others = [member for member in members if member is not bridge]
    if bridge is None and len(others) == 2:
        (one, seat), (other, other_seat) = others
        index, peer = len(links[one]) + 1, len(links[other]) + 1
        links[one].append(veth(one, index, seat.name or seat.segment, Peer(other, peer)))
        links[other].append(veth(other, peer, other_seat.name or other_seat.segment, Peer(one, index)))
        seated[one].append((index, seat.address))
        seated[other].append((peer, other_seat.address))
        return
    if bridge is None:
        for name, seat in others:  # a bridge without ports: up, and nobody there
            _make_bridge(name, seat, links, seated)
        return
    host, seat = bridge
    master = _make_bridge(host, seat, links, seated)
    for name, other_seat in others:
        port, inside = len(links[host]) + 1, len(links[name]) + 1
        links[host].append(veth(host, port, f"veth{port}", Peer(name, inside), master))
        links[name].append(veth(name, inside, other_seat.name or "eth0", Peer(host, port)))
        seated[name].append((inside, other_seat.address))


def _make_bridge(
    host: str, seat: Seat, links: dict[str, list[Link]], seated: dict[str, list[tuple[int, InterfaceAddress]]]
) -> int:
    index = len(links[host]) + 1
    links[host].append(Link(index, seat.name or seat.segment, "bridge", mac(host, index), 1500, up=True, carrier=True))
    seated[host].append((index, seat.address))
    return index


def veth(owner: str, index: int, name: str, peer: Peer, master: int | None = None) -> Link:
    """An end of a veth pair.

    :param owner: the key of its namespace
    :param master: the index of the bridge that it is a port of
    """
    return Link(index, name, "veth", mac(owner, index), 1500, up=True, carrier=True, master=master, peer=peer)


def _loopback() -> Link:
    return Link(_LOOPBACK, "lo", "loopback", "00:00:00:00:00:00", 65536, up=True, carrier=True)


def mac(owner: str, index: int) -> str:
    """A locally administered unicast address (IEEE 802, 8.4), another one for each interface."""
    return f"02:{zlib.crc32(f'{owner} {index}'.encode()).to_bytes(4, 'big').hex(':')}:00"


def _namespace(stack: Stack, links: tuple[Link, ...], seated: list[tuple[int, InterfaceAddress]]) -> Namespace:
    routes = [
        Route(LOCAL_TABLE, RouteKind.LOCAL, ipaddress.ip_network("127.0.0.0/8"), _LOOPBACK, source=_LOOPBACKS[0].ip)
    ]
    for link, address in seated:
        own = ipaddress.ip_network(address.ip)
        source = address.ip if address.version == 4 else None
        routes.append(Route(LOCAL_TABLE, RouteKind.LOCAL, own, link, source=source))
        if link != _LOOPBACK:
            routes.append(Route(MAIN_TABLE, RouteKind.UNICAST, address.network, link, source=source))
            if stack.gateway is not None and stack.gateway in address.network:
                everything = ipaddress.ip_network("0.0.0.0/0" if stack.gateway.version == 4 else "::/0")
                routes.append(Route(MAIN_TABLE, RouteKind.UNICAST, everything, link, gateway=stack.gateway))
    forwarding = {f"ipv4/conf/{link.name}/forwarding": str(int(stack.forwards)) for link in links}
    return Namespace(
        key=stack.name,
        label=stack.name,
        links=links,
        addresses=tuple(
            LinkAddress(link, address, "host" if link == _LOOPBACK else "global") for link, address in seated
        ),
        routes=tuple(routes),
        listeners=stack.listeners,
        firewall=stack.firewall,
        sysctls={**forwarding, "ipv6/conf/all/forwarding": str(int(stack.forwards)), **stack.sysctls},
    )
