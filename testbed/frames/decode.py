"""From the bytes of a frame to its values, by scapy: the one place that knows scapy."""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING, Final

from testbed.frames.frame import Arp, Frame, Ip

if TYPE_CHECKING:
    from scapy.packet import Packet

#: Destination, source, EtherType (IEEE 802.3, 3.1.1).
HEADER: Final = struct.Struct("!6s6sH")
_TAGGED: Final = frozenset({0x8100, 0x88A8})
_VLAN: Final = 0x0FFF
_IPV4: Final = 0x0800
#: /etc/protocols calls the last one ipv6-icmp.
_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


def decode(raw: bytes, *, tap: str = "", at: float = 0.0, outgoing: bool = False) -> Frame:
    """The frame that these bytes are, from its destination address to the end of its padding.

    What is cut short, or is not what its EtherType says, has neither ``arp`` nor ``ip``.
    """
    # Imported late: it takes a quarter of a second, which nobody who captures nothing has to wait for.
    from scapy.layers.inet import IP  # noqa: PLC0415
    from scapy.layers.inet6 import IPv6  # noqa: PLC0415
    from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: PLC0415

    whole = raw.ljust(HEADER.size, b"\0")
    destination, source, ethertype = HEADER.unpack_from(whole)
    inner, vlan = Ether(whole).payload, None
    if ethertype in _TAGGED and isinstance(inner, (Dot1Q, Dot1AD)):
        vlan, ethertype, inner = inner.vlan & _VLAN, inner.type, inner.payload
    return Frame(
        tap=tap,
        at=at,
        outgoing=outgoing,
        source=source.hex(":"),
        destination=destination.hex(":"),
        ethertype=ethertype,
        raw=raw,
        arp=_arp(inner) if isinstance(inner, ARP) else None,
        ip=_ip(inner) if isinstance(inner, (IP, IPv6)) else None,
        vlan=vlan,
    )


def _arp(packet: Packet) -> Arp | None:
    """None for what is neither its question nor its answer, or not about an IPv4 and a MAC address."""
    if (packet.hwlen, packet.ptype, packet.plen) != (6, _IPV4, 4) or packet.op not in (1, 2):
        return None
    return Arp(
        request=packet.op == 1,
        sender_mac=packet.hwsrc.lower(),
        sender=ipaddress.IPv4Address(packet.psrc),
        target_mac=packet.hwdst.lower(),
        target=ipaddress.IPv4Address(packet.pdst),
    )


def _ip(packet: Packet) -> Ip | None:
    """None for what is of another version than the EtherType says."""
    from scapy.layers.inet import IP, TCP, UDP  # noqa: PLC0415

    four = isinstance(packet, IP)
    if packet.version != (4 if four else 6):
        return None
    number = packet.proto if four else packet.nh
    above = packet.payload
    while not four and _has_next_header(above):
        number, above = above.nh, above.payload
    ported = isinstance(above, (TCP, UDP))
    return Ip(
        version=packet.version,
        source=ipaddress.ip_address(packet.src),
        destination=ipaddress.ip_address(packet.dst),
        ttl=packet.ttl if four else packet.hlim,
        protocol=_PROTOCOLS.get(number, str(number)),
        source_port=above.sport if ported else None,
        destination_port=above.dport if ported else None,
        flags=str(above.flags) if isinstance(above, TCP) else "",
    )


def _has_next_header(packet: Packet) -> bool:
    """Whether it is an extension header of IPv6; a packet of IPv6 within another one has that field as well."""
    names = {field.name for field in packet.fields_desc}
    return "nh" in names and "hlim" not in names
