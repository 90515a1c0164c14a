"""Contradictions of a topology, found before anything is started. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from testbed.errors import UsageError
from testbed.topology.checks.addressing import shared_segments
from testbed.topology.checks.cables import of_cables
from testbed.topology.checks.containers import of_container, published_twice
from testbed.topology.checks.hosts import of_host
from testbed.topology.checks.index import Index
from testbed.topology.checks.networks import of_networks
from testbed.topology.checks.syntax import twice
from testbed.topology.specs import CableSpec, ContainerSpec, HostSpec, NetworkSpec


def contradictions(
    hosts: Sequence[HostSpec],
    cables: Sequence[CableSpec],
    networks: Sequence[NetworkSpec],
    containers: Sequence[ContainerSpec],
) -> Iterator[str]:
    """One sentence for each thing that cannot be as it is said.

    :returns: sentences that name the host, cable, network or container, the field and its value
    """
    names = [host.name for host in hosts] + [container.name for container in containers]
    if found := twice(names):
        yield f"hosts and containers share names in one lab; given twice: {', '.join(found)}"
    index = Index(hosts, cables, networks, containers)
    for host in hosts:
        yield from of_host(host, index)
    yield from of_cables(cables, index)
    yield from of_networks(networks, index)
    for container in containers:
        yield from of_container(container, index)
    yield from published_twice(containers)
    yield from shared_segments(index)


def refuse(reasons: Iterable[str]) -> None:
    """Raise one error with all reasons, each on a line of its own where there are several; do nothing without one.

    :raises UsageError: there is a reason
    """
    found = list(reasons)
    if len(found) == 1:
        raise UsageError(found[0])
    if found:
        raise UsageError("\n".join([f"{len(found)} things cannot be as they are specified:", *found]))
