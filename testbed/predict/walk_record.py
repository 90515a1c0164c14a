"""The notes of a walk: its steps, the interfaces it left by, and that it is on its way back."""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.evidence import Link, Namespace
from testbed.predict.ending import Trail, Verdict
from testbed.predict.packet import Packet
from testbed.predict.steps import Step


@dataclass(slots=True)
class WalkRecord:
    """The notes of one walk. Not a value: it is written as the packet goes."""

    steps: list[Step] = field(default_factory=list)
    back: bool = False
    """True where it is the answer that is on its way."""
    hops: int = 0
    """How many interfaces the packet, or its answer, has left by."""
    path: list[Link] = field(default_factory=list)
    """The interfaces that the packet left by, on its way there."""
    path_back: list[Link] = field(default_factory=list)
    """The interfaces that its answer left by."""
    rewritten_by: list[Verdict] = field(default_factory=list)
    """The rules that gave the packet another address or port, on its way there."""

    def leaves_by(self, link: Link) -> None:
        """Note that the packet leaves by an interface."""
        self.hops += 1
        (self.path_back if self.back else self.path).append(link)

    def turns_back(self) -> None:
        """Note that from here on it is the answer that is on its way."""
        self.back = True
        self.hops = 0

    def trail(self, here: Namespace, packet: Packet) -> Trail:
        """Tell how far the packet, or its answer, has come."""
        return Trail(here, packet, self.back, tuple(self.path), tuple(self.path_back), tuple(self.rewritten_by))
