"""Interfaces that netavark makes and removes: a network's bridge, and the veth pair of a container on it. Pure."""

from __future__ import annotations

import ipaddress
import zlib
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from testbed.change.segments import with_address
from testbed.evidence import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Attachment,
    InterfaceAddress,
    Link,
    LinkAddress,
    Namespace,
    Network,
    Peer,
    Route,
    RouteKind,
    Subnet,
)
from testbed.model import Address

#: What netavark gives its default routes, unless the network says otherwise (netavark, src/network/constants.rs).
_METRIC: Final = 100
_MTU: Final = 1500
_LINK_LOCAL: Final = ipaddress.ip_network("fe80::/64")
_MULTICAST: Final = ipaddress.ip_network("ff00::/8")
#: The metric of the routes that the kernel makes for IPv6 (net/ipv6/route.c, IP6_RT_PRIO_ADDRCONF).
_KERNEL_METRIC: Final = 256
_FORWARDING: Final = "forwarding"
#: From this netavark on (1.11, with Podman 5.1) the reverse path filter of a bridge is loose.
_LOOSE: Final = (5, 1)


def bridge_of(here: Namespace, network: Network) -> Link | None:
    """The bridge of a network; None where it is not there."""
    return next((link for link in here.links if link.name == network.bridge and link.kind == "bridge"), None)


def ports_of(here: Namespace, bridge: Link) -> tuple[Link, ...]:
    """The interfaces that are ports of a bridge."""
    return tuple(link for link in here.links if link.master == bridge.index)


def with_bridge(here: Namespace, network: Network, *, published: bool, podman: tuple[int, ...]) -> Namespace:
    """A namespace with the bridge of a network: one that is there is taken as it is (src/network/bridge.rs).

    :param published: whether the container that it is for has published ports
    :param podman: its version; empty where it is not known
    """
    here = _forwarding(here, network)
    if bridge_of(here, network) is None:
        index = _next_index(here)
        mac = _mac(f"{here.key} {network.name}")
        bridge = Link(index, network.bridge, "bridge", mac, _mtu(network), up=True, carrier=True)
        here = replace(here, links=(*here.links, bridge), sysctls=_new_sysctls(here, network, podman))
        for subnet in network.subnets:
            gateway = next((one for one in network.gateways if one in subnet), None)
            if gateway is not None:
                here = with_address(here, bridge, _interface(gateway, subnet))
        here = _with_link_local(here, bridge)
    if not published:
        return here
    name = f"ipv4/conf/{network.bridge}/route_localnet"
    return replace(here, sysctls=MappingProxyType({**here.sysctls, name: "1"}))


def with_pair(
    outside: Namespace, inside: Namespace, network: Network, attachment: Attachment
) -> tuple[Namespace, Namespace]:
    """Two namespaces with a veth pair between them: a port of a network's bridge, and a container's interface.

    :param outside: the one that has the bridge
    :param inside: the container's; its interface is the first ethN that is free
    """
    bridge = bridge_of(outside, network)
    assert bridge is not None
    near, far = _next_index(outside), _next_index(inside)
    mac = attachment.mac or _mac(f"{inside.key} {network.name}")
    mtu = _mtu(network)
    port = Link(
        near,
        _free(outside, "veth"),
        "veth",
        _mac(f"{inside.key} {network.name} port"),
        mtu,
        up=True,
        carrier=True,
        master=bridge.index,
        peer=Peer(inside.key, far),
    )
    own = Link(far, _free(inside, "eth"), "veth", mac, mtu, up=True, carrier=True, peer=Peer(outside.key, near))
    outside = _with_link_local(replace(outside, links=(*outside.links, port), sysctls=_defaults(outside, port)), port)
    outside = _lit(outside, bridge)
    inside = replace(inside, links=(*inside.links, own), sysctls=_defaults(inside, own))
    for subnet in network.subnets:
        address = next((one for one in attachment.addresses if one in subnet), None)
        if address is None:
            continue
        inside = with_address(inside, own, _interface(address, subnet))
        gateway = next((one for one in attachment.gateways if one in subnet), None)
        if gateway is not None and not network.internal:
            inside = _with_default(inside, own, gateway)
    return outside, _with_link_local(inside, own)


def without_pair(
    outside: Namespace, inside: Namespace | None, network: Network, attachment: Attachment
) -> tuple[Namespace, Namespace | None]:
    """Two namespaces without the veth pair of a container on a network; deleting one end removes the other.

    :param inside: the container's; None where it is not in the picture
    """
    own = interface_of(outside, inside, network, attachment)
    if inside is None or own is None:
        return outside, inside
    if own.peer is not None and own.peer.namespace == outside.key:
        outside = without_link(outside, own.peer.index)
    return outside, without_link(inside, own.index)


def interface_of(outside: Namespace, inside: Namespace | None, network: Network, attachment: Attachment) -> Link | None:
    """The interface of a container that is on a network: by its address, else by the bridge that its peer is on."""
    if inside is None:
        return None
    with_it = {row.link for row in inside.addresses if row.address.ip in attachment.addresses}
    bridge = bridge_of(outside, network)
    ports = {port.index for port in ports_of(outside, bridge)} if bridge is not None else set()
    for link in inside.links:
        if link.index in with_it:
            return link
    for link in inside.links:
        if link.peer is not None and link.peer.namespace == outside.key and link.peer.index in ports:
            return link
    return None


