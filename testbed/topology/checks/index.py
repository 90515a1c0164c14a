"""The hosts, networks and containers of a topology by name, for checking it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

from testbed.topology.checks.syntax import interface
from testbed.topology.interfaces import ends_at
from testbed.topology.specs import DEFAULT_NETWORK, CableSpec, ContainerSpec, HostSpec, NetworkSpec

#: containers.conf(5), default_subnet; its gateway is the first address.
_DEFAULT_SUBNET: Final = "10.88.0.0/16"
_DEFAULT_GATEWAY: Final = "10.88.0.1"


class Index:
    """Hosts, containers and networks of a topology by name."""

    def __init__(
        self,
        hosts: Sequence[HostSpec],
        cables: Sequence[CableSpec],
        networks: Sequence[NetworkSpec],
        containers: Sequence[ContainerSpec],
    ) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.cables = cables
        self.containers = {container.name: container for container in containers}
        self.networks = {
            (host.name, DEFAULT_NETWORK): NetworkSpec(host.name, DEFAULT_NETWORK, _DEFAULT_SUBNET, _DEFAULT_GATEWAY)
            for host in hosts
            if host.with_engine
        } | {(network.host, network.name): network for network in networks}

    def links(self, place: str) -> list[str]:
        """The interfaces of a host or container that the topology gives it: its ends of cables, and eth0 and so on."""
        container = self.containers.get(place)
        attached = container.networks if container else ()
        return [*(f"eth{number}" for number in range(len(attached))), *(e.link for e in ends_at(self.cables, place))]

    def on_link(self, place: str) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The prefixes that a host or container has an interface in: of its cables, and of a container's networks."""
        for end in ends_at(self.cables, place):
            for text in (end.address, end.ipv6_address):
                found = interface(text or "")
                if found is not None:
                    yield found.network
        container = self.containers.get(place)
        for attachment in container.networks if container else ():
            network = self.networks.get((container.host, attachment.network)) if container else None
            for subnet in (network.subnet, network.ipv6_subnet) if network else ():
                try:
                    yield ipaddress.ip_network(subnet or "")
                except ValueError:
                    continue  # the network's own check says so
