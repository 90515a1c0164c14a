"""What the essay says of a click, as questions about what was seen of one. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from testbed.errors import CaptureError
from testbed.evidence import Conntrack, Flow
from testbed.frames import Frame
from testbed.frames.segments import Segment, segment
from testbed.scenarios.toaster.topology import (
    FRONTEND,
    FRONTEND_PORT,
    JACK,
    LEDGER,
    ORDERS,
    PODMAN0,
    PUBLISHED_PORT,
    SHOP,
    VISITOR,
)
from testbed.trace.events import TABLE, Event

#: The taps from Jack's door to the shop's gate, two on each cable: where it is sent, and where it arrives.
OUTSIDE: Final = (
    "wan0 of jack",
    "home0 of courier1",
    "sea0 of courier1",
    "sea0 of courier2",
    "shop0 of courier2",
    "wan0 of shop",
)
#: Those from there to the frontend's door.
INSIDE: Final = ("podman0 of shop", "port of frontend", "eth0 of frontend")
WAY: Final = OUTSIDE + INSIDE
#: Those between two neighbours at the bridge; podman0 itself is none of them.
NEXT_DOOR: Final = ("eth0 of frontend", "port of frontend", "port of orders", "eth0 of orders")
TO_THE_LEDGER: Final = ("eth0 of orders", "port of orders", "port of ledger", "eth0 of ledger")
#: Linux starts with 64 (net.ipv4.ip_default_ttl), and each of two couriers and the shop's kernel takes one off.
TTLS: Final = (64, 64, 63, 63, 62, 62, 61, 61, 61)
#: On the way home it is the shop's kernel that takes the first one off.
TTLS_HOME: Final = (64, 64, 64, 63, 63, 62, 62, 61, 61)

#: include/uapi/linux/netfilter/nf_conntrack_common.h
_SRC_NAT: Final = 1 << 4
_DST_NAT: Final = 1 << 5
#: Of an IPv4 header (RFC 791, 3.1), by its offset behind the 14 bytes of Ethernet's: TTL, and the checksum over it.
_ETHERNET: Final = 14
_TTL: Final = 8
_CHECKSUM: Final = slice(10, 12)
_OURS: Final = frozenset({FRONTEND, ORDERS, LEDGER, VISITOR, PODMAN0})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP request got."""

    status: int
    body: Mapping[str, Any]
    """The JSON object; empty where it is none."""
    address: str
    """The address that the request was sent from."""
    port: int
    """The port that it was sent from."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One TCP segment wherever it was seen: the same one, in another frame at each cable."""

    said: Segment
    frames: tuple[Frame, ...]
    """In the order of time."""

    @property
    def taps(self) -> tuple[str, ...]:
        """Where it was seen."""
        return tuple(frame.tap for frame in self.frames)

    @property
    def ttls(self) -> tuple[int, ...]:
        """What it had left to live at each of these."""
        return tuple(frame.ip.ttl for frame in self.frames if frame.ip)

    @property
    def satchels(self) -> tuple[tuple[str, str], ...]:
        """The MAC addresses of its frame at each, from and to."""
        return tuple((frame.source, frame.destination) for frame in self.frames)

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Its own addresses at each, from and to, with their ports."""
        return tuple(addresses_of(frame) for frame in self.frames)

    def at(self, tap: str) -> Frame:
        """How it was there.

        :raises KeyError: it was not seen there
        """
        return {frame.tap: frame for frame in self.frames}[tap]


@dataclass(frozen=True, slots=True)
class Click:
    """One request of Jack's, and all that was seen meanwhile."""

    note: bytes
    """What Jack's client wrote."""
    answer: Answer
    frames: tuple[Frame, ...]
    """Everything of IPv4 and ARP, at every tap, in the order of time."""
    parcels: tuple[Parcel, ...]
    tracked: tuple[Conntrack, ...]
    """The shop's table right after it."""
    rules: tuple[Event, ...]
    """What the shop's firewall told of the packets."""
    badges: Mapping[str, str]
    """The MAC address of the interface at each tap."""

    @property
    def knock(self) -> Parcel:
        """The SYN that begins Jack's connection."""
        return first(self.parcels, JACK, SHOP, flags="S")

    @property
    def request(self) -> Parcel:
        """The segment with the note, whoever sent it.

        :raises CaptureError: it was not seen, or not in one piece
        """
        for parcel in self.parcels:
            if parcel.said.data == self.note:
                return parcel
        raise CaptureError(f"no segment had the note of {len(self.note)} bytes in it")

    @property
    def reply(self) -> Parcel:
        """The first one of the answer to Jack, which the frontend sends."""
        return first(self.parcels, FRONTEND, JACK)

    @property
    def second_knock(self) -> Parcel:
        """The SYN that begins the frontend's own connection."""
        return first(self.parcels, FRONTEND, ORDERS, flags="S")

    @property
    def second_request(self) -> Parcel:
        """The segment with the frontend's own note."""
        return first(self.parcels, FRONTEND, ORDERS)

    @property
    def second_reply(self) -> Parcel:
        """The first one of what the backend answers."""
        return first(self.parcels, ORDERS, FRONTEND)

    @property
    def third_knock(self) -> Parcel:
        """The SYN that begins the backend's connection to the ledger."""
        return first(self.parcels, ORDERS, LEDGER, flags="S")