def without_link(here: Namespace, index: int) -> Namespace:
    """A namespace without an interface, and all that the kernel removes with it."""
    return replace(
        here,
        links=tuple(link for link in here.links if link.index != index),
        addresses=tuple(row for row in here.addresses if row.link != index),
        routes=tuple(row for row in here.routes if row.link != index),
        neighbours=tuple(row for row in here.neighbours if row.link != index),
        fdb=tuple(row for row in here.fdb if row.link != index),
    )


def _lit(here: Namespace, bridge: Link) -> Namespace:
    """A namespace whose bridge has a carrier, which it has as long as one of its ports has (net/bridge/br_if.c)."""
    links = tuple(replace(link, carrier=True) if link.index == bridge.index else link for link in here.links)
    return replace(here, links=links)


def _with_default(here: Namespace, link: Link, gateway: Address) -> Namespace:
    """A namespace with one more default route, which for IPv4 goes before others of its metric (fib_table_insert)."""
    everything = ipaddress.ip_network("0.0.0.0/0" if gateway.version == 4 else "::/0")
    route = Route(MAIN_TABLE, RouteKind.UNICAST, everything, link.index, gateway=gateway, metric=_METRIC)
    routes = list(here.routes)
    alike = [i for i, one in enumerate(routes) if (one.destination, one.metric) == (everything, _METRIC)]
    routes.insert(alike[0] if alike and gateway.version == 4 else len(routes), route)
    return replace(here, routes=tuple(routes))


def _with_link_local(here: Namespace, link: Link) -> Namespace:
    """A namespace with the IPv6 link-local address of an interface that came up (RFC 4862, 5.3; RFC 4291, app. A)."""
    if here.sysctls.get(f"ipv6/conf/{link.name}/disable_ipv6", "0") == "1":
        return here
    octets = bytes.fromhex(link.mac.replace(":", ""))
    eui = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    own = ipaddress.ip_address(_LINK_LOCAL.network_address.packed[:8] + eui)
    return replace(
        here,
        addresses=(*here.addresses, LinkAddress(link.index, ipaddress.ip_interface(f"{own}/64"), "link")),
        routes=(
            *here.routes,
            Route(LOCAL_TABLE, RouteKind.LOCAL, ipaddress.ip_network(own), link.index),
            Route(MAIN_TABLE, RouteKind.UNICAST, _LINK_LOCAL, link.index, metric=_KERNEL_METRIC),
            Route(LOCAL_TABLE, RouteKind.MULTICAST, _MULTICAST, link.index, metric=_KERNEL_METRIC),
        ),
    )


def _forwarding(here: Namespace, network: Network) -> Namespace:
    """A namespace that forwards, as netavark sets it for each network that is not internal (src/network/bridge.rs)."""
    if network.internal:
        return here
    values = dict(here.sysctls)
    if values.get("ipv4/ip_forward") != "1":
        values |= {f"ipv4/conf/{link.name}/{_FORWARDING}": "1" for link in here.links}
        values |= {f"ipv4/conf/{name}/{_FORWARDING}": "1" for name in ("all", "default")} | {"ipv4/ip_forward": "1"}
    if network.ipv6 and values.get("ipv6/conf/all/forwarding") != "1":
        values |= {f"ipv6/conf/{link.name}/{_FORWARDING}": "1" for link in here.links}
        values |= {f"ipv6/conf/{name}/{_FORWARDING}": "1" for name in ("all", "default")}
    return replace(here, sysctls=MappingProxyType(values))


def _new_sysctls(here: Namespace, network: Network, podman: tuple[int, ...]) -> MappingProxyType[str, str]:
    values = dict(_defaults_of(here, network.bridge))
    if network.internal:
        values[f"ipv4/conf/{network.bridge}/{_FORWARDING}"] = "0"
    if podman >= _LOOSE:
        values[f"ipv4/conf/{network.bridge}/rp_filter"] = "2"
    return MappingProxyType({**here.sysctls, **values})


def _defaults(here: Namespace, link: Link) -> MappingProxyType[str, str]:
    return MappingProxyType({**here.sysctls, **_defaults_of(here, link.name)})


def _defaults_of(here: Namespace, name: str) -> dict[str, str]:
    """The parameters that a new interface begins with: those of ``default`` (ip-sysctl)."""
    found = {}
    for path, value in here.sysctls.items():
        head, _, tail = path.partition("/default/")
        if tail:
            found[f"{head}/{name}/{tail}"] = value
    return found


def _next_index(here: Namespace) -> int:
    return max((link.index for link in here.links), default=0) + 1


def _free(here: Namespace, stem: str) -> str:
    names = {link.name for link in here.links}
    return next(name for number in range(len(names) + 1) if (name := f"{stem}{number}") not in names)


def _mtu(network: Network) -> int:
    text = network.options.get("mtu", "")
    return int(text) if text.isdecimal() and int(text) else _MTU


def _interface(address: Address, subnet: Subnet) -> InterfaceAddress:
    return ipaddress.ip_interface(f"{address}/{subnet.prefixlen}")


def _mac(whose: str) -> str:
    """A locally administered unicast address (IEEE 802, 8.4), another one for each interface."""
    return f"02:{zlib.crc32(whose.encode()).to_bytes(4, 'big').hex(':')}:01"
