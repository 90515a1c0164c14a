"""What a lab would need on the machine itself that is taken there already. Judgement is pure; reading is apart."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from pyroute2 import IPRoute

from testbed.host.listeners import listeners, owner
from testbed.namespaces import NetworkNamespace
from testbed.topology import DEFAULT_NETWORK, AttachmentSpec, ContainerSpec, NetworkSpec, Topology
from testbed.topology.checks.networks import subnets
from testbed.topology.interfaces import ends_at

Subnet: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What the scenarios take for granted of Podman's default network (containers.conf(5), default_subnet).
DEFAULT_BRIDGE: Final = "podman0"
DEFAULT_SUBNET: Final[Subnet] = ipaddress.ip_network("10.88.0.0/16")
DEFAULT_GATEWAY: Final = "10.88.0.1"
_LOCAL_TABLE: Final = 255


@dataclass(frozen=True, slots=True)
class Route:
    """A destination that the machine has a route to, other than the default route."""

    subnet: Subnet
    link: str


@dataclass(frozen=True, slots=True)
class KernelState:
    """What the kernel of the machine has taken."""

    links: frozenset[str] = frozenset()
    routes: tuple[Route, ...] = ()
    ports: tuple[tuple[int, str], ...] = ()
    """TCP ports listened on, and who does."""


@dataclass(frozen=True, slots=True)
class PodmanNetwork:
    """A network of the machine's Podman."""

    name: str
    subnets: tuple[Subnet, ...] = ()
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PodmanState:
    """What the machine's Podman has taken."""

    containers: frozenset[str] = frozenset()
    networks: tuple[PodmanNetwork, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    """Addresses of running containers, and whose they are."""
    driver: str = "overlay"
    network_backend: str = "netavark"


def with_kernel(topology: Topology, host: str, ports: Collection[int], state: KernelState) -> Iterator[str]:
    """One sentence for each thing that the kernel has taken already.

    :param host: which host of the topology the machine is to be
    :param ports: TCP ports that the lab will listen on there
    """
    for link in links(topology, host):
        if link in state.links:
            yield f"there is a link {link!r}, and the lab's cable has that name: remove or rename it"
    wanted = [(subnet, f"the lab's cable {link!r}") for link, subnet in _cables(topology, host)]
    wanted += [
        (subnet, f"the lab's network {network.name!r}")
        for network in topology.networks
        if network.host == host
        for subnet in subnets(network)
    ]
    if _uses_default(topology, host):
        wanted.append((DEFAULT_SUBNET, "Podman's default network"))
    for subnet, use in wanted:
        for route in state.routes:
            own = subnet == DEFAULT_SUBNET and route.link == DEFAULT_BRIDGE
            if route.subnet.version == subnet.version and route.subnet.overlaps(subnet) and not own:
                yield f"{route.subnet} is routed through {route.link!r} already, and {use} needs {subnet}"
    for port, holder in state.ports:
        if port in wanted_ports(topology, host, ports):
            yield f"port {port} is listened on by {holder}, and the lab needs it: end that process"


def with_podman(topology: Topology, host: str, state: PodmanState) -> Iterator[str]:
    """One sentence for each thing that Podman has taken already, or does in another way than the lab needs."""
    if state.driver != "overlay":
        yield f"Podman stores with the driver {state.driver!r}, and the testbed's images are for 'overlay'"
    if state.network_backend != "netavark":
        yield f"Podman's network backend is {state.network_backend!r}, and the lab needs 'netavark'"
    for container in topology.containers:
        if container.host == host and container.name in state.containers:
            yield f"there is a container {container.name!r}, and the lab needs that name: rename or remove it"
    yield from _with_addresses(topology, host, state)
    for network in topology.networks:
        if network.host == host:
            yield from _with_networks(network, state.networks)
    if _uses_default(topology, host):
        gateways = [
            gateway for network in state.networks if network.name == DEFAULT_NETWORK for gateway in network.gateways
        ]
        if DEFAULT_GATEWAY not in gateways:
            found = ", ".join(gateways) or "none"
            yield f"the gateway of the network {DEFAULT_NETWORK!r} is {found}, and the lab needs {DEFAULT_GATEWAY}"


def _with_addresses(topology: Topology, host: str, state: PodmanState) -> Iterator[str]:
    # Podman gives addresses away one after the other, so that anybody's container comes to have one of ours some day.
    for address, holder in state.addresses:
        for container, attachment in _attachments(topology, host):
            if address in (attachment.address, attachment.ipv6_address):
                yield (
                    f"the container {holder!r} has {address}, and the lab's {container.name!r} needs it: "
                    "stop it meanwhile, or give it another with --ip"
                )


def _with_networks(wanted: NetworkSpec, networks: Iterable[PodmanNetwork]) -> Iterator[str]:
    for network in networks:
        if network.name == wanted.name:
            yield f"there is a network {network.name!r}, and the lab needs that name: rename or remove it"
            continue
        for subnet in subnets(wanted):
            if any(subnet.version == taken.version and subnet.overlaps(taken) for taken in network.subnets):
                has = f"the network {network.name!r} has {subnet} or a part of it"
                yield f"{has}, and the lab's {wanted.name!r} needs it"


def wanted_ports(topology: Topology, host: str, ports: Collection[int]) -> frozenset[int]:
    """The TCP ports that the lab will listen on there: those that it publishes, and those that were named."""
    return frozenset(ports) | {p.host_port for c in topology.containers if c.host == host for p in c.publish}


def links(topology: Topology, host: str) -> list[str]:
    """The interfaces that the lab's cables have there."""
    return [end.link for end in ends_at(topology.cables, host)]


def read_kernel(net: NetworkNamespace, ports: Collection[int]) -> KernelState:
    """What is taken in a network namespace now.

    :param ports: the ports of interest: naming who holds one takes a look at every process
    """
    names, routes = net.run(_read_links)
    held = [listener for listener in listeners(net) if listener.port in ports]
    return KernelState(names, routes, tuple((x.port, owner(x) or "a process that is not visible") for x in held))


def _read_links() -> tuple[frozenset[str], tuple[Route, ...]]:
    with IPRoute() as ipr:
        names = {link["index"]: str(link.get_attr("IFLA_IFNAME")) for link in ipr.get_links()}
        routes = tuple(
            Route(
                ipaddress.ip_network(f"{route.get_attr('RTA_DST')}/{route['dst_len']}"),
                names.get(route.get_attr("RTA_OIF"), "no link"),
            )
            for family in (socket.AF_INET, socket.AF_INET6)
            for route in ipr.get_routes(family=family)
            if route["dst_len"] and route.get_attr("RTA_TABLE") != _LOCAL_TABLE
        )
        return frozenset(names.values()), routes


def _cables(topology: Topology, host: str) -> list[tuple[str, Subnet]]:
    return [
        (end.link, ipaddress.ip_interface(address).network)
        for end in ends_at(topology.cables, host)
        for address in (end.address, end.ipv6_address)
        if address
    ]


def _attachments(topology: Topology, host: str) -> Iterator[tuple[ContainerSpec, AttachmentSpec]]:
    for container in topology.containers:
        if container.host == host:
            for attachment in container.networks:
                yield container, attachment


def _uses_default(topology: Topology, host: str) -> bool:
    return any(attachment.network == DEFAULT_NETWORK for _, attachment in _attachments(topology, host))