def parcels(frames: Iterable[Frame]) -> tuple[Parcel, ...]:
    """The TCP segments among frames, by when each was first seen.

    NAT changes addresses and ports and leaves the sequence numbers as they are, which is what one is known again by.
    """
    found: dict[Segment, list[Frame]] = {}
    for frame in frames:
        said = segment(frame)
        if said is not None:
            found.setdefault(said, []).append(frame)
    return tuple(Parcel(said, tuple(seen)) for said, seen in found.items())


def first(among: Iterable[Parcel], source: str, destination: str, *, flags: str | None = None) -> Parcel:
    """The first segment that set out with these addresses: with such flags, else with data.

    :raises CaptureError: there was none
    """
    for parcel in among:
        ip = parcel.frames[0].ip
        is_wanted = parcel.said.flags == flags if flags else bool(parcel.said.data)
        if is_wanted and ip and (str(ip.source), str(ip.destination)) == (source, destination):
            return parcel
    raise CaptureError(f"no {f'{flags} of TCP' if flags else 'data'} was seen that {source} sent to {destination}")


# The Click


def layers(frame: Frame) -> tuple[tuple[str, str], ...]:
    """What a frame has in it, from the outside in: each layer, and whom it is addressed to; last of all the note."""
    said = segment(frame)
    if frame.ip is None or said is None:
        return (("Ethernet", frame.destination),)
    line = said.data.partition(b"\r\n")[0].decode(errors="replace")
    port = f"port {frame.ip.destination_port}"
    return (("Ethernet", frame.destination), ("IP", str(frame.ip.destination)), ("TCP", port), ("HTTP", line))


def is_nested(click: Click) -> bool:
    """Whether at Jack's door each layer has an address of its own: the next courier's, the shop's, the service's."""
    line = click.note.partition(b"\r\n")[0].decode()
    return layers(click.request.at("wan0 of jack")) == (
        ("Ethernet", click.badges["home0 of courier1"]),
        ("IP", SHOP),
        ("TCP", f"port {PUBLISHED_PORT}"),
        ("HTTP", line),
    )


# Across the Sea of Couriers


def in_new_satchels(parcel: Parcel, click: Click) -> bool:
    """Whether each cable's frame is from the one end to the other of that cable, and of no cable before."""
    frames = [frame for frame in parcel.frames if frame.tap in OUTSIDE]
    worn = [click.badges[frame.tap] for frame in frames]
    ends = [(here, there) for here, there in zip(worn[::2], worn[1::2], strict=True) for _ in (here, there)]
    return [(frame.source, frame.destination) for frame in frames] == ends and len(set(worn)) == len(OUTSIDE)


def is_sealed(parcel: Parcel, taps: Iterable[str]) -> bool:
    """Whether the packet is the same at all of these, byte for byte but for the TTL and the checksum over it."""
    return len({_sealed(parcel.at(tap)) for tap in taps}) == 1


def _sealed(frame: Frame) -> bytes:
    packet = bytearray(frame.raw[_ETHERNET:])
    packet[_TTL] = 0
    packet[_CHECKSUM] = bytes(2)
    return bytes(packet)


# The Onion Unwrapped


def is_redirected(parcel: Parcel, port: int) -> bool:
    """Whether it is Jack's to the shop as far as the gate, and from there on Jack's to the frontend."""
    jack = f"{JACK}:{port}"
    outside, inside = (jack, f"{SHOP}:{PUBLISHED_PORT}"), (jack, f"{FRONTEND}:{FRONTEND_PORT}")
    return parcel.addresses == (outside,) * len(OUTSIDE) + (inside,) * len(INSIDE)


def page_about(tracked: Iterable[Conntrack], port: int) -> Conntrack | None:
    """The entry of Jack's connection from this port; None where the table has none."""
    for entry in tracked:
        flow = entry.original
        if (str(flow.source), flow.source_port, str(flow.destination)) == (JACK, port, SHOP):
            return entry
    return None


def remembers(entry: Conntrack, port: int) -> bool:
    """Whether it has what came, and what an answer to it looks like: from the frontend; and so that DNAT was done."""
    return (ends(entry.original), ends(entry.reply), nat(entry)) == (
        (f"{JACK}:{port}", f"{SHOP}:{PUBLISHED_PORT}"),
        (f"{FRONTEND}:{FRONTEND_PORT}", f"{JACK}:{port}"),
        "DNAT",
    )


