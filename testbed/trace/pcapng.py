"""A journey as a capture file: an interface for each tap, and a comment on each packet that was rewritten or ended.

Written by hand: scapy's writer declares a nameless interface in front of all others, and what it calls a packet's
comment differs between its versions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from testbed.errors import UsageError
from testbed.frames import Frame
from testbed.trace.values import Decided, Hop, Journey, Rewrite

#: draft-ietf-opsawg-pcapng, 4.1 to 4.3: section header, interface description, enhanced packet.
_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_UNKNOWN_LENGTH: Final = -1
#: 3.5 and 4.2, 4.3: the options.
_COMMENT: Final = 1
_IF_NAME: Final = 2
_IF_TSRESOL: Final = 9
_PACKET_FLAGS: Final = 2
_NANOSECONDS: Final = b"\x09"
_INBOUND, _OUTBOUND = 1, 2
_LINKTYPE_ETHERNET: Final = 1
_END_OF_OPTIONS: Final = bytes(4)


def write(file: Path, journey: Journey) -> int:
    """Write the packets of all legs, and the questions of ARP and errors of ICMP about them; say how many.

    :raises UsageError: it cannot be written there
    """
    frames = tuple(_of(journey))
    try:
        file.write_bytes(pcapng(frames, comments(journey)))
    except OSError as exc:
        raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc
    return len(frames)


def _of(journey: Journey) -> Iterator[Frame]:
    wanted = {id(frame) for leg in journey.legs for frame in leg.packets}
    wanted |= {id(hop.frame) for leg in journey.legs for hop in leg.back}
    wanted |= {id(frame) for frame in journey.neighbours}
    return (frame for frame in journey.frames if id(frame) in wanted)


def comments(journey: Journey) -> Mapping[int, tuple[str, ...]]:
    """What is said of which frame, by its identity in this process: at the first tap that saw a packet rewritten, or
    the last one that saw it at all.
    """
    found: dict[int, tuple[str, ...]] = {}
    for leg in journey.legs:
        if leg.there:
            _say(found, leg.there[0].frame, leg.start.rewrites)
        for way in (leg.there, leg.back, leg.request, leg.answer):
            for before, after in pairwise(way):
                _say(found, after.frame, before.rewrites)
            if way:
                _say(found, way[-1].frame, way[-1].rewrites, "before its socket gets it, ")
        if leg.there:
            _end(found, leg.there[-1])
    return found


def _say(found: dict[int, tuple[str, ...]], frame: Frame, rewrites: Iterable[Rewrite], when: str = "") -> None:
    for rewrite in rewrites:
        why = f", rule {rewrite.rule}" if rewrite.rule is not None else ""
        text = f"{when}{rewrite.kind}: {rewrite.before} -> {rewrite.after}{why}"
        if rewrite.conntrack is not None:
            text += "; see conntrack" if rewrite.rule is not None else "; by the conntrack entry alone"
        found[id(frame)] = tuple(dict.fromkeys((*found.get(id(frame), ()), text)))


def _end(found: dict[int, tuple[str, ...]], hop: Hop) -> None:
    for decision in hop.decisions:
        if decision.kind in (Decided.ENDED, Decided.REFUSED):
            found[id(hop.frame)] = (*found.get(id(hop.frame), ()), f"the end: {decision.text}")


def pcapng(frames: Iterable[Frame], said: Mapping[int, tuple[str, ...]]) -> bytes:
    """The file of some frames, their taps as interfaces.

    :param said: comments, by the ``id`` of the frame
    """
    numbers: dict[str, int] = {}
    packets = []
    for frame in frames:
        number = numbers.setdefault(frame.tap, len(numbers))
        nanoseconds = round(frame.at * 10**9)
        length = len(frame.raw)
        head = struct.pack("<IIIII", number, nanoseconds >> 32, nanoseconds & 0xFFFF_FFFF, length, length)
        options = b"".join(_option(_COMMENT, text.encode()) for text in said.get(id(frame), ()))
        way = struct.pack("<I", _OUTBOUND if frame.outgoing else _INBOUND)
        packets.append(_block(_PACKET, head + _padded(frame.raw) + options + _option(_PACKET_FLAGS, way)))
    section = _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH), options=False)
    taps = [
        _block(
            _INTERFACE,
            struct.pack("<HHI", _LINKTYPE_ETHERNET, 0, 0)
            + _option(_IF_NAME, tap.encode())
            + _option(_IF_TSRESOL, _NANOSECONDS),
        )
        for tap in numbers
    ]
    return b"".join([section, *taps, *packets])


def _block(kind: int, body: bytes, *, options: bool = True) -> bytes:
    whole = body + (_END_OF_OPTIONS if options else b"")
    length = struct.pack("<I", 12 + len(whole))
    return struct.pack("<I", kind) + length + whole + length


def _option(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data.ljust((len(data) + 3) & ~3, b"\0")
