"""The steps of a packet's way: a class for each kind, with what decided in it. Values only.

The sentences for them are in ``testbed.predict.wording``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from testbed.evidence import Container, Link, Listener, Namespace, Published
from testbed.model import Address
from testbed.predict.ending import Verdict
from testbed.predict.packet import Packet
from testbed.predict.routing import Chosen
from testbed.predict.segment import Station


class StepKind(StrEnum):
    """The kind of a step; ``kind`` in JSON."""

    RESOLVE = "resolve"
    ROUTE = "route"
    FILTER = "filter"
    TRANSLATE = "translate"
    CROSS = "cross"
    """From one interface to another one: a veth pair, a bridge."""
    FORWARD = "forward"
    DELIVER = "deliver"
    RELAY = "relay"
    """A process takes the connection and makes another one of its own: slirp4netns, pasta, rootlessport."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step; the base of them all."""

    kind: ClassVar[StepKind]
    namespace: Namespace
    """Where it happens."""
    back: bool = field(default=False, kw_only=True)
    """True where it is the answer that is on its way."""


@dataclass(frozen=True, slots=True)
class NameLookup(Step):
    """A name is resolved."""

    kind = StepKind.RESOLVE
    place: str
    """The place that looked it up."""
    host: str
    """The name."""
    addresses: tuple[Address, ...]
    resolver: Address | None
    """The resolver that knew it; None where the hosts file has it, or a service of the place itself."""
    asked: str = ""
    """The name that the resolver was asked for, where it is another one: with a domain of the search list."""


@dataclass(frozen=True, slots=True)
class RouteLookup(Step):
    """A namespace chooses the route, and with it the source address, of a packet of its own."""

    kind = StepKind.ROUTE
    destination: Address
    chosen: Chosen
    source: Address


@dataclass(frozen=True, slots=True)
class FirewallStop(Step):
    """A rule, or the policy of a chain, stops the packet."""

    kind = StepKind.FILTER
    verdict: Verdict
    rejects: bool
    """True where it is answered; else it is dropped."""


@dataclass(frozen=True, slots=True)
class Translation(Step):
    """A rule gives the packet another address or port."""

    kind = StepKind.TRANSLATE
    before: Packet
    after: Packet
    by: Verdict | None
    """The rule, with its chain and hook."""


@dataclass(frozen=True, slots=True)
class Crossing(Step):
    """A frame goes from one interface to that of the next hop, which may be behind bridges."""

    kind = StepKind.CROSS
    sender: Namespace
    link: Link
    """The sender's interface."""
    station: Station
    """The station that takes the frame."""
    hop: Address
    """The address that the sender resolved to a hardware address."""


@dataclass(frozen=True, slots=True)
class Forwarding(Step):
    """A namespace passes the packet on."""

    kind = StepKind.FORWARD
    incoming: Link
    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Delivery(Step):
    """The packet is for the namespace itself, and a socket is looked up for it."""

    kind = StepKind.DELIVER
    packet: Packet
    listener: Listener | None
    """None where no socket takes it."""


@dataclass(frozen=True, slots=True)
class ProgramConnects(Step):
    """The program that holds an interface makes a connection of its own, on its host."""

    kind = StepKind.RELAY
    program: str
    link: Link
    inside: Namespace
    """Whose interface that is."""
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class ProgramRefuses(Step):
    """The program that holds an interface answers for its host's loopback, and lets nobody in there."""

    kind = StepKind.RELAY
    program: str
    link: Link
    address: Address


@dataclass(frozen=True, slots=True)
class ProgramForwards(Step):
    """The program that listens for a published port makes a connection of its own to the container."""

    kind = StepKind.RELAY
    program: str
    container: Container
    published: Published
