"""All the ways that a packet may take where the kernel's choice of a route is not for sure. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.evidence import Evidence, Protocol
from testbed.model import Address
from testbed.predict.disposition import Ending
from testbed.predict.packet_walk import PacketWalk
from testbed.predict.prediction import Disposition, Step

_MOST: Final = 4


def travel(
    evidence: Evidence, namespace: str, protocol: Protocol, address: Address, port: int
) -> tuple[Ending, tuple[Step, ...]]:
    """Send the first packet of a connection, and its answer back.

    Where several default routes are as good as each other every one is tried, and where they do not end alike the end
    is UNKNOWN.

    :param namespace: the key of the one it starts in
    """
    first = PacketWalk(evidence, namespace)
    ending = first.connect(protocol, address, port)
    for preference in range(1, min(first.choices, _MOST)):
        other = PacketWalk(evidence, namespace, preference).connect(protocol, address, port)
        if _result(other) != _result(ending):
            label = evidence.namespaces[namespace].label
            why = (
                f"{label} has {first.choices} default routes, the kernel takes the one whose gateway it has heard of "
                f"lately, and they do not end alike: {ending.why}; or {other.why}"
            )
            return replace(ending, end=Disposition.UNKNOWN, why=why, errno=None, by=None, listener=None), tuple(
                first.steps
            )
    return ending, tuple(first.steps)


def _result(ending: Ending) -> tuple[bool, bool, int | None]:
    """What whoever connects sees of an ending."""
    unknown = ending.end in (Disposition.UNKNOWN, Disposition.LEFT)
    reached = ending.end in (Disposition.ACCEPTED, Disposition.HELD)
    return unknown, reached, None if ending.back else ending.errno
