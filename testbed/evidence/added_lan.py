"""The segment of an uplink with stations added to it: a switch between, a router, and whoever is joined to these. Pure.

What is added has no firewall and hands everything on, so that what a prediction says is decided by what was really
seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.evidence.declared import mac, veth
from testbed.evidence.kernel import (
    LOCAL_TABLE,
    MAIN_TABLE,
    InterfaceAddress,
    Link,
    LinkAddress,
    Namespace,
    Peer,
    Route,
    RouteKind,
    Subnet,
)
from testbed.evidence.picture import Evidence
from testbed.evidence.uplinks import Uplink
from testbed.model import Address

#: Routes shorter than this one are default routes: VPNs write two or more in the place of one.
SHORTEST: Final = 8
#: How many addresses of a subnet are looked at for a free one.
_MOST_TRIES: Final = 1024
LOOPBACKS: Final[tuple[InterfaceAddress, ...]] = (
    ipaddress.ip_interface("127.0.0.1/8"),
    ipaddress.ip_interface("::1/128"),
)


class Lan:
    """The segment of an uplink, with a switch in it. Not a value: what is joined to it is noted as it comes."""

    def __init__(self, evidence: Evidence, here: Namespace, uplink: Uplink) -> None:
        self.evidence = evidence
        self.here = here
        self.uplink = uplink
        self.router: Namespace | None = None
        self.networks = tuple(
            network
            for network in dict.fromkeys(self._connected())
            if network.prefixlen < network.max_prefixlen and not network.is_link_local
        )
        key = unused_key(evidence, f"{here.key}/switch:{uplink.cable.name}")
        cable = uplink.cable
        bridge = Link(1, "br0", "bridge", mac(key, 1), cable.mtu, up=True, carrier=True)
        near = veth(key, 2, "host", Peer(here.key, cable.index), 1)
        # Whoever was on the segment is still there: in the picture, or where it does not show.
        rest = Link(3, "rest", cable.kind, mac(key, 3), cable.mtu, up=True, carrier=True, master=1, peer=cable.peer)
        self.switch = Namespace(key, f"the LAN of {uplink.link.name}", links=(bridge, near, rest))
        joined = replace(cable, kind="veth", peer=Peer(key, 2))
        self.namespaces = dict(evidence.namespaces)
        self.namespaces[here.key] = replace(
            here, links=tuple(joined if link.index == cable.index else link for link in here.links)
        )
        peer = cable.peer
        there = self.namespaces.get(peer.namespace) if peer and peer.namespace else None
        if there is not None and peer is not None:
            self.namespaces[there.key] = replace(
                there,
                links=tuple(replace(x, peer=Peer(key, 3)) if x.index == peer.index else x for x in there.links),
            )

    def _connected(self) -> Iterator[Subnet]:
        yield from (address.network for address in self.uplink.addresses)
        for route in self.here.routes:
            near = route.link == self.uplink.link.index and route.kind is RouteKind.UNICAST and route.gateway is None
            if near and route.table == MAIN_TABLE and route.destination.prefixlen >= SHORTEST:
                yield route.destination

    def free(self, network: Subnet) -> InterfaceAddress | None:
        """An address of a subnet that nobody has, from its end on; None where there is none to be found."""
        used = {row.address.ip for one in self.namespaces.values() for row in one.addresses}
        used |= {neighbour.address for neighbour in self.here.neighbours}
        used |= {route.gateway for route in self.here.routes if route.gateway is not None}
        last = 1 if network.version == 6 or network.prefixlen >= network.max_prefixlen - 1 else 2
        for number in range(last, min(network.num_addresses, _MOST_TRIES)):
            address = network[-number]
            if address not in used and address != network.network_address:
                return ipaddress.ip_interface(f"{address}/{network.prefixlen}")
        return None

    def port(self, key: str, index: int) -> Peer:
        """A port of the switch for an interface; returned is what that one's other end is."""
        number = len(self.switch.links) + 1
        port = veth(self.switch.key, number, f"port{number}", Peer(key, index), 1)
        self.switch = replace(self.switch, links=(*self.switch.links, port))
        return Peer(self.switch.key, number)

    def with_router(self, routes: tuple[Route, ...]) -> Lan:
        """Give some default routes their router, where they have a gateway: the picture's, or an added one."""
        gateways = tuple(route.gateway for route in routes if route.gateway is not None)
        if not gateways:
            return self
        self.router = next(
            (
                one
                for one in self.namespaces.values()
                if one.key != self.here.key and any(row.address.ip in gateways for row in one.addresses)
            ),
            None,
        )
        if self.router is None:
            self._add_router(gateways)
        return self

    def _add_router(self, gateways: tuple[Address, ...]) -> None:
        key = f"{self.here.key}/router"
        own = tuple(ipaddress.ip_interface(f"{each}/{self._length(each)}") for each in gateways)
        known = (n.mac for n in self.here.neighbours if n.link == self.uplink.link.index and n.address in gateways)
        made = station(key, f"the router {gateways[0]}", self.port(key, 2), own, (), hardware=next(known, None))
        # Beyond it is the world, which the picture does not show.
        world = Link(3, "world", "", mac(key, 3), 1500, up=True, carrier=True)
        on_lan = tuple(Route(MAIN_TABLE, RouteKind.UNICAST, each.network, 2) for each in self.uplink.addresses)
        default = tuple(Route(MAIN_TABLE, RouteKind.UNICAST, everything(version), 3) for version in (4, 6))
        links = (*made.links, world)
        forwarding = {f"ipv4/conf/{link.name}/forwarding": "1" for link in links}
        self.router = replace(
            made,
            links=links,
            routes=(*made.routes, *on_lan, *default),
            sysctls={**forwarding, "ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"},
        )
        self.namespaces[key] = self.router

    def _length(self, gateway: Address) -> int:
        """The length of the prefix that a gateway's address has on the LAN."""
        if gateway.is_link_local:
            return 64
        fitting = (network.prefixlen for network in self.networks if gateway in network)
        return next(fitting, gateway.max_prefixlen)

    def join_router(self, key: str, index: int, addresses: tuple[InterfaceAddress, ...]) -> Peer:
        """An interface of the router for a host behind it; returned is what that one's other end is."""
        router = self.router
        assert router is not None, "there is a gateway"
        number = max(link.index for link in router.links) + 1
        link = veth(router.key, number, "outside0", Peer(key, index))
        rows, routes = _addressed(number, addresses)
        name = f"ipv4/conf/{link.name}/forwarding"
        self.router = replace(
            router,
            links=(*router.links, link),
            addresses=(*router.addresses, *rows),
            routes=(*router.routes, *routes),
            sysctls={**router.sysctls, name: router.sysctls.get("ipv4/ip_forward", "0")},
        )
        self.namespaces[router.key] = self.router
        return Peer(router.key, number)


