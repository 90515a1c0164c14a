"""What is done in the shop and around it, and what was seen of it: requests, and what passed at every interface."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from testbed.errors import HostError
from testbed.frames import Capture, Frame, Tap, neighbours
from testbed.frames.segments import icmp_error, segment
from testbed.namespaces import NetworkNamespace
from testbed.readers.conntrack import read_conntrack
from testbed.readers.firewall import read_firewall, read_handles
from testbed.readers.links import Links, read_links
from testbed.scenarios.toaster.judgement import WAY, Answer, Click, Parcel, parcels, told
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.topology import (
    PUBLISHED_PORT,
    SHOP,
)
from testbed.trace import RuleHit
from testbed.trace.nftrace import FirewallTrace
from testbed.trace.rules import traced

COURIERS: Final = ("courier1", "courier2")
#: Those whose seats at the bridge are looked at.
RESIDENTS: Final = ("frontend", "orders", "ledger", "visitor")
#: Where a request is sent: an address and a port.
Door = tuple[str, int]
GATE: Final = (SHOP, PUBLISHED_PORT)
WHO: Final = "/api/who"
#: Nobody's, of one and not of a group.
STRANGER: Final = "02:00:00:00:00:99"
#: RFC 863: nobody listens there.
_DISCARD: Final = 9
_SECONDS: Final = 5.0
_numbers = itertools.count(1)


def net(lab: ToasterLab, name: str) -> NetworkNamespace:
    """The network namespace of a host or of a container."""
    return lab.hosts[name].net if name in lab.hosts else lab.containers[name].net


def write(method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """An HTTP request of Jack's client (RFC 9112), small enough for one packet."""
    said = {"Host": "shop", "User-Agent": "browser-bot", "Connection": "close", **(headers or {})}
    if body:
        said |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def order() -> bytes:
    """The note: one toaster for Jack, under a key of its own."""
    body = json.dumps({"item": "toaster", "customer": "Jack"}).encode()
    return write("POST", "/api/orders", headers={"Idempotency-Key": f"click-{os.getpid()}-{next(_numbers)}"}, body=body)


def ask(here: NetworkNamespace, note: bytes, door: Door = GATE) -> Answer:
    """Send a note from somewhere, and read the answer.

    :raises HostError: there is none
    """
    try:
        with here.socket() as asking:
            asking.settimeout(_SECONDS)
            asking.connect(door)
            asking.sendall(note)
            return _read(asking)
    except (OSError, http.client.HTTPException) as exc:
        address, number = door
        raise HostError(f"{here.what} got no answer of {address}:{number}: {exc}") from exc


def _read(asking: socket.socket) -> Answer:
    address, port = asking.getsockname()
    response = http.client.HTTPResponse(asking)
    response.begin()
    body: object = None
    with suppress(ValueError):  # nginx's own pages are no JSON
        body = json.loads(response.read())
    return Answer(response.status, body if isinstance(body, dict) else {}, address, port)


def first_day(lab: ToasterLab, *, stock: int = 25) -> None:
    """The books as they were at first: 25 toasters or another stock, and no order; the next one is number 42."""
    lab.ledger.sql("TRUNCATE orders RESTART IDENTITY", f"UPDATE inventory SET remaining = {stock:d}")  # noqa: S608 - a number


def left(lab: ToasterLab) -> int:
    """How many toasters the ledger has."""
    ((count,),) = lab.ledger.sql("SELECT remaining FROM inventory")
    return int(count)


def booked(lab: ToasterLab) -> tuple[tuple[str, ...], ...]:
    """Each order in the ledger: number, item, customer, and the address that he came from."""
    return tuple(lab.ledger.sql("SELECT number, item, customer, client FROM orders ORDER BY number"))


# Looking on


def links(lab: ToasterLab, name: str) -> Links:
    """What rtnetlink tells of a host or a container."""
    return net(lab, name).run(read_links)


def port_of(lab: ToasterLab, name: str) -> str:
    """The interface of the shop's that is the bridge's end of a container's cable."""
    inside = links(lab, name)
    (eth0,) = (link.index for link in inside.links if link.name == "eth0")
    (found,) = (link.name for link in links(lab, "shop").links if link.index == inside.peers[eth0][1])
    return found


