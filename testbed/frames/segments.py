"""What a frame's packet says of TCP, and what an error of ICMP says of the packet that it is about; by scapy."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from testbed.frames.frame import Frame
from testbed.model import Address

if TYPE_CHECKING:
    from scapy.packet import Packet

#: RFC 792: destination unreachable, time exceeded. RFC 4443: the same, and packet too big.
_ERRORS_4: Final = frozenset({3, 11})
_ERRORS_6: Final = frozenset({1, 2, 3})
_MOST_EXTENSIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment (RFC 9293, 3.1)."""

    sequence: int
    acknowledgement: int
    flags: str
    """In the order of their bits: ``S``, ``SA``, ``PA``."""
    data: bytes


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An error of ICMP, with what it quotes of the packet of TCP that it is about (RFC 792; RFC 4443, 3)."""

    kind: int
    """The type of the message."""
    code: int
    source: Address
    """Of the packet that it is about, as the one who sends the error got it."""
    destination: Address
    source_port: int
    destination_port: int
    sequence: int


def segment(frame: Frame) -> Segment | None:
    """The TCP segment in a frame; None where there is none, or not its beginning."""
    from scapy.layers.inet import TCP  # noqa: PLC0415 - as in decode

    if frame.ip is None or frame.ip.protocol != "tcp" or frame.ip.source_port is None:
        return None
    found = _packet(frame)
    if TCP not in found:
        return None
    tcp = found[TCP]
    # What is behind the end of the packet is the frame's own padding (scapy cuts it off by the length in IP).
    data = tcp.payload
    return Segment(
        int(tcp.seq), int(tcp.ack), str(tcp.flags), b"" if type(data).__name__ == "Padding" else _without_padding(data)
    )


def _without_padding(packet: Packet) -> bytes:
    from scapy.packet import NoPayload, Padding  # noqa: PLC0415

    if isinstance(packet, NoPayload):
        return b""
    whole = bytes(packet)
    padding = bytes(packet[Padding]) if Padding in packet else b""
    return whole[: len(whole) - len(padding)]


def icmp_error(frame: Frame) -> IcmpError | None:
    """The error in a frame; None for everything else, and where what it quotes is no TCP."""
    from scapy.layers.inet import ICMP, IPerror, TCPerror  # noqa: PLC0415
    from scapy.layers.inet6 import IPerror6  # noqa: PLC0415

    if frame.ip is None or frame.ip.protocol not in ("icmp", "icmpv6"):
        return None
    found = _packet(frame)
    if TCPerror not in found:
        return None
    if ICMP in found and IPerror in found:
        message, about = found[ICMP], found[IPerror]
        if message.type not in _ERRORS_4:
            return None
    elif IPerror6 in found:
        about = found[IPerror6]
        message = about.underlayer
        if message is None or message.type not in _ERRORS_6:
            return None
    else:
        return None
    tcp = found[TCPerror]
    return IcmpError(
        int(message.type),
        int(message.code),
        ipaddress.ip_address(about.src),
        ipaddress.ip_address(about.dst),
        int(tcp.sport),
        int(tcp.dport),
        int(tcp.seq),
    )


def _packet(frame: Frame) -> Packet:
    from scapy.layers.l2 import Ether  # noqa: PLC0415

    return Ether(frame.raw)
