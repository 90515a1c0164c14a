"""Which frames, at which taps, are one packet, and which packets are one connection. Pure.

NAT exchanges addresses, ports and checksums (RFC 3022, 2.1 and 4.1; net/netfilter/nf_nat_proto.c, tcp_manip_pkt) and
leaves the sequence numbers of TCP as they are, but for the few protocols whose text it must lengthen, such as FTP
(net/netfilter/nf_conntrack_seqadj.c). Routers leave them too. A packet is known again by them, and with it the
addresses and ports that its connection has in each namespace. A relay reads the data and sends it anew: that is
another connection, with other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from testbed.frames import Frame
from testbed.frames.segments import Segment, icmp_error, segment
from testbed.trace.values import Endpoint

_SYN: Final = "S"
#: Of one tap and way: the same packet again later is sent again.
Seen: TypeAlias = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class TapSite:
    """Whose interface a tap is on."""

    key: str
    """Of the namespace."""
    label: str
    interface: str


@dataclass(frozen=True, slots=True)
class ArpShown:
    """A frame of ARP (RFC 826), at a tap."""

    frame: Frame
    place: TapSite


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame with a TCP segment, at a tap."""

    frame: Frame
    place: TapSite
    segment: Segment
    source: Endpoint
    destination: Endpoint

    @property
    def at(self) -> float:
        """When it passed, in seconds since 1970."""
        return self.frame.at

    @property
    def identity(self) -> tuple[int, int, str, int]:
        """What stays the same of a packet wherever it passes: two packets of one connection differ in it."""
        return self.segment.sequence, self.segment.acknowledgement, self.segment.flags, len(self.segment.data)


@dataclass(frozen=True)
class Conversation:
    """One connection, in all namespaces that it passes."""

    shown: tuple[Shown, ...]
    """In the order of time."""
    first: Shown
    """The packet that began it: its SYN, else the first one with data."""
    older: bool

    @cached_property
    def forward(self) -> frozenset[tuple[str, Endpoint, Endpoint]]:
        """Source and destination of its packets there, in each namespace."""
        return frozenset((one.place.key, one.source, one.destination) for one in self._alike(self.first))

    def _alike(self, packet: Shown) -> Iterable[Shown]:
        return (one for one in self.shown if one.identity == packet.identity)

    def is_there(self, one: Shown) -> bool:
        """Whether a packet goes the way of the first one; otherwise it comes back."""
        return (one.place.key, one.source, one.destination) in self.forward

    def path(self, packet: Shown) -> tuple[Shown, ...]:
        """The way of one of its packets; see :func:`way`."""
        return way(self.shown, packet)

    def times(self, packet: Shown) -> int:
        """How often a packet was sent."""
        return sum(
            (one.frame.tap, one.frame.outgoing) == (packet.frame.tap, packet.frame.outgoing)
            for one in self._alike(packet)
        )

    def first_of(self, wanted: Callable[[Shown], bool]) -> Shown | None:
        """The first packet like that, at the first tap that saw it."""
        return next((one for one in self.shown if wanted(one)), None)

    def last_of(self, wanted: Callable[[Shown], bool]) -> Shown | None:
        """The last packet like that, at the last tap that saw it."""
        return next((one for one in reversed(self.shown) if wanted(one)), None)


def shown(frames: Iterable[Frame], taps: Mapping[str, TapSite]) -> tuple[Shown, ...]:
    """The frames that bear a segment of TCP, with what it says."""
    found = []
    for frame in frames:
        said = segment(frame)
        if said is not None and frame.ip is not None:
            source = Endpoint(frame.ip.source, frame.ip.source_port or 0)
            destination = Endpoint(frame.ip.destination, frame.ip.destination_port or 0)
            found.append(Shown(frame, taps[frame.tap], said, source, destination))
    return tuple(found)


def errors(frames: Iterable[Frame], taps: Mapping[str, TapSite]) -> tuple[Shown, ...]:
    """The frames that bear an error of ICMP about TCP: as a segment without ports, with the number of the one that it
    is about. NAT exchanges the addresses in what it quotes, too (RFC 3022, 4.3), but not that number.
    """
    found = []
    for frame in frames:
        about = icmp_error(frame)
        if about is not None and frame.ip is not None:
            said = Segment(about.sequence, 0, f"ICMP {about.kind}/{about.code}", b"")
            ends = Endpoint(frame.ip.source, 0), Endpoint(frame.ip.destination, 0)
            found.append(Shown(frame, taps[frame.tap], said, *ends))
    return tuple(found)


def way(packets: Iterable[Shown], packet: Shown) -> tuple[Shown, ...]:
    """The way of a packet: at each tap, and each way through it, the first time that it was seen there."""
    found: dict[Seen, Shown] = {}
    for one in packets:
        if one.identity == packet.identity:
            found.setdefault((one.frame.tap, one.frame.outgoing), one)
    return tuple(found.values())


def conversations(packets: Iterable[Shown]) -> tuple[Conversation, ...]:
    """The connections that packets belong to, by when they began.

    Of a connection without a SYN and without data there is nothing to tell: it is left out.
    """
    groups: dict[object, list[Shown]] = {}
    union = _Union()
    listed = list(packets)
    for one in listed:
        union.join(_way(one), _packet(one))
    for one in listed:
        groups.setdefault(union.find(_way(one)), []).append(one)
    found = (_conversation(group) for group in groups.values())
    return tuple(sorted((one for one in found if one is not None), key=lambda c: c.first.at))


def _conversation(group: list[Shown]) -> Conversation | None:
    opened = next((one for one in group if one.segment.flags.rstrip("EC") == _SYN), None)
    first = opened or next((one for one in group if one.segment.data), None)
    return None if first is None else Conversation(tuple(group), first, older=opened is None)


def _way(one: Shown) -> object:
    """A connection in one namespace, whichever way the packet goes: the way there is told from the way back later."""
    return "way", one.place.key, frozenset({one.source, one.destination})


def _packet(one: Shown) -> object:
    return ("packet", *one.identity)


class _Union:
    """Sets that are joined (union-find, with path halving)."""

    def __init__(self) -> None:
        self._parents: dict[object, object] = {}

    def find(self, thing: object) -> object:
        parents = self._parents
        parents.setdefault(thing, thing)
        while parents[thing] != thing:
            parents[thing] = parents[parents[thing]]
            thing = parents[thing]
        return thing

    def join(self, one: object, other: object) -> None:
        self._parents[self.find(other)] = self.find(one)