def taps(lab: ToasterLab) -> tuple[Tap, ...]:
    """One at each interface from Jack's door to the ledger's, called by interface and place."""
    on_hosts = ((interface, host) for interface, host in (name.split(" of ") for name in WAY) if host in lab.hosts)
    return (
        *(Tap(f"{interface} of {host}", net(lab, host), interface) for interface, host in on_hosts),
        *(Tap(f"port of {name}", lab.shop.net, port_of(lab, name)) for name in RESIDENTS),
        *(Tap(f"eth0 of {name}", net(lab, name), "eth0") for name in RESIDENTS),
    )


def _badges(looked_at: tuple[Tap, ...]) -> dict[str, str]:
    """The MAC address of the interface at each tap."""
    known = {tap.net.what: {link.name: link.mac for link in tap.net.run(read_links).links} for tap in looked_at}
    return {tap.name: known[tap.net.what][tap.interface] for tap in looked_at}


def _is_told(frame: Frame) -> bool:
    return frame.arp is not None or (frame.ip is not None and isinstance(frame.ip.source, IPv4Address))


def click(lab: ToasterLab, note: bytes, *, sender: str = "jack", door: Door = GATE) -> Click:
    """Send a note, and see what passes at every interface, what the shop's table has, and what its firewall tells.

    :param sender: a host or a container
    :raises CaptureError: frames were lost, or the firewall's trace is not to be had
    :raises HostError: there was no answer
    """
    looked_at = taps(lab)
    with Capture(looked_at, wanted=_is_told) as capture, FirewallTrace(lab.shop.net, door[1]) as firewall:
        answer = ask(net(lab, sender), note, door)
        tracked, _ = lab.shop.net.run(read_conntrack)
        seen = capture.until(_ended, "every connection to be closed from both ends")
        rules = firewall.events()
    return Click(note, answer, seen, parcels(seen), tracked, rules, _badges(looked_at))


def rules_for(lab: ToasterLab, seen: Click, parcel: Parcel) -> tuple[RuleHit, ...]:
    """The rules of the shop's firewall that matched a packet, in its own words, as they stand now.

    :raises HostError: the shop's namespace is gone
    """
    rules, _ = read_firewall(lab.shop.net)
    hits = traced(told(seen.rules, parcel), read_handles(lab.shop.net), rules, lab.shop.name)
    return tuple(hit.rule for hit in hits)


