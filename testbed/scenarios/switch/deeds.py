"""What the people at the table do, and where each frame went: sent for real, seen at every port."""

from __future__ import annotations

import itertools
import socket
from typing import Final

from testbed.frames import BROADCAST, LOCAL_EXPERIMENTAL, Capture, Frame, ethernet, send
from testbed.scenarios.switch.judgement import Delivery, is_delivered
from testbed.scenarios.switch.lab import SwitchLab
from testbed.scenarios.switch.topology import ADDRESSES, BADGES, FENCE, LAPTOP

#: A frame of ours is known by what it carries, so that whatever else passes does not count.
_NOTE: Final = "testbed note %d"
_numbers = itertools.count(1)


def speak(
    lab: SwitchLab,
    sender: str,
    destination: str,
    *,
    badge: str | None = None,
    ethertype: int = LOCAL_EXPERIMENTAL,
) -> Delivery:
    """Send one frame from somebody's seat, and see by which ports it left.

    After it goes a broadcast from the same seat, with a badge of nobody's: frames keep their order at a port, so that
    once that was seen at each of them, what was not seen before it will not come.

    :param destination: a MAC address
    :param badge: the source address; the sender's own by default
    :raises CaptureError: frames were lost
    """
    source = badge or BADGES[sender]
    note, fence = ((_NOTE % next(_numbers)).encode() for _ in range(2))
    with Capture(lab.taps, wanted=lambda frame: b"testbed note " in frame.raw) as capture:
        send(lab.net(sender), "eth0", ethernet(source, destination, ethertype, note + b"."))
        send(lab.net(sender), "eth0", ethernet(FENCE, BROADCAST, LOCAL_EXPERIMENTAL, fence + b"."))
        seen = capture.until(lambda frames: _fenced(lab, frames, fence), "the frame behind it to reach every port")
    return Delivery(sender, destination, copies(lab, seen, note))


def copies(lab: SwitchLab, frames: tuple[Frame, ...], note: bytes) -> dict[str, int]:
    """How often a frame left by each port, or was handed to the laptop itself. The sender's own port counts too."""
    out = [frame.tap for frame in frames if note + b"." in frame.raw and is_delivered(frame, LAPTOP)]
    return {tap.name: out.count(tap.name) for tap in lab.taps if tap.name in out}


def _fenced(lab: SwitchLab, frames: tuple[Frame, ...], fence: bytes) -> tuple[Frame, ...] | None:
    """All frames, once the fence was seen at every tap, in whichever direction."""
    at = {frame.tap for frame in frames if fence + b"." in frame.raw}
    return frames if at == {tap.name for tap in lab.taps} else None


def ask(lab: SwitchLab, sender: str, whom: str, *, answers: int = 1) -> tuple[Frame, ...]:
    """Have somebody's kernel look for an IPv4 address, and return the frames of that question and its answers.

    A datagram is what makes it ask; it forgot beforehand what it knew.

    :param answers: how many to wait for
    """
    address = ADDRESSES[whom]
    lab.command(sender, ["ip", "neighbour", "flush", "dev", "eth0"])

    def complete(frames: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
        heard = [f for f in frames if f.tap == sender and f.outgoing and f.arp and str(f.arp.sender) == address]
        return frames if len(heard) >= answers else None

    with (
        Capture(lab.taps, wanted=lambda frame: frame.arp is not None) as capture,
        lab.net(sender).socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
    ):
        asking.sendto(b"?", (address, 9))
        return capture.until(complete, f"{whom} to answer {sender}")


def overheard(lab: SwitchLab, sender: str) -> frozenset[str]:
    """Who gets a broadcast where some ports may get nothing at all; known once the laptop itself has it.

    The bridge hands a frame to its ports before it passes it up (net/bridge/br_input.c, br_handle_frame_finish).
    """
    note = (_NOTE % next(_numbers)).encode()
    with Capture(lab.taps, wanted=lambda frame: note + b"." in frame.raw) as capture:
        send(lab.net(sender), "eth0", ethernet(BADGES[sender], BROADCAST, LOCAL_EXPERIMENTAL, note + b"."))
        seen = capture.until(_at_laptop, "the laptop to have it")
    return frozenset(frame.tap for frame in seen if is_delivered(frame, LAPTOP))


def _at_laptop(frames: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
    return frames if any(frame.tap == LAPTOP for frame in frames) else None
