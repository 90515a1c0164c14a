"""What a switch must do with a frame, as questions about what was seen. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from testbed.frames import BROADCAST, Frame

#: The lowest bit of the first byte: to a group, and not to one (IEEE 802, 8.2.2).
_GROUP = 0x01


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the switch sent one frame."""

    sender: str
    destination: str
    """A MAC address."""
    copies: Mapping[str, int]
    """By whose port it left, how often; those by whose port it did not are not here. The laptop's own seat too."""

    @property
    def reached(self) -> tuple[str, ...]:
        """Whom it was handed to, in the order of the table."""
        return tuple(self.copies)


def is_for_group(mac: str) -> bool:
    """Whether an address is a group's."""
    return bool(int(mac.partition(":")[0], 16) & _GROUP)


def left_by_one_port(delivery: Delivery, receiver: str) -> bool:
    """Whether a frame to a known address left by that port alone, once."""
    return delivery.copies == {receiver: 1}


def flooded(delivery: Delivery, people: Collection[str]) -> bool:
    """Whether a frame to an unknown address left by every port but its own, exactly once."""
    return delivery.copies == {name: 1 for name in people if name != delivery.sender}


def reached_all(delivery: Delivery, people: Collection[str], laptop: str) -> bool:
    """Whether a frame to a group left by every port but its own, and was handed to the machine itself too."""
    return delivery.copies == {**{name: 1 for name in people if name != delivery.sender}, laptop: 1}


def is_delivered(frame: Frame, laptop: str) -> bool:
    """Whether the switch hands a frame out where it was seen: by somebody's port, or to the machine itself."""
    return frame.outgoing == (frame.tap != laptop)


def asked(frames: Iterable[Frame], laptop: str) -> frozenset[str]:
    """Who was handed a question for an address (ARP): at whose ports it left, and the machine itself."""
    questions = (f for f in frames if f.arp and f.arp.request and f.destination == BROADCAST)
    return frozenset(f.tap for f in questions if is_delivered(f, laptop))


def answered(frames: Iterable[Frame]) -> tuple[tuple[str, str, str], ...]:
    """Every answer that was handed out: at whose port, from which MAC address, to which one."""
    return tuple((f.tap, f.source, f.destination) for f in frames if f.arp and not f.arp.request and f.outgoing)
