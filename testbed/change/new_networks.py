"""A network of Podman's that is made, and the subnet that is free for it. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Final

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.evidence import Evidence, Network, Subnet

#: The subnets that Podman takes by default are the /24 from this one to the end of 10.0.0.0/8 (containers.conf(5),
#: default_subnet_pools).
_FIRST: Final = ipaddress.ip_network("10.89.0.0/24")
_POOL: Final = ipaddress.ip_network("10.0.0.0/8")


@dataclass(frozen=True, slots=True)
class CreateNetwork(Change):
    """A bridge network is made; it has DNS, as all but the default one (podman-network-create(1))."""

    effort = 1

    host: str
    """The key of the host whose Podman makes it."""
    name: str


@apply.register
def _create(change: CreateNetwork, evidence: Evidence) -> Evidence:
    networks = [network for network in evidence.networks if network.host == change.host]
    if any(network.name == change.name for network in networks):
        raise ImpossibleChangeError(f"there is a network {change.name} already")
    taken = {network.bridge for network in networks}
    bridge = next(name for number in range(1, len(taken) + 2) if (name := f"podman{number}") not in taken)
    subnet = free_subnet(evidence, change.host)
    gateway = subnet.network_address + 1
    made = Network(change.name, change.host, "bridge", bridge, (subnet,), (gateway,), dns_enabled=True)
    return replace(evidence, networks=(*evidence.networks, made))


def free_subnet(evidence: Evidence, host: str) -> Subnet:
    """Find the first subnet of Podman's pool that no network and no route of a host has a part of.

    :param host: the host's key
    :raises ImpossibleChangeError: none is free
    """
    facts = evidence.host(host)
    keys = (facts.namespace, facts.rootless_namespace)
    used = [subnet for network in evidence.networks if network.host == host for subnet in network.subnets]
    for key in keys:
        here = evidence.namespaces.get(key or "")
        used += [route.destination for route in here.routes if route.destination.prefixlen] if here else []
    for number in range(int(_FIRST.network_address), int(_POOL.broadcast_address), _FIRST.num_addresses):
        subnet = ipaddress.IPv4Network((number, _FIRST.prefixlen))
        if not any(isinstance(other, ipaddress.IPv4Network) and subnet.overlaps(other) for other in used):
            return subnet
    raise ImpossibleChangeError(f"no subnet of {_POOL} is free")
