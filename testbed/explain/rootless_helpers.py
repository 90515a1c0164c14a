"""Causes of rootless Podman's helper programs: one has ended, or has an address that is meant for others. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from testbed.change.containers import Restart, RestartAll
from testbed.change.rootless import SlirpSubnet
from testbed.evidence import Container, Namespace
from testbed.explain import listening, neighbours, routing
from testbed.explain.by_ending import propose
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import rows_of_walk
from testbed.model import Address
from testbed.predict.rootless import ForwarderGone, HelperGone, InsideSubnet, OutdatedCopy
from testbed.predict.wording import why

#: What slirp4netns may have in the place of its own subnet: private (RFC 1918), and seldom a LAN's.
_SUBNETS: Final = tuple(map(IPv4Network, ("10.0.3.0/24", "172.31.250.0/24", "192.168.250.0/24")))


@propose.register
def helper_gone(ending: HelperGone, case: Case) -> Iterator[Proposal]:
    """The interface of a container, or of all bridges, is gone with the program that held it."""
    here = ending.namespace
    links = " ".join(link.name for link in here.links)
    yield Proposal(
        Cause.NO_NETWORK,
        f"{why(ending)}.",
        (Row("links", here.label, links),),
        tuple(_restarts(case, here)),
    )
    yield from routing.no_route(ending, case)


@propose.register
def forwarder_gone(ending: ForwarderGone, case: Case) -> Iterator[Proposal]:
    """Nobody takes the published port any more."""
    container, published = ending.container, ending.published
    ports = f"{published.host_port}->{published.container_port}/{published.protocol} {container.name}"
    yield Proposal(
        Cause.NOBODY_LISTENS,
        f"{why(ending)}.",
        (Row("published", ending.namespace.label, ports),),
        (_restart(container),),
    )
    yield from listening.no_listener(ending, case)


@propose.register
def inside_subnet(ending: InsideSubnet, case: Case) -> Iterator[Proposal]:
    """The program's own subnet has the address that is called."""
    container = case.place.container
    subnet = next((one for one in _SUBNETS if _is_free(case, one, ending.hop)), None)
    if container is not None and subnet is not None:
        yield Proposal(
            Cause.SUBNET_SHADOWS,
            f"{why(ending)}: a machine of that address on the LAN cannot be called from there.",
            rows_of_walk(case.prediction),
            (
                Remedy(
                    f"Give the {ending.program} of {container.name} another subnet, which nobody has",
                    f"podman run --network {ending.program}:cidr={subnet} ... (a new container)",
                    (SlirpSubnet(container.host, container.id, subnet),),
                ),
            ),
        )
    yield from neighbours.nobody_has_it(ending, case)


def _is_free(case: Case, subnet: IPv4Network, called: Address) -> bool:
    """Tell if a subnet has no address of the picture, and not the one that is called."""
    known = (row.address.ip for here in case.evidence.namespaces.values() for row in here.addresses)
    return called not in subnet and not any(address in subnet for address in known)


@propose.register
def outdated_copy(ending: OutdatedCopy, case: Case) -> Iterator[Proposal]:
    """The address of the host has changed since pasta copied it."""
    yield Proposal(
        Cause.NOBODY_HAS_ADDRESS,
        f"{why(ending)}.",
        rows_of_walk(case.prediction),
        tuple(_restarts(case, ending.copied)),
    )
    yield from neighbours.nobody_has_it(ending, case)


def _restarts(case: Case, here: Namespace) -> Iterator[Remedy]:
    """Restarting what has the helper of a namespace started: its container, or all on bridges."""
    for container in case.containers_in(here.key):
        yield _restart(container)
    for host in case.evidence.hosts:
        if host.rootless_namespace == here.key:
            for network in case.evidence.networks:
                if network.host == host.key:
                    yield Remedy(
                        f"Stop every container on a bridge, and start those on {network.name} again: the first one "
                        "starts its helper anew",
                        changes=(RestartAll(host.key, network.name),),
                    )


def _restart(container: Container) -> Remedy:
    """Podman starts the helpers of a container with it."""
    return Remedy(
        f"Restart {container.name}: its helpers are started with it", changes=(Restart(container.host, container.id),)
    )
