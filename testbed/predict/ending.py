"""How the way of a packet ended: a class for each fact that decides, with what it always has.

    Ending
      PacketEnding                     a packet was sent, or was to be
        Taken                          a socket was found for it
          Accepted  Held  Suspended  QueueFull
        Filtered                       a rule or a policy decided
          Dropped  Rejected  NeighbourFiltered  LaterFiltered
        Discarded  NoListener  NoTranslationAddress  NoRoute  RouteForbids  NoSource  NoNeighbour  StaleNeighbour
        NotForwarded  ReversePath  Hairpin  Martian  Unasked  RelayRefuses  RelayCloses  Left
        Unknown                        in testbed.predict.unknown
      Unresolved  Nowhere              in testbed.predict.unresolved: no packet to the target was sent

Values only. The sentences for them are in ``testbed.predict.wording``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from testbed.evidence import (
    Act,
    Attached,
    Chain,
    Container,
    Hook,
    Link,
    Listener,
    Namespace,
    Neighbour,
    PolicyRule,
    Published,
    Route,
    RouteKind,
    Rule,
)
from testbed.model import Address
from testbed.predict.barrier import Barrier
from testbed.predict.disposition import Disposition
from testbed.predict.packet import Packet
from testbed.predict.sysctls import Sysctl, of_interface, sysctl


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rule or policy that decided in a firewall, and the hook of netfilter."""

    hook: Hook
    chain: Chain
    rule: Rule | None
    """None where it was the chain's policy."""


@dataclass(frozen=True, slots=True)
class Trail:
    """How far a packet, or its answer, had come."""

    namespace: Namespace
    """Where it was then."""
    packet: Packet
    """As it was then."""
    back: bool = False
    """True where it was the answer."""
    path: tuple[Link, ...] = ()
    """The interfaces that the packet left by, on its way there."""
    path_back: tuple[Link, ...] = ()
    """The interfaces that the answer left by, as far as it came."""
    rewritten_by: tuple[Verdict, ...] = ()
    """The rules that gave the packet another address or port on its way there, the last one last."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended; the base of all endings."""

    disposition: ClassVar[Disposition]


@dataclass(frozen=True, slots=True)
class PacketEnding(Ending):
    """Where and why the way of a packet ended."""

    trail: Trail
    errno: int | None = field(default=None, kw_only=True)
    """The errno(3) that connect(2) gives for it; None for a timeout, an acceptance, or what is not known."""
    there: PacketEnding | None = field(default=None, kw_only=True)
    """The packet's own ending, where it was its answer that got lost."""
    kept_by: str = field(default="", kw_only=True)
    """The program that made the connection in the place of another, and hands the error on to nobody."""

    @property
    def namespace(self) -> Namespace:
        """Where it ended."""
        return self.trail.namespace

    @property
    def packet(self) -> Packet:
        """The packet, as it was then."""
        return self.trail.packet

    @property
    def destination(self) -> Address:
        """Where the packet was addressed to in the end, after all rewriting."""
        return self.trail.packet.destination

    @property
    def back(self) -> bool:
        """True where it was the answer that was lost."""
        return self.trail.back


# --- a socket takes it, or none ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken(PacketEnding):
    """A listening socket is the one that the packet is for."""

    listener: Listener


@dataclass(frozen=True, slots=True)
class Accepted(Taken):
    """The listener accepts the connection, or takes the datagram."""

    disposition = Disposition.ACCEPTED


@dataclass(frozen=True, slots=True)
class Held(Taken):
    """The listener only holds the port, and never accepts."""

    disposition = Disposition.HELD


@dataclass(frozen=True, slots=True)
class Suspended(Taken):
    """The listener's program is stopped, or its container paused: the kernel accepts for it, and nobody reads."""

    disposition = Disposition.HELD
    container: Container | None
    """The container that is paused; None where it is the program that was stopped."""


@dataclass(frozen=True, slots=True)
class QueueFull(Taken):
    """The listener's accept queue is full, so that the kernel drops the SYN (listen(2))."""

    disposition = Disposition.QUEUE_FULL


