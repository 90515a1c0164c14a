"""What may discard, redirect or rewrite the packets of an interface beside its namespace's firewall. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which packets of an interface (tc-bpf(8))."""

    INGRESS = "ingress"
    """Those that come in by it."""
    EGRESS = "egress"
    """Those that leave by it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """An XDP program, a filter of tc(8), or a queueing discipline that loses packets."""

    link: int
    """The ifindex of the interface."""
    direction: Direction
    text: str
    """As a tool of iproute2 names it, such as ``xdp prog id 7`` or ``tc filter u32``."""
    discards: bool | None = None
    """True where it discards every packet; None where that depends on what is not modelled."""
