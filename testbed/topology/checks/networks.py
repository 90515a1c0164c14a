"""Contradictions of Podman's networks, in themselves and with the rest of a topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeAlias

from testbed.topology.checks.index import Index
from testbed.topology.checks.syntax import address, name_fault, twice
from testbed.topology.specs import DEFAULT_NETWORK, NetworkSpec

_Prefix: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_IPV4, _IPV6 = 4, 6


def of_networks(networks: Sequence[NetworkSpec], index: Index) -> Iterator[str]:
    """One sentence for each field of a network that cannot be honoured."""
    for host, name in twice((network.host, network.name) for network in networks):
        yield f"network {name!r} is given twice on {host!r}: call one of them otherwise"
    for network in networks:
        yield from _of_network(network, index)
    for (host, name), (host_, other) in combinations(index.networks, 2):
        if host == host_:
            yield from _overlap(index.networks[host, name], index.networks[host, other])


def subnets(network: NetworkSpec) -> Iterator[_Prefix]:
    """The prefixes of a network; one that cannot be read is left out, its own check says so."""
    for text in (network.subnet, network.ipv6_subnet):
        try:
            yield ipaddress.ip_network(text or "")
        except ValueError:
            continue


def _of_network(network: NetworkSpec, index: Index) -> Iterator[str]:
    who = f"network {network.name!r} on {network.host!r}"
    if network.host not in index.hosts:
        yield f"{who}: there is no host {network.host!r}: there are {', '.join(index.hosts) or 'none'}"
    elif not index.hosts[network.host].with_engine:
        yield f"{who}: the host has no engine: leave with_engine=False out"
    if network.name == DEFAULT_NETWORK:
        yield f"{who}: Podman makes its default network itself: leave it out, or call this one otherwise"
    elif why := name_fault(network.name):
        yield f"{who}: its name cannot be that: {why}"
    yield from _of_family(who, "", network.subnet, network.gateway, _IPV4)
    if (network.ipv6_subnet is None) != (network.ipv6_gateway is None):
        said = f"ipv6_subnet {network.ipv6_subnet!r} and ipv6_gateway {network.ipv6_gateway!r}"
        yield f"{who}: {said}: give both or neither"
    elif network.ipv6_subnet is not None and network.ipv6_gateway is not None:
        yield from _of_family(who, "ipv6_", network.ipv6_subnet, network.ipv6_gateway, _IPV6)


def _of_family(who: str, kind: str, subnet: str, gateway: str, version: int) -> Iterator[str]:
    try:
        prefix = ipaddress.ip_network(subnet)
    except ValueError as exc:
        yield f"{who}: {kind}subnet {subnet!r} is no prefix: {exc}"
        return
    if prefix.version != version:
        yield f"{who}: {kind}subnet {subnet!r} is not of IPv{version}"
        return
    found = address(gateway)
    if found is None or found.version != version or found not in prefix:
        yield f"{who}: {kind}gateway {gateway!r} is no address of {subnet}"
    elif found == prefix.network_address or (version == _IPV4 and found == prefix.broadcast_address):
        yield f"{who}: {kind}gateway {gateway!r} is the first or the last address of {subnet}, which no host may have"


def _overlap(one: NetworkSpec, other: NetworkSpec) -> Iterator[str]:
    for mine in subnets(one):
        for theirs in subnets(other):
            if mine.version == theirs.version and mine.overlaps(theirs):
                yield f"the networks {one.name!r} ({mine}) and {other.name!r} ({theirs}) of {one.host!r} overlap"