@dataclass(frozen=True, slots=True)
class NoListener(PacketEnding):
    """The address is the namespace's own, and no socket there is for the packet."""

    disposition = Disposition.NO_LISTENER


@dataclass(frozen=True, slots=True)
class NotTranslated(NoListener):
    """The port is published by a container, and no rule has translated the packet on its way to it.

    Podman holds such a port by a socket of conmon's where it can (libpod/oci_util.go, bindPort); that is not there.
    """

    container: Container
    published: Published


# --- a firewall -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filtered(PacketEnding):
    """A rule, or the policy of a chain, stops the packet."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Dropped(Filtered):
    """It is dropped without a word."""

    disposition = Disposition.DROPPED


@dataclass(frozen=True, slots=True)
class Rejected(Filtered):
    """It is answered with a reset or an ICMP error."""

    disposition = Disposition.REJECTED
    answer: str
    """How, by iptables' word, such as ``tcp-reset``."""
    not_undone: bool = False
    """True where the answer comes from an address that was not called, so that the caller takes no notice of it."""


@dataclass(frozen=True, slots=True)
class NeighbourFiltered(Filtered):
    """The question for a neighbour, or its answer, is stopped, so that nothing can be sent there.

    Whoever asked hears that the host is unreachable (net/ipv4/arp.c, arp_error_report; net/ipv6/ndisc.c,
    ndisc_error_report).
    """

    disposition = Disposition.NEIGHBOUR_FILTERED
    hop: Address
    """The neighbour that was asked for."""
    frame: Packet
    """The question or the answer that is stopped: of ARP, or of ICMPv6."""


@dataclass(frozen=True, slots=True)
class LaterFiltered(Filtered):
    """The handshake passes, and the packets with data that follow it on the connection do not.

    Whoever connects sees a connection, and then silence; or, where they are answered with a reset, that. Where already
    the last packet of the handshake is rejected, it has an errno.
    """

    disposition = Disposition.LATER_FILTERED
    listener: Listener
    """The listener that the handshake was with."""
    answer: str
    """How they are rejected, by iptables' word; empty where they are dropped."""


@dataclass(frozen=True, slots=True)
class NoTranslationAddress(PacketEnding):
    """A rule translates to an address of an interface that has none (nf_nat_masquerade.c, nf_nat_redirect.c)."""

    disposition = Disposition.DROPPED
    link: Link
    act: Act
    """MASQUERADE or REDIRECT."""


@dataclass(frozen=True, slots=True)
class Discarded(PacketEnding):
    """A queueing discipline of an interface discards every packet, or every one of that size (tc(8))."""

    disposition = Disposition.DROPPED
    link: Link
    by: Attached


# --- routes -----------------------------------------------------------------------------------------------------------


class Routed(StrEnum):
    """The packet that a route is missing for."""

    SENT = "sent"
    """A packet of the namespace's own."""
    REWRITTEN = "rewritten"
    """One of its own, after a rule gave it another destination."""
    FORWARDED = "forwarded"
    ANSWER = "answer"
    STRAY_ANSWER = "stray answer"
    """An answer that was delivered to a namespace which did not ask."""


@dataclass(frozen=True, slots=True)
class NoRoute(PacketEnding):
    """A namespace has no route for the packet."""

    disposition = Disposition.NO_ROUTE
    routed: Routed


@dataclass(frozen=True, slots=True)
class RouteForbids(PacketEnding):
    """An unreachable, prohibit or blackhole route, or policy rule (ip-route(8), ip-rule(8))."""

    disposition = Disposition.ROUTE_FORBIDS
    by: Route | PolicyRule

    @property
    def kind(self) -> RouteKind:
        """The kind of the route; a rule's action is as a route of that kind."""
        return self.by.kind if isinstance(self.by, Route) else RouteKind(self.by.action)


@dataclass(frozen=True, slots=True)
class NoSource(PacketEnding):
    """There is no address of that family to send from."""

    disposition = Disposition.NO_SOURCE
    none_at_all: bool
    """True where the namespace has no address of that family whatever, so that no route was looked for."""