def nat(entry: Conntrack) -> str:
    """What was done to a connection: ``DNAT``, ``SNAT``, ``DNAT and SNAT``, or nothing."""
    done = (("DNAT", _DST_NAT), ("SNAT", _SRC_NAT))
    return " and ".join(name for name, bit in done if entry.status & bit)


def told(rules: Iterable[Event], parcel: Parcel) -> tuple[Event, ...]:
    """What the firewall told of packets with one sequence number, in its order, but for what only marks them.

    The kernel's number for a packet comes again with a later one; what begins each hook shows the packet itself.
    """
    now: dict[int, int | None] = {}
    found = []
    for event in rules:
        if event.marked is not None:
            now[event.packet] = event.marked.sequence
        if now.get(event.packet) == parcel.said.sequence and not event.table.startswith(TABLE):
            found.append(event)
    return tuple(found)


def destinations(events: Iterable[Event]) -> tuple[tuple[str, str], ...]:
    """The base chains that a packet went through, each with the destination that it had when it came there."""
    return tuple(
        (event.chain, f"{ipaddress.ip_address(event.marked.destination)}:{event.marked.destination_port}")
        for event in events
        if event.marked is not None
    )


# Down the Corridor


def are_two_conversations(one: Parcel, other: Parcel) -> bool:
    """Whether two SYNs have no address, no port and no sequence number in common but whose wrote the second."""
    (source, destination), (second_source, second_destination) = one.addresses[0], other.addresses[0]
    ports = {where.rpartition(":")[2] for where in (source, destination)}
    second_ports = {where.rpartition(":")[2] for where in (second_source, second_destination)}
    return one.said.sequence != other.said.sequence and not ports & second_ports and source != second_source


def headers(note: bytes) -> Mapping[str, str]:
    """The headers of an HTTP message, by their names in lower case."""
    lines = note.partition(b"\r\n\r\n")[0].decode(errors="replace").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def passed_no_nat(entry: Conntrack) -> bool:
    """Whether nothing was rewritten: an answer is what came, turned around."""
    there, back = ends(entry.original), ends(entry.reply)
    return not nat(entry) and back == there[::-1]


def entries_between(tracked: Iterable[Conntrack], source: str, destination: str) -> tuple[Conntrack, ...]:
    """The entries of connections from the one to the other."""
    return tuple(e for e in tracked if (str(e.original.source), str(e.original.destination)) == (source, destination))


def seen_at(frames: Iterable[Frame], one: str, other: str) -> frozenset[str]:
    """Every tap that saw a packet between two addresses, either way."""
    pair = {one, other}
    return frozenset(f.tap for f in frames if f.ip and {str(f.ip.source), str(f.ip.destination)} == pair)


def are_stitched(click: Click) -> bool:
    """Whether one waits for the other: note, second note, its answer, answer; the first has to lie on the desk."""
    order = (
        click.request.at("eth0 of frontend"),
        click.second_request.at("eth0 of frontend"),
        click.second_request.at("eth0 of orders"),
        click.second_reply.at("eth0 of orders"),
        click.second_reply.at("eth0 of frontend"),
        click.reply.at("eth0 of frontend"),
    )
    return all(one.at <= other.at for one, other in pairwise(order))


# Home


def is_put_back(parcel: Parcel, port: int) -> bool:
    """Whether it is the frontend's to Jack as far as podman0, and from the gate on the shop's to Jack."""
    jack = f"{JACK}:{port}"
    inside, outside = (f"{FRONTEND}:{FRONTEND_PORT}", jack), (f"{SHOP}:{PUBLISHED_PORT}", jack)
    return parcel.addresses == (inside,) * len(INSIDE) + (outside,) * len(OUTSIDE)


def shows_outside(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    """The frames outside that bear an address of the corridor's, in IP or in ARP."""
    return tuple(frame for frame in frames if frame.tap in OUTSIDE and set(_named(frame)) & _OURS)


def _named(frame: Frame) -> Iterator[str]:
    if frame.ip is not None:
        yield from (str(frame.ip.source), str(frame.ip.destination))
    if frame.arp is not None:
        yield from (str(frame.arp.sender), str(frame.arp.target))


def addresses_of(frame: Frame) -> tuple[str, str]:
    """A packet's addresses with their ports, from and to."""
    assert frame.ip is not None, "a parcel is a packet of TCP"
    return f"{frame.ip.source}:{frame.ip.source_port}", f"{frame.ip.destination}:{frame.ip.destination_port}"


def ends(flow: Flow) -> tuple[str, str]:
    """The same of one direction of a conntrack entry."""
    return f"{flow.source}:{flow.source_port}", f"{flow.destination}:{flow.destination_port}"
