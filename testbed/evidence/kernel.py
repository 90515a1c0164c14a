"""One network namespace at one moment, as its kernel shows it. Values only, a class for each kind of row."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from testbed.evidence.attached import Attached
from testbed.evidence.firewall import Ruleset
from testbed.evidence.ipsec import IpsecPolicy
from testbed.model import Address

InterfaceAddress: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Subnet: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The tables that every namespace has (include/uapi/linux/rtnetlink.h).
LOCAL_TABLE = 255
MAIN_TABLE = 254


class Protocol(StrEnum):
    """A transport protocol that has ports."""

    TCP = "tcp"
    UDP = "udp"


class RouteKind(StrEnum):
    """What a route does with a packet (ip-route(8), route types)."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    MULTICAST = "multicast"
    ANYCAST = "anycast"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    BLACKHOLE = "blackhole"
    THROW = "throw"


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a veth pair."""

    namespace: str | None
    """The key of its namespace; None where that is not in the picture."""
    index: int
    """Its ifindex there."""


@dataclass(frozen=True, slots=True)
class PastaNames:
    """The addresses that a pasta takes for others: IPv4, None where it has none for that."""

    host: Address | None = None
    """Means the host's own address (pasta(1), --map-guest-addr)."""
    loopback: Address | None = None
    """Means the host's loopback (--map-host-loopback)."""
    resolver: Address | None = None
    """Means the host's first resolver (--dns-forward)."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface (ip-link(8))."""

    index: int
    name: str
    kind: str
    """``veth``, ``bridge``, ``tun``, ``loopback``, ...; empty for a plain device."""
    mac: str
    mtu: int
    up: bool
    """Whether it is administratively up (IFF_UP)."""
    carrier: bool
    """Whether it can carry traffic now (IFF_LOWER_UP)."""
    master: int | None = None
    """The ifindex of the bridge it is a port of."""
    peer: Peer | None = None
    isolated: bool = False
    """Whether this port may not talk to other isolated ports (bridge(8))."""
    hairpin: bool = False
    """Whether this port may get back what came in by it (bridge(8))."""
    vlan_filtering: bool = False
    """Of a bridge: whether it looks at VLAN tags."""
    holder: str = ""
    """Of a tun or tap device: the process that moves its packets, such as ``slirp4netns``; empty where unknown."""
    host_loopback: bool | None = None
    """Of one that slirp4netns holds: whether it lets the namespace reach the host's loopback; None where unknown."""
    pasta: PastaNames | None = None
    """Of one that pasta holds: the addresses it takes for others; None where its options are not known."""
    lower: Peer | None = None
    """Of a macvlan or ipvlan: the interface that it is on (its parent), by namespace and ifindex."""
    mode: str = ""
    """Of a macvlan: ``private``, ``vepa``, ``bridge``, ``passthru`` or ``source``; of another kind empty."""
    group: int = 0
    """The number of its interface group (ip-link(8), group)."""


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address of an interface (ip-address(8))."""

    link: int
    address: InterfaceAddress
    scope: str
    """``global``, ``link`` or ``host``."""
    usable: bool = True
    """False while duplicate address detection has not ended, or found one (RFC 4862, 5.4)."""
    duplicate: bool = False
    """True where duplicate address detection found that somebody else has it (``dadfailed``)."""


@dataclass(frozen=True, slots=True)
class Nexthop:
    """One of several next hops of a route (ip-route(8), nexthop)."""

    link: int | None
    """The ifindex that it leaves by."""
    gateway: Address | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """A route (ip-route(8)), of any table."""

    table: int
    kind: RouteKind
    destination: Subnet
    link: int | None = None
    gateway: Address | None = None
    source: Address | None = None
    """The address it prefers as source (``src``)."""
    metric: int = 0
    mtu: int | None = None
    multipath: bool = False
    """True where it has several next hops; ``link`` and ``gateway`` are those of the first."""
    nexthops: tuple[Nexthop, ...] = ()
    """Of one with several next hops: all of them, in order; empty in pictures that tell the first only."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers from the first one to the last one, both of them included."""

    first: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A routing policy rule (ip-rule(8))."""

    priority: int
    family: int
    """4 or 6."""
    table: int
    """0 where it names none."""
    action: str = "lookup"
    """``lookup``, ``goto``, ``nop``, ``unreachable``, ``prohibit``, ``blackhole``, or another word, not modelled."""
    source: Subnet | None = None
    destination: Subnet | None = None
    incoming: str | None = None
    outgoing: str | None = None
    mark: int | None = None
    mask: int = 0xFFFF_FFFF
    inverted: bool = False
    other: str = ""
    """Selectors that are not modelled, as text; empty where there are none."""
    goto: int | None = None
    """Of ``goto``: the priority of the rule to go on with."""
    suppress_prefixlength: int | None = None
    """A route found by it is passed over where its prefix is no longer than this; None where all are taken."""
    suppress_ifgroup: int | None = None
    """A route found by it is passed over where its interface is of this group; None where all are taken."""
    protocol: int | None = None
    """The number of the transport protocol (``ipproto``)."""
    source_ports: NumberRange | None = None
    """``sport``."""
    destination_ports: NumberRange | None = None
    """``dport``."""
    uids: NumberRange | None = None
    """The users whose sockets it is for (``uidrange``)."""
    tos: int = 0
    """The type of service, or the DSCP as bits of it; 0 where it does not select by that."""
    l3mdev: bool = False
    """True where it is for packets that come or go by the interfaces of a VRF, whose table it looks up (``l3mdev``)."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry of the neighbour table (ip-neighbour(8))."""

    link: int
    address: Address
    mac: str | None
    state: str
    """``reachable``, ``stale``, ``failed``, ``permanent``, ..."""


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """An entry of a bridge's forwarding database (bridge(8))."""

    link: int
    mac: str
    state: str
    """``permanent``, ``static``, ``reachable``, ``stale``, ..."""