@dataclass(frozen=True, slots=True)
class NotForwarded(PacketEnding):
    """The packet is for somebody else, and the interface that it came in by does not forward (ip-sysctl)."""

    disposition = Disposition.NOT_FORWARDED
    link: Link

    @property
    def sysctl(self) -> Sysctl:
        """The parameter that turns forwarding on: of IPv4 the interface's, of IPv6 that of all (ip-sysctl)."""
        if self.destination.version == 4:
            return sysctl(self.namespace, f"ipv4/conf/{self.link.name}/forwarding")
        return sysctl(self.namespace, "ipv6/conf/all/forwarding")


@dataclass(frozen=True, slots=True)
class ReversePath(PacketEnding):
    """The namespace would answer by another interface than the packet came in by (ip-sysctl, rp_filter)."""

    disposition = Disposition.REVERSE_PATH
    link: Link
    way_back: Route | PolicyRule | None = None
    """The route that the answer would take, or what forbids one; None where there is none."""

    @property
    def sysctls(self) -> tuple[Sysctl, ...]:
        """The parameters that make the filter, of which the higher value counts."""
        return of_interface(self.namespace, "ipv4", self.link.name, "rp_filter")


@dataclass(frozen=True, slots=True)
class Martian(PacketEnding):
    """A loopback or own address on an interface where the kernel takes none."""

    disposition = Disposition.MARTIAN
    link: Link
    address: Address
    leaving: bool = False
    """True where the packet was to leave by the interface; else it came in by it."""

    @property
    def sysctls(self) -> tuple[Sysctl, ...]:
        """The parameters that would let it pass, any of them; none for ::1, which no parameter lets pass (RFC 4291)."""
        if self.address.version == 6:
            return ()
        name = "route_localnet" if self.address.is_loopback else "accept_local"
        return of_interface(self.namespace, "ipv4", self.link.name, name)


# --- segments ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoNeighbour(PacketEnding):
    """Nobody on the segment answers for the next hop."""

    disposition = Disposition.NO_NEIGHBOUR
    link: Link
    hop: Address
    barrier: Barrier | None = None
    """The barrier that keeps the owner of the address from answering; None where nobody in the picture has it, or none
    is known."""


@dataclass(frozen=True, slots=True)
class StaleNeighbour(PacketEnding):
    """The sender's neighbour table has a hardware address for the next hop that nobody on the segment has."""

    disposition = Disposition.STALE_NEIGHBOUR
    link: Link
    neighbour: Neighbour


@dataclass(frozen=True, slots=True)
class Hairpin(PacketEnding):
    """A bridge would have to send the frame back by the port that it came in by (br_forward.c, should_deliver)."""

    disposition = Disposition.HAIRPIN
    bridge: Link
    port: Link


@dataclass(frozen=True, slots=True)
class Left(PacketEnding):
    """The packet leaves what the picture shows."""

    disposition = Disposition.LEFT
    link: Link | None
    """The interface; None where the picture lacks it."""
    hop: Address


@dataclass(frozen=True, slots=True)
class Unasked(PacketEnding):
    """The answer arrives from another address than was called (RFC 9293, 3.10.7)."""

    disposition = Disposition.UNASKED
    source: Address
    called: Address


@dataclass(frozen=True, slots=True)
class Returned(PacketEnding):
    """The answer is back where the question began: the ending of an answer's own way, never that of an attempt."""

    disposition = Disposition.ACCEPTED


# --- programs that make connections in the place of others ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RelayRefuses(PacketEnding):
    """A program has the address for the host's loopback, and keeps that closed."""

    disposition = Disposition.RELAY_REFUSES
    link: Link
    """The interface that the program holds."""
    program: str


@dataclass(frozen=True, slots=True)
class RelayCloses(PacketEnding):
    """A program accepts for a container that does not, and closes what it accepted."""

    disposition = Disposition.RELAY_CLOSES
    listener: Listener
    """The program's own."""
    program: str
    container: Container
    published: Published
    onward: PacketEnding
    """The ending of its own connection to the container."""
