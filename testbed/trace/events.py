"""Rules that matched and packets that they looked at, as the kernel tells of them (nft(8), MONITOR). Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: What the names of the tables begin with that mark packets; its number follows, since several may look at once.
TABLE: Final = "testbed_trace_"


@dataclass(frozen=True, slots=True)
class Marked:
    """A packet that the kernel tells about, as it was when that hook began."""

    source: bytes
    destination: bytes
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    sequence: int | None = None
    """Of TCP."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that the kernel told: a rule that matched, or the policy of a base chain."""

    packet: int
    """The kernel's number for the packet, the same at each of its hooks."""
    family: str
    table: str
    chain: str
    verdict: str
    """``accept``, ``drop``, ``jump``, ``continue``, ..."""
    handle: int | None = None
    """Of the rule; None where it was the policy."""
    marked: Marked | None = None
    """Of each hook the first event has it."""
