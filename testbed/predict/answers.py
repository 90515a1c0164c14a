"""The packets that a namespace sends back: a SYN-ACK, a reset or an ICMP error. Pure."""

from __future__ import annotations

from dataclasses import replace

from testbed.evidence import Namespace
from testbed.model import Address
from testbed.predict import routing
from testbed.predict.ending import PacketEnding, Rejected, Taken
from testbed.predict.packet import Packet


def answer_to(packet: Packet, ending: PacketEnding) -> Packet:
    """The segment that answers a packet: SYN-ACK where it was accepted, else a reset (RFC 9293, 3.10.7).

    A reset that a firewall makes is related to the connection, and not part of it (nf_reject_ipv4.c, nf_send_reset).
    """
    return replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
        iif="",
        mark=0,
        tracked=True,
        reply=True,
        socket=isinstance(ending, Taken),
        user=ending.listener.user if isinstance(ending, Taken) else None,
        flags=frozenset({"syn", "ack"}) if ending.errno is None else frozenset({"rst", "ack"}),
        state="related" if isinstance(ending, Rejected) else "established",
    )


def icmp_error_to(here: Namespace, packet: Packet, ending: PacketEnding) -> Packet:
    """The ICMP error about a packet: destination unreachable (RFC 792; RFC 4443, 3.1)."""
    return replace(
        answer_to(packet, ending),
        source=_icmp_source(here, packet),
        protocol="icmp" if packet.source.version == 4 else "icmpv6",
        source_port=None,
        destination_port=None,
        state="related",
        icmp_type=3 if packet.source.version == 4 else 1,
    )


def _icmp_source(here: Namespace, packet: Packet) -> Address:
    """The address that an ICMP error comes from: the one that the packet was for, or that of the way back."""
    if routing.is_local(here, packet.destination):
        return packet.destination
    back = routing.choose(here, packet.source)
    return routing.source_for(here, packet.source, back) or packet.destination
