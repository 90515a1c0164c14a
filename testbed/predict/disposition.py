"""Where and why a packet's way ended. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.evidence import Chain, Hook, Link, Listener, Rule
from testbed.predict.firewall import Packet
from testbed.predict.prediction import Disposition


@dataclass(frozen=True, slots=True)
class Verdict:
    """What in a firewall decided, and where."""

    hook: Hook
    chain: Chain | None
    rule: Rule | None
    """None where it was the chain's policy."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a packet's way ended."""

    end: Disposition
    why: str
    namespace: str
    errno: int | None
    """What connect(2) gives for it; None for a timeout, an acceptance, or what is not known."""
    packet: Packet
    """As it was then."""
    back: bool = False
    """Whether it was the answer that was lost."""
    listener: Listener | None = None
    by: Verdict | None = None
    """The firewall's verdict, where that decided."""
    link: Link | None = None
    path: tuple[Link, ...] = ()
    """The interfaces that the packet left by, on its way there."""
    path_back: tuple[Link, ...] = ()
    """The same of the answer, as far as it came."""