def station(
    key: str,
    label: str,
    peer: Peer,
    addresses: tuple[InterfaceAddress, ...],
    gateways: tuple[Address, ...],
    *,
    hardware: str | None = None,
    on_link: bool = False,
) -> Namespace:
    """A namespace with one interface beside loopback.

    :param gateways: of its default routes
    :param hardware: the hardware address of its interface, where that is known
    :param on_link: whether it takes everybody for a neighbour instead
    """
    link = veth(key, 2, "eth0", peer)
    if hardware is not None:
        link = replace(link, mac=hardware)
    loopback = Link(1, "lo", "loopback", "00:00:00:00:00:00", 65536, up=True, carrier=True)
    own, routes = _addressed(1, LOOPBACKS, scope="host")
    near, connected = _addressed(2, (*addresses, *_link_locals(link.mac, addresses)))
    defaults = [
        Route(MAIN_TABLE, RouteKind.UNICAST, everything(gateway.version), 2, gateway=gateway)
        for gateway in gateways
        if any(address.version == gateway.version for address in addresses)
    ]
    if on_link:
        defaults = [Route(MAIN_TABLE, RouteKind.UNICAST, everything(each.version), 2) for each in addresses]
    return Namespace(
        key,
        label,
        links=(loopback, link),
        addresses=(*own, *near),
        routes=(*routes, *connected, *defaults),
    )


def _link_locals(hardware: str, addresses: tuple[InterfaceAddress, ...]) -> tuple[InterfaceAddress, ...]:
    """The link-local address of an interface with IPv6 (RFC 4291, appendix A), where it has no other."""
    six = [address for address in addresses if address.version == 6]
    if not six or any(address.ip.is_link_local for address in six):
        return ()
    octets = bytes.fromhex(hardware.replace(":", ""))
    suffix = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return (ipaddress.IPv6Interface((ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + suffix), 64)),)


def _addressed(
    link: int, addresses: tuple[InterfaceAddress, ...], *, scope: str = "global"
) -> tuple[tuple[LinkAddress, ...], tuple[Route, ...]]:
    """The rows of some addresses of an interface, and the routes that the kernel adds for them."""
    rows, routes = [], []
    for address in addresses:
        rows.append(LinkAddress(link, address, "link" if address.ip.is_link_local else scope))
        source = address.ip if address.version == 4 else None
        reach = address.network if scope == "host" else ipaddress.ip_network(address.ip)
        routes.append(Route(LOCAL_TABLE, RouteKind.LOCAL, reach, link, source=source))
        if scope != "host" and address.network.prefixlen < address.max_prefixlen:
            routes.append(Route(MAIN_TABLE, RouteKind.UNICAST, address.network, link, source=source))
    return tuple(rows), tuple(routes)


def unused_key(evidence: Evidence, key: str) -> str:
    """A key for a namespace that is added: the one that is given, or a longer one where the picture has that."""
    while key in evidence.namespaces:
        key += "+"
    return key


def everything(version: int) -> Subnet:
    """The destination of a default route."""
    return ipaddress.ip_network("0.0.0.0/0" if version == 4 else "::/0")
