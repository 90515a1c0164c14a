"""A packet, as far as rules, routes and sockets look at it. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.model import Address


@dataclass(frozen=True, slots=True)
class Ends:
    """Addresses and ports of one direction of a connection: a tuple of conntrack."""

    source: Address
    destination: Address
    source_port: int | None
    destination_port: int | None


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, as far as rules look at it."""

    source: Address
    destination: Address
    protocol: str
    """``tcp``, ``udp``, ``icmp``, ``icmpv6`` or, for a question for a neighbour, ``arp``."""
    source_port: int | None
    """None where it is not known, which is that of a port chosen by the kernel; ICMP has none."""
    destination_port: int | None
    iif: str | None = ""
    """None where it is not known; oif likewise."""
    oif: str | None = ""
    mark: int = 0
    state: str = "new"
    """Of conntrack: ``new``, ``established``, ``related``, ``invalid`` or ``untracked``; empty where not known."""
    status: frozenset[str] = frozenset()
    """Of conntrack: ``dnat``, ``snat``."""
    conntrack_mark: int = 0
    tracked: bool = True
    source_type: str = ""
    """As the routing table has it; empty where it is to be looked up, or is not known."""
    destination_type: str = ""
    flags: frozenset[str] = frozenset({"syn"})
    reply: bool = False
    """True where it goes in conntrack's direction of replies."""
    original: Ends | None = None
    """Conntrack's tuple of the original direction; None where that is what the packet itself has."""
    replied: Ends | None = None
    """Conntrack's tuple of replies; None where that is what the packet itself has, turned round."""
    icmp_type: int | None = None
    """Of ICMP and ICMPv6; None where it is not known."""
    icmp_code: int | None = None
    hop_limit: int | None = None
    """None where it is not known, which is up to whoever sends."""
    socket: bool = False
    """True where a local socket has sent it, and it is still in that namespace on its way out."""
    user: int | None = None
    """The user of that socket; None where it is not known."""
    port_in: str | None = ""
    """The bridge port that it came in by, where br_netfilter shows it to the IP firewall; None where not known."""
    port_out: str | None = ""
    bridge: str = ""
    """The bridge that it came in by, for the family ``bridge``."""

    @property
    def ends(self) -> Ends:
        """Its own addresses and ports."""
        return Ends(self.source, self.destination, self.source_port, self.destination_port)
