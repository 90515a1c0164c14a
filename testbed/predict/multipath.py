"""All the ways that a packet may take where the kernel's choice of a route is not for sure. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import Evidence, Protocol
from testbed.model import Address
from testbed.predict.disposition import Disposition
from testbed.predict.ending import PacketEnding
from testbed.predict.packet_walk import PacketWalk
from testbed.predict.steps import Step
from testbed.predict.unknown import Divergence, Unknown

_MOST: Final = 64
_UNKNOWN: Final = frozenset({Disposition.UNKNOWN, Disposition.LEFT})
_REACHED: Final = frozenset({Disposition.ACCEPTED, Disposition.HELD})


def travel(
    evidence: Evidence, namespace: str, protocol: Protocol, address: Address, port: int
) -> tuple[PacketEnding, tuple[Step, ...]]:
    """Send the first packet of a connection, and its answer back.

    Where the kernel may take any of several next hops every way is tried, and where they do not end alike the end is
    unknown.

    :param namespace: the key of the one it starts in
    """
    first = PacketWalk(evidence, namespace)
    ending = first.connect(protocol, address, port)
    choices, preference = first.choices, 1
    while preference < min(choices, _MOST):
        walk = PacketWalk(evidence, namespace, preference)
        other = walk.connect(protocol, address, port)
        choices = max(choices, walk.choices)
        if _result(other) != _result(ending):
            diverging = Divergence(evidence.namespaces[namespace], choices, ending, other)
            return Unknown(ending.trail, diverging), first.steps
        preference += 1
    return ending, first.steps


def _result(ending: PacketEnding) -> tuple[bool, bool, int | None]:
    """The part of an ending that whoever connects sees."""
    kind = ending.disposition
    return kind in _UNKNOWN, kind in _REACHED, None if ending.back else ending.errno
