"""The cause of a macvlan and the interface that it is on, which the kernel keeps apart. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.macvlans import AddMacvlan
from testbed.change.networks import Connect
from testbed.evidence import Namespace
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import rows_of_walk
from testbed.predict.barrier import MacvlanParent
from testbed.predict.ending import NoNeighbour
from testbed.predict.routing import own_addresses

#: What people call a macvlan that a host gets beside those of its containers.
_NAME = "macvlan-shim"


def proposals(ending: NoNeighbour, barrier: MacvlanParent, case: Case) -> Iterator[Proposal]:
    """A macvlan sends by its parent's wire, and neither of the two hears the other."""
    here, parent = ending.namespace, barrier.parent
    other = barrier.owner.label if barrier.owner else "whoever has it"
    yield Proposal(
        Cause.MACVLAN_APART,
        f"{barrier.macvlan.name} of {barrier.child.label} is a macvlan on {parent.name}, and the kernel lets no packet "
        f"pass between the two: {ending.hop} is {other}'s, and {here.label} cannot reach it, though the LAN can.",
        (
            Row("link", barrier.child.label, f"{barrier.macvlan.name}: macvlan mode {barrier.macvlan.mode}"),
            *rows_of_walk(case.prediction),
        ),
        (*_by_a_bridge(case, barrier.child), *_by_another_macvlan(ending, barrier)),
        ("Other machines of the LAN reach both.",),
    )


def _by_a_bridge(case: Case, child: Namespace) -> Iterator[Remedy]:
    """The container on a bridge network beside the macvlan: the host is that one's gateway."""
    container = case.place.container
    if container is None or container.namespace != child.key:
        return
    for network in case.evidence.networks:
        if network.host == container.host and network.driver == "bridge" and not network.internal:
            for gateway in network.gateways:
                target = replace(case.attempt.target, host=str(gateway))
                yield Remedy(
                    f"Connect {container.name} to the network {network.name} too, and call the host by its gateway",
                    changes=(Connect(container.host, container.id, network.name),),
                    target=target,
                )


def _by_another_macvlan(ending: NoNeighbour, barrier: MacvlanParent) -> Iterator[Remedy]:
    """The host with a macvlan of its own: two of one parent hear each other in the mode ``bridge``."""
    here, parent = ending.namespace, barrier.parent
    if here.key == barrier.child.key:
        return
    for source in own_addresses(here, ending.hop.version, parent.index):
        yield Remedy(
            f"Give {here.label} a macvlan on {parent.name} of its own, and a route by it, until its next start",
            changes=(AddMacvlan(here.key, parent, _NAME, ending.hop, source),),
        )
        return
