"""The journey of one request, as values: legs, each a connection; of each leg the hops there and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from testbed.evidence import Act, Conntrack
from testbed.explain.explanation import Explanation
from testbed.frames import Frame
from testbed.model import Address, Observation, bracketed


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port, as they stand in a packet; port 0 where it has none."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"{bracketed(str(self.address))}:{self.port}" if self.port else str(self.address)


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule of a firewall that a packet matched."""

    namespace: str
    """What people call it."""
    family: str
    table: str
    chain: str
    text: str
    """The rule as its tool prints it; of a base chain's policy ``policy drop``."""
    verdict: str
    """The kernel's word: ``accept``, ``drop``, ``jump``, ``continue``; empty where only counters tell of it."""
    acts: tuple[Act, ...] = ()
    """What the rule does, where that is understood."""
    handle: int | None = None
    traced: bool = True
    """Whether the firewall's own trace told it of this packet. Otherwise the rule's counter rose meanwhile."""

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.chain}: {self.text}"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A packet's source or destination, exchanged inside a namespace."""

    what: str
    """``source`` or ``destination``."""
    before: Endpoint
    after: Endpoint
    rule: RuleHit | None = None
    """What ordered it. None on the way back, and for later packets: there the conntrack entry alone does it."""
    conntrack: Conntrack | None = None
    """The entry that remembers it; None where it was not found."""

    @property
    def kind(self) -> str:
        """``DNAT`` or ``SNAT`` for what a rule ordered, ``un-DNAT`` or ``un-SNAT`` for what conntrack put back.

        :returns: by what changes, where neither a rule nor an entry was seen
        """
        if self.rule is not None or self.conntrack is None:
            return "DNAT" if self.what == "destination" else "SNAT"
        forward = self.conntrack.original
        if self.what == "destination":
            is_first = (forward.destination, forward.destination_port) == (self.before.address, self.before.port)
            return "DNAT" if is_first else "un-SNAT"
        is_first = (forward.source, forward.source_port) == (self.before.address, self.before.port)
        return "SNAT" if is_first else "un-DNAT"

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} {self.before} becomes {self.after}"


class Decided(StrEnum):
    """What kind of table or event decided how a packet went on."""

    CABLE = "cable"
    """It came out at the other end of a veth pair."""
    ROUTE = "route"
    """A row of a routing table: forwarded, or sent."""
    NEIGHBOUR = "neighbour"
    """A row of the neighbour table: whose MAC address the frame bears."""
    FDB = "fdb"
    """A row of a bridge's forwarding database."""
    RULE = "rule"
    """A rule of a firewall let it pass or refused it."""
    DELIVERED = "delivered"
    """It was for a socket here."""
    REFUSED = "refused"
    """Nobody listens: the kernel answered with a reset."""
    ENDED = "ended"
    """It went no further."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a packet went on from a hop as it did."""

    kind: Decided
    text: str
    """The row, or what happened, in a line."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A packet at one interface."""

    namespace: str
    """What people call it."""
    key: str
    """The namespace's key in the evidence."""
    interface: str
    frame: Frame
    source: Endpoint
    destination: Endpoint
    ttl: int
    rewrites: tuple[Rewrite, ...] = ()
    """What was exchanged here before it goes on to the next hop."""
    rules: tuple[RuleHit, ...] = ()
    """The rules that matched it from here on until the next hop, in their order, but for those that only mark it."""
    decisions: tuple[Decision, ...] = ()
    """Why it went on to the next hop, or ended here."""

    @property
    def outgoing(self) -> bool:
        """Whether the interface sent it; otherwise it received it."""
        return self.frame.outgoing

    @property
    def source_mac(self) -> str:
        """Of the frame."""
        return self.frame.source

    @property
    def destination_mac(self) -> str:
        """Of the frame."""
        return self.frame.destination


@dataclass(frozen=True, slots=True)
class Start:
    """A packet as its socket sent it, before any interface saw it."""

    namespace: str
    """What people call it."""
    source: Endpoint
    destination: Endpoint
    rewrites: tuple[Rewrite, ...] = ()
    """What was exchanged before the first hop."""
    rules: tuple[RuleHit, ...] = ()
    """The rules that matched it before the first hop."""
    decisions: tuple[Decision, ...] = ()
    """Why it left by that interface, or did not leave."""


class LegEnd(StrEnum):
    """How a leg ended."""

    ANSWERED = "answered"
    """Data came back, or at least the handshake was answered where no more was asked."""
    REFUSED = "refused"
    """A reset answered the first packet."""
    RESET = "reset"
    """A reset ended the connection without an answer."""
    ICMP = "icmp"
    """An error of ICMP answered."""
    UNANSWERED = "unanswered"
    """Nothing came back."""
    NOT_SENT = "not sent"
    """No packet of it was seen at all."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One connection of the journey."""

    number: int
    """From 1."""
    parent: int | None
    """The leg for whose sake it was made; None for the first."""
    opener: str
    """The namespace that it begins in, as people call it, with the program where that is known."""
    start: Start
    """Its first packet as the socket there sent it."""
    there: tuple[Hop, ...]
    """The way of its first packet: the SYN, or of an older connection the first one with data in the window."""
    back: tuple[Hop, ...]
    """The way of the first packet that answered: SYN-ACK, reset, or an error of ICMP."""
    end: LegEnd
    older: bool = False
    """Whether it was there before: no SYN of it was seen."""
    sequence: int | None = None
    """The sequence number of the first packet there."""
    back_sequence: int | None = None
    attempts: int = 1
    """How many times its first packet was sent."""
    said: str = ""
    """The first line of what was asked, where it is text; else how many bytes."""
    answered: str = ""
    """The same of the answer."""
    request: tuple[Hop, ...] = ()
    """The way of the first packet with data."""
    answer: tuple[Hop, ...] = ()
    """The way back of the first packet with data."""
    delivered: str = ""
    """The namespace whose socket got it; empty where none did."""
    packets: tuple[Frame, ...] = ()
    """Every frame of this connection, at each tap, in the order of time."""

    @property
    def rewrites(self) -> tuple[Rewrite, ...]:
        """All that was exchanged on the way there, then on the way back."""
        hops = (hop.rewrites for hop in (*self.there, *self.back))
        return tuple(rewrite for rewrites in (self.start.rewrites, *hops) for rewrite in rewrites)


@dataclass(frozen=True, slots=True)
class Journey:
    """One request, from the place where it was made to its answer or its end."""

    place: str
    target: str
    observation: Observation
    """What the one who asked saw."""
    legs: tuple[Leg, ...]
    """The first is the request's own; empty where no packet was seen."""
    ended: str
    """How it ended, as a sentence."""
    notes: tuple[str, ...] = ()
    """What could not be seen, and why, a sentence each."""
    neighbours: tuple[Frame, ...] = ()
    """The questions and answers of ARP in that time."""
    why: Explanation | None = None
    """Of a request that failed: what :mod:`testbed.explain` says of it."""
    frames: tuple[Frame, ...] = ()
    """Everything that was captured, in the order of time; the taps are called ``INTERFACE@NAMESPACE``."""
    seconds: float = 0.0
    """What it took from taking the picture on."""

    @property
    def answered(self) -> bool:
        """Whether the request was answered, whatever the answer says."""
        return bool(self.legs) and self.legs[0].end is LegEnd.ANSWERED