@dataclass(frozen=True, slots=True)
class Process:
    """Who holds a socket."""

    pid: int
    """As the machine that the picture was taken on counts."""
    name: str
    """The first 15 bytes of its program's name (proc(5), comm)."""
    container: str | None = None
    """The container it runs in, by name."""
    namespace: str | None = None
    """The namespace it lives in now, which a socket that it holds need not be of; None where unknown."""
    stopped: bool = False
    """Of the holder of a socket: whether it, and everybody else who holds the socket, is stopped by a signal (proc(5),
    state T)."""


@dataclass(frozen=True, slots=True)
class Forwarder:
    """An ssh process that was told to forward a port, whether it listens for it or not (ssh(1), -L)."""

    pid: int
    process: str
    namespace: str
    """The key of the namespace it lives in."""
    bind: str
    """Its bind address as written; empty where it names none."""
    port: int
    to_host: str
    to_port: int
    words: tuple[str, ...] = ()
    """The rest of its command line, without this forward and without what it runs on the far side: options, and where
    it leads."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that accepts, or a UDP socket that is bound and not connected."""

    protocol: Protocol
    address: Address
    port: int
    v6only: bool = False
    """Of an IPv6 socket: whether IPv4 is left out (ipv6(7), IPV6_V6ONLY)."""
    queue: int = 0
    """TCP: connections that wait to be accepted."""
    backlog: int = 0
    """TCP: how many may wait (listen(2))."""
    link: int = 0
    """The interface it is bound to (SO_BINDTODEVICE); 0 is any."""
    inode: int = 0
    process: Process | None = None
    """None where nobody visible holds it."""
    user: int | None = None
    """The user who made the socket; None where unknown."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a conntrack entry."""

    source: Address
    destination: Address
    source_port: int
    destination_port: int


@dataclass(frozen=True, slots=True)
class Conntrack:
    """An entry of the connection tracking table (conntrack(8))."""

    protocol: str
    original: Flow
    reply: Flow
    status: int
    """IPS_... bits (include/uapi/linux/netfilter/nf_conntrack_common.h)."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace."""

    key: str
    """What /proc/PID/ns/net says, such as ``net:[4026531840]``."""
    label: str
    """What people call it: its host's or its container's name."""
    links: tuple[Link, ...] = ()
    addresses: tuple[LinkAddress, ...] = ()
    routes: tuple[Route, ...] = ()
    policy_rules: tuple[PolicyRule, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    listeners: tuple[Listener, ...] = ()
    conntrack: tuple[Conntrack, ...] = ()
    firewall: Ruleset = field(default_factory=Ruleset)
    attached: tuple[Attached, ...] = ()
    """All that may discard or rewrite its packets beside the firewall: XDP programs, tc filters, queues."""
    ipsec: tuple[IpsecPolicy, ...] = ()
    """Its policies of IPsec (ip-xfrm(8))."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Those that decide connections, by their path below /proc/sys/net with slashes, such as ``ipv4/ip_forward``."""
    missing: tuple[str, ...] = ()
    """What could not be read of it, and why, a sentence each."""