def _ended(frames: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
    """All frames, once at the frontend's door every port that opened a connection has closed it too."""
    here = [f.ip for f in frames if f.tap == "eth0 of frontend" and f.ip and f.ip.protocol == "tcp"]
    opened = {ip.source_port for ip in here if ip.flags == "S"}
    closed = {ip.source_port for ip in here if "F" in ip.flags}
    served = {ip.destination_port for ip in here if ip.flags == "S"}
    return frames if opened and opened | served <= closed else None


# Couriers


def directory(lab: ToasterLab, name: str) -> tuple[str, ...]:
    """The routing table of a host or a container, as ``ip -4 route`` has it."""
    return tuple(line.strip() for line in lab.command(name, ["ip", "-4", "route"]).splitlines())


def acquainted(lab: ToasterLab, name: str) -> frozenset[str]:
    """Whose MAC addresses a host knows, by their IPv4 addresses."""
    known = neighbours(net(lab, name))
    return frozenset(str(one.address) for one in known if one.mac and isinstance(one.address, IPv4Address))


# The gate


@dataclass(frozen=True, slots=True)
class AtTheGate:
    """A datagram in a frame to somebody else's address, then the same in one to the shop's."""

    arrived: tuple[str, ...]
    """The destinations of the frames that came in at the shop's interface, in their order."""
    answered: tuple[str, ...]
    """The notes that the shop reacted to: nobody listens there, so that it says so (ICMP, port unreachable)."""
    own: str
    """The address of the shop's interface."""


STRANGERS_NOTE: Final = "for somebody else"
SHOPS_NOTE: Final = "for the shop"


def knock_at_the_gate(lab: ToasterLab) -> AtTheGate:
    """Have the last courier believe that a stranger's MAC address is the shop's, for one datagram, and then no more.

    Frames keep their order on a cable: once the second is answered the first will not be.
    """
    courier = lab.hosts["courier2"]
    at_gate, at_courier = Tap("gate", lab.shop.net, "wan0"), Tap("courier", courier.net, "shop0")
    own = _badges((at_gate,))["gate"]

    def reaction(frames: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
        about = [f for f in frames if f.tap == "courier" and f.ip and f.ip.protocol == "icmp" and not f.outgoing]
        return frames if any(SHOPS_NOTE.encode() in f.raw for f in about) else None

    with (
        Capture((at_gate, at_courier), wanted=lambda f: b"for s" in f.raw or b"for the shop" in f.raw) as capture,
        courier.net.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending,
    ):
        try:
            for badge, text in ((STRANGER, STRANGERS_NOTE), (own, SHOPS_NOTE)):
                courier.run(["ip", "neighbour", "replace", SHOP, "lladdr", badge, "dev", "shop0", "nud", "permanent"])
                sending.sendto(text.encode(), (SHOP, _DISCARD))
        finally:
            courier.run(["ip", "neighbour", "del", SHOP, "dev", "shop0"])
        frames = capture.until(reaction, "the shop to react to what is for it")
    came = tuple(f.destination for f in frames if f.tap == "gate" and not f.outgoing)
    reactions = [f.raw for f in frames if f.tap == "courier" and not f.outgoing]
    return AtTheGate(
        came,
        tuple(text for text in (STRANGERS_NOTE, SHOPS_NOTE) if any(text.encode() in raw for raw in reactions)),
        own,
    )


# Closed doors


@dataclass(frozen=True, slots=True)
class Knock:
    """One attempt of Jack's to connect, and what said no."""

    errno: int
    """0 where it connected."""
    said: str
    """Who answered the first packet, with what; empty where nobody did."""


def knock(lab: ToasterLab, door: Door, *, sender: str = "jack", interface: str = "wan0") -> Knock:
    """Try to connect from somewhere, and see what came back of the wire."""
    here = net(lab, sender)
    with Capture([Tap("door", here, interface)], wanted=_is_told) as capture, here.socket() as knocking:
        knocking.settimeout(2.0)
        number = knocking.connect_ex(door)
        answers = tuple(_said(frame, door) for frame in capture.frames() if not frame.outgoing)
    return Knock(number, next(filter(None, answers), ""))


def _said(frame: Frame, door: Door) -> str:
    """What a frame says about an attempt to connect there; empty where it says nothing of that."""
    error, tcp = icmp_error(frame), segment(frame)
    if frame.ip is None:
        return ""
    if error is not None and (str(error.destination), error.destination_port) == door:
        return f"{frame.ip.source} ICMP {error.kind}/{error.code}"
    if tcp is not None and (str(frame.ip.source), frame.ip.source_port) == door:
        return f"{frame.ip.source} TCP {tcp.flags}"
    return ""


# Losing one


def lose_one(lab: ToasterLab, note: bytes) -> tuple[Answer, tuple[Frame, ...]]:
    """Have the second courier drop a note once, and see it sent again: the answer, and the frames at the two doors."""
    courier = lab.hosts["courier2"]
    spots = (Tap("jack", lab.jack.net, "wan0"), Tap("courier", courier.net, "sea0"), Tap("gate", lab.shop.net, "wan0"))

    def has_note(frame: Frame) -> bool:
        said = segment(frame)
        return said is not None and said.data == note

    with lab.jack.net.socket() as asking:
        asking.settimeout(_SECONDS)
        asking.connect(GATE)
        with Capture(spots, wanted=has_note) as capture:
            rules = "chain forward { type filter hook forward priority 0; tcp dport 80 drop; };"
            courier.run(["nft", f"table ip storm {{ {rules} }}"])
            try:
                asking.sendall(note)
                capture.until(lambda frames: [f for f in frames if f.tap == "courier"], "the note to be lost")
            finally:
                courier.run(["nft", "delete table ip storm"])
            answer = _read(asking)
            return answer, capture.frames()
