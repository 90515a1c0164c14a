"""Reasons why the end of a packet's way is not known: not modelled, or not in the picture. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from testbed.evidence import (
    Attached,
    IpsecPolicy,
    Link,
    Listener,
    Namespace,
    PolicyRule,
    Protocol,
    Route,
    RouteKind,
)
from testbed.model import Address
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Accepted, PacketEnding, Verdict

# --- routes and segments ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnmodelledRoute:
    """A policy rule of which it is not known whether it selects the packet, and that decides; or a route with several
    next hops of which the picture has only the first.
    """

    by: PolicyRule | Route


@dataclass(frozen=True, slots=True)
class UnmodelledAddress:
    """An address of a kind that nobody connects to, such as broadcast."""

    address: Address
    kind: RouteKind


@dataclass(frozen=True, slots=True)
class RoutedInCircles:
    """The packet was forwarded more often than any network of the picture is deep."""


@dataclass(frozen=True, slots=True)
class UnmodelledLink:
    """An interface of a kind whose segment is not modelled, such as an ipvlan."""

    link: Link


@dataclass(frozen=True, slots=True)
class AttachedProgram:
    """The packet passes an interface with an XDP program, a tc filter or a queue that may discard or rewrite it."""

    link: Link
    attached: Attached


@dataclass(frozen=True, slots=True)
class IpsecSelects:
    """A policy of IPsec is for the packet, and what becomes of it then is not modelled."""

    policy: IpsecPolicy


@dataclass(frozen=True, slots=True)
class DuplicateAddress:
    """Several stacks on a segment answer for one address."""

    link: Link
    hop: Address
    stations: tuple[Namespace, ...]


@dataclass(frozen=True, slots=True)
class Divergence:
    """The kernel may take any of several next hops on the way, and they do not end alike."""

    start: Namespace
    """The namespace that the packet starts in."""
    choices: int
    """How many ways there are."""
    one: PacketEnding
    other: PacketEnding


# --- firewalls --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfRule:
    """A rule, or the policy of a chain, decides, and what it does is not known; the base of those below."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DoubtfulRule(OfRule):
    """It is not known whether a rule matches, and that decides."""


@dataclass(frozen=True, slots=True)
class UnmodelledReject(OfRule):
    """The sender's errno for this answer of a REJECT is not modelled."""

    answer: str
    """How it is answered, by iptables' word."""


@dataclass(frozen=True, slots=True)
class LaterPackets(OfRule):
    """The handshake passes, and whether what follows it does is not known."""


# --- programs that make connections in the place of others ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeyondProgram:
    """The program that holds an interface has the address in its own subnet, which is not modelled."""

    link: Link
    program: str


@dataclass(frozen=True, slots=True)
class HostLoopbackOption:
    """It is not known whether slirp4netns was told to let the host's loopback in (allow_host_loopback)."""

    link: Link


@dataclass(frozen=True, slots=True)
class ContainerNotShown:
    """A program accepts for a container that is not in the picture."""

    accepted: Accepted


@dataclass(frozen=True, slots=True)
class AddressesDiffer:
    """A program accepts for a container with several addresses, and its calls to them do not end alike."""

    accepted: Accepted


@dataclass(frozen=True, slots=True)
class PastaIpv6:
    """pasta accepts by IPv6, and what it does with that is not modelled."""

    accepted: Accepted


@dataclass(frozen=True, slots=True)
class InsideFirewall:
    """A program's packets come in by the container's interface, and what its firewall makes of them is not modelled."""

    accepted: Accepted
    namespace: Namespace
    program: str


@dataclass(frozen=True, slots=True)
class ForwarderFails:
    """A program accepts for a container, and what it does when its own call ends so is not modelled."""

    accepted: Accepted
    onward: PacketEnding


@dataclass(frozen=True, slots=True)
class NotHandedOn:
    """A program's own connection failed, and its reaction is not modelled for that protocol."""

    onward: PacketEnding
    program: str
    protocol: Protocol


Reason: TypeAlias = (
    UnmodelledRoute
    | UnmodelledAddress
    | RoutedInCircles
    | UnmodelledLink
    | AttachedProgram
    | IpsecSelects
    | DuplicateAddress
    | Divergence
    | DoubtfulRule
    | UnmodelledReject
    | LaterPackets
    | BeyondProgram
    | HostLoopbackOption
    | ContainerNotShown
    | AddressesDiffer
    | PastaIpv6
    | InsideFirewall
    | ForwarderFails
    | NotHandedOn
)


@dataclass(frozen=True, slots=True)
class Unknown(PacketEnding):
    """Something on the way is beyond what is modelled."""

    disposition = Disposition.UNKNOWN
    reason: Reason
    listener: Listener | None = field(default=None, kw_only=True)
    """The listener that accepted, where it is not known how that goes on."""
