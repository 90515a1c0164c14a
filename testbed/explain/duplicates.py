"""The cause of an address that two stacks of one segment have. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.networks import NewOnNetwork
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.predict.unknown import DuplicateAddress, Unknown


def proposals(case: Case) -> Iterator[Proposal]:
    """The two that have one address; which of them answers is a matter of who is faster (RFC 5227)."""
    ending = case.walked
    if not isinstance(ending, Unknown) or not isinstance(ending.reason, DuplicateAddress):
        return
    twice = ending.reason
    names = [namespace.label for namespace in twice.stations]
    gateways = {g: n for n in case.evidence.networks for g in n.gateways}
    gateway = gateways.get(twice.hop)
    whose = f" It is the gateway of the network {gateway.name}." if gateway else ""
    remedies = [
        Remedy(
            f"Make {container.name} anew with another address",
            f"podman run --network {on.network} ... (a new container, without --ip {twice.hop})",
            (NewOnNetwork(container.host, container.id, on.network),),
        )
        for namespace in twice.stations
        for container in case.containers_in(namespace.key)
        if not case.is_host(namespace.key)
        for on in container.attachments
        if twice.hop in on.addresses
    ]
    yield Proposal(
        Cause.DUPLICATE_ADDRESS,
        f"{' and '.join(names)} both have {twice.hop}: who of them answers is a matter of chance.{whose}",
        tuple(Row("address", name, str(twice.hop)) for name in names),
        tuple(remedies),
        (
            "Duplicate address detection is not done for IPv4 by the kernel, nor by Podman.",
            "Whoever has asked already may send to the wrong one for a minute more (arp(7)): ip neighbour flush.",
        ),
    )
