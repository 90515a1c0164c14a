"""What a packet passes beside firewalls: XDP programs and tc(8) at interfaces, and policies of IPsec. Pure."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Final

from testbed.evidence import Direction, Evidence, IpsecDemand, IpsecDirection, Link, Namespace, Peer, Protocol
from testbed.predict.ending import Discarded, PacketEnding, Trail
from testbed.predict.packet import Packet
from testbed.predict.routing import link_of
from testbed.predict.segment import Station
from testbed.predict.unknown import AttachedProgram, IpsecSelects, Unknown
from testbed.predict.walk_record import WalkRecord

_Passed = tuple[Namespace, Link, Direction]
_NUMBERS: Final[Mapping[str, int]] = {Protocol.TCP: socket.IPPROTO_TCP, Protocol.UDP: socket.IPPROTO_UDP}


def stopped_between(
    evidence: Evidence,
    record: WalkRecord,
    here: Namespace,
    link: Link,
    station: Station,
    packet: Packet,
    *,
    asks: bool,
) -> PacketEnding | None:
    """The ending where something is attached to an interface between a sender and a station; None where nothing is.

    :param link: the sender's interface
    :param asks: whether the sender asks for the station's hardware address first: where every frame is discarded, in
        either direction, it learns nothing, and that is the error
    """
    for namespace, passed, direction in _between(evidence, here, link, station):
        trail = record.trail(namespace, packet)
        discards = (one for one in namespace.attached if one.link == passed.index and one.discards)
        if asks and (attached := next(discards, None)):
            return Discarded(trail, passed, attached, errno=errno.EHOSTUNREACH)
        if found := _stopped_at(trail, passed, direction):
            return found
    return None


def stopped_on_loopback(trail: Trail, link: Link) -> PacketEnding | None:
    """The ending where something is attached to the loopback interface that a packet goes and comes by."""
    return _stopped_at(trail, link, Direction.EGRESS) or _stopped_at(trail, link, Direction.INGRESS)


def _stopped_at(trail: Trail, link: Link, direction: Direction) -> PacketEnding | None:
    """The ending where something is attached to an interface of the namespace that a packet is in."""
    for attached in trail.namespace.attached:
        if attached.link == link.index and attached.direction is direction:
            if attached.discards:
                return Discarded(trail, link, attached)
            return Unknown(trail, AttachedProgram(link, attached))
    return None


def _between(evidence: Evidence, here: Namespace, link: Link, station: Station) -> Iterator[_Passed]:
    """The interfaces on the way of a frame, in order, and the direction that it passes each in."""
    yield here, link, Direction.EGRESS
    siblings = link.lower is not None and link.lower == station.link.lower
    if (parent := _other(evidence, link.lower)) and not siblings:
        yield *parent, Direction.EGRESS
    if station.out is not None:
        yield here, station.out, Direction.EGRESS
    ends = [*(bridged.port for bridged in station.bridges), station.port or station.link]
    for bridged, onward in zip(station.bridges, ends[1:], strict=True):
        yield bridged.namespace, bridged.port, Direction.INGRESS
        if out := _other(evidence, onward.peer or onward.lower):
            yield *out, Direction.EGRESS
    if (below := _other(evidence, station.link.lower)) and not siblings:
        yield *below, Direction.INGRESS
    if station.port is not None:
        yield station.namespace, station.port, Direction.INGRESS
    yield station.namespace, station.link, Direction.INGRESS


def _other(evidence: Evidence, peer: Peer | None) -> tuple[Namespace, Link] | None:
    there = evidence.namespaces.get(peer.namespace) if peer and peer.namespace else None
    link = link_of(there, peer.index) if there and peer else None
    return (there, link) if there and link else None


def ipsec_selects(trail: Trail, direction: IpsecDirection) -> Unknown | None:
    """The ending where a policy of IPsec selects a packet and does not let it pass as it is (ip-xfrm(8)).

    Of the policies that select it the one with the lowest priority counts (net/xfrm/xfrm_policy.c,
    xfrm_policy_lookup_bytype).
    """
    packet = trail.packet
    for policy in sorted(trail.namespace.ipsec, key=lambda one: one.priority):
        if (
            policy.direction is direction
            and packet.source in policy.source
            and packet.destination in policy.destination
            and policy.protocol in (0, _NUMBERS.get(packet.protocol))
        ):
            return None if policy.demand is IpsecDemand.NOTHING else Unknown(trail, IpsecSelects(policy))
    return None
