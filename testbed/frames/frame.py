"""A frame and what is in it. Values only, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from testbed.model import Address, bracketed

BROADCAST: Final = "ff:ff:ff:ff:ff:ff"
#: An EtherType that no protocol has: IEEE 802, local experimental 1 (RFC 9542, appendix B).
LOCAL_EXPERIMENTAL: Final = 0x88B5


@dataclass(frozen=True, slots=True)
class Arp:
    """A question about an IPv4 address, or the answer (RFC 826)."""

    request: bool
    """Whether it asks; otherwise it answers."""
    sender_mac: str
    sender: IPv4Address
    target_mac: str
    """Zeros in a question, mostly."""
    target: IPv4Address

    def __str__(self) -> str:
        if self.request:
            return f"ARP: who has {self.target}? Tell {self.sender}"
        return f"ARP: {self.sender} is at {self.sender_mac}"


@dataclass(frozen=True, slots=True)
class Ip:
    """A packet of IPv4 (RFC 791) or IPv6 (RFC 8200)."""

    version: int
    source: Address
    destination: Address
    ttl: int
    """Of IPv6 the hop limit."""
    protocol: str
    """``tcp``, ``udp``, ``icmp``, ``icmpv6``, or the number; of IPv6 what follows the extension headers."""
    source_port: int | None
    """None where there are no ports, and in every fragment but the first."""
    destination_port: int | None
    flags: str
    """Those of TCP, in the order of their bits: ``S``, ``SA``, ``PA``; empty for all others."""

    def __str__(self) -> str:
        protocol = f"protocol {self.protocol}" if self.protocol.isdigit() else self.protocol
        source = _with_port(self.source, self.source_port)
        destination = _with_port(self.destination, self.destination_port)
        return f"IPv{self.version} {protocol} {source} > {destination}" + (f" [{self.flags}]" if self.flags else "")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame at one interface. What passes several interfaces is seen at each of them."""

    tap: str
    """The name of the tap that saw it."""
    at: float
    """When, by the kernel's own clock: seconds since 1970."""
    outgoing: bool
    """Whether the interface sent it (PACKET_OUTGOING, packet(7)); otherwise it received it.

    Of the end of a veth pair that is the port of a bridge: sent is what the bridge forwards by that port.
    """
    source: str
    """A MAC address, lower case with colons."""
    destination: str
    ethertype: int
    """Of a tagged frame the one behind the tag."""
    raw: bytes
    arp: Arp | None = None
    ip: Ip | None = None
    vlan: int | None = None
    """The VLAN of its tag (IEEE 802.1Q), None where it has none."""

    @property
    def summary(self) -> str:
        """The frame as one line, without its tap and time."""
        vlan = "" if self.vlan is None else f"VLAN {self.vlan}, "
        return f"{self.source} > {self.destination}, {vlan}{self._content}"

    @property
    def _content(self) -> str:
        if self.arp is not None:
            return str(self.arp)
        if self.ip is not None:
            return str(self.ip)
        return f"EtherType 0x{self.ethertype:04x}, {len(self.raw)} bytes"


def every(_frame: Frame) -> bool:
    """The filter that wants all frames."""
    return True


def _with_port(address: Address, port: int | None) -> str:
    return str(address) if port is None else f"{bracketed(str(address))}:{port}"
