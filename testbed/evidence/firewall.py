"""Firewall rules as values, the same for nftables, iptables-nft and legacy iptables.

A rule is a list of matches, all of which must hold, and then of actions, done in order. What is not understood is kept
as text and never guessed: :class:`Match` with :attr:`Field.UNKNOWN`, or an action of kind :attr:`Act.UNKNOWN`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Hook(StrEnum):
    """Where in the kernel a base chain is called (nft(8), HOOKS)."""

    INGRESS = "ingress"
    EGRESS = "egress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


class Field(StrEnum):
    """What a match looks at, and how its values are written."""

    IIF = "iif"
    """Incoming interface by name; a trailing ``+`` stands for any end."""
    OIF = "oif"
    SOURCE = "source"
    """Addresses, subnets, or ranges ``A-B``."""
    DESTINATION = "destination"
    PROTOCOL = "protocol"
    """``tcp``, ``udp``, ``icmp``, ``icmpv6``, or a number as text."""
    FAMILY = "family"
    """``4``, ``6`` or ``arp``."""
    SOURCE_PORT = "source port"
    """Ports or ranges ``A-B``."""
    DESTINATION_PORT = "destination port"
    STATE = "state"
    """Of conntrack: ``new``, ``established``, ``related``, ``invalid``, ``untracked``."""
    STATUS = "status"
    """Of conntrack: ``dnat``, ``snat``, ``seen-reply``, ``assured``, ``confirmed``, ``expected``."""
    DIRECTION = "direction"
    """Of conntrack: ``original`` or ``reply``."""
    ORIGINAL_SOURCE = "original source"
    """Of conntrack's tuple of the original direction, written as SOURCE; the next three likewise."""
    ORIGINAL_DESTINATION = "original destination"
    ORIGINAL_SOURCE_PORT = "original source port"
    ORIGINAL_DESTINATION_PORT = "original destination port"
    REPLY_SOURCE = "reply source"
    """Of its tuple of the reply direction."""
    REPLY_DESTINATION = "reply destination"
    REPLY_SOURCE_PORT = "reply source port"
    REPLY_DESTINATION_PORT = "reply destination port"
    MARK = "mark"
    """``VALUE/MASK``, both hexadecimal."""
    CONNTRACK_MARK = "conntrack mark"
    DESTINATION_TYPE = "destination type"
    """``local``, ``unicast``, ``broadcast``, ``multicast`` (the type that the routing table gives the address)."""
    SOURCE_TYPE = "source type"
    TCP_FLAGS = "tcp flags"
    """``FLAGS/MASK``, comma-separated lower-case names: ``syn/fin,syn,rst,ack``."""
    EITHER_PORT = "either port"
    """As SOURCE_PORT; it is enough if one of the two ports is among them (iptables-extensions(8), multiport)."""
    ICMP_TYPE = "icmp type"
    """Of ICMP or ICMPv6, as a number; ``TYPE/CODE`` where the code is looked at too."""
    ICMP_CODE = "icmp code"
    HOP_LIMIT = "hop limit"
    """Of IPv6, and the time to live of IPv4: numbers or ranges."""
    REVERSE_PATH = "reverse path"
    """``strict``: the route back to the source leaves by the interface that the packet came in by; ``loose``: there is
    a route back; with ``mark`` behind a blank the packet's mark chooses the route too (nft(8), FIB EXPRESSIONS;
    iptables-extensions(8), rpfilter)."""
    USER = "user"
    """Of the local socket that sent it: user IDs or ranges ``A-B``."""
    GROUP = "group"
    """Of the local socket that sent it: group IDs or ranges."""
    SOCKET = "socket"
    """``yes``: a local socket sent it, so that it was neither forwarded nor made by the kernel itself."""
    PACKET_TYPE = "packet type"
    """By its hardware address: ``unicast``, ``broadcast`` or ``multicast``."""
    FRAGMENT = "fragment"
    """``yes``: a fragment of a packet other than the first."""
    EXTENSION_HEADER = "extension header"
    """Of IPv6: the name of one that the packet has (RFC 8200, 4)."""
    IPSEC = "ipsec"
    """``none``, or ``ipsec`` for what IPsec has transformed, or will."""
    BRIDGE_PORT_IN = "bridge port in"
    """The bridge port that the frame came in by, written as IIF (iptables-extensions(8), physdev)."""
    BRIDGE_PORT_OUT = "bridge port out"
    BRIDGED = "bridged"
    """``yes``: the frame goes from port to port of a bridge."""
    BRIDGE_IN = "bridge in"
    """The bridge whose port the frame came in by, written as IIF (nft(8), META EXPRESSIONS, ibrname)."""
    BRIDGE_OUT = "bridge out"
    CONCATENATION = "concatenation"
    """Several fields at once, those in :attr:`Match.fields`; a value has theirs in order, joined by ``" . "``."""
    UNKNOWN = "unknown"
    """The one value is the match as the tool prints it. Whether it holds is not known."""


class Act(StrEnum):
    """What a rule does."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    """``argument`` is how, by iptables' word: ``icmp-port-unreachable``, ``tcp-reset``, ``icmp-host-prohibited``."""
    JUMP = "jump"
    """``argument`` is the chain."""
    GOTO = "goto"
    RETURN = "return"
    DNAT = "dnat"
    """``argument`` is ``ADDRESS``, ``ADDRESS:PORT`` or ``:PORT``; IPv6 addresses in brackets where a port follows.

    Instead of PORT there may be ``FIRST-LAST``, for a port that is kept where it is one of these, or
    ``FIRST-LAST/BASE``, for one that is moved by FIRST - BASE. ``prefix SUBNET`` gives the address another subnet, and
    keeps the rest of it (NETMAP).
    """
    SNAT = "snat"
    MASQUERADE = "masquerade"
    REDIRECT = "redirect"
    """``argument`` is ``:PORT``, with PORT as for DNAT, or empty."""
    SET_MARK = "set mark"
    """``argument`` is ``AND/XOR`` in hexadecimal: mark = (mark & AND) ^ XOR.

    Or it is ``copy MASK/CTMASK``: mark = (mark & ~MASK) ^ (conntrack mark & CTMASK).
    """
    SET_CONNTRACK_MARK = "set conntrack mark"
    """The same for the connection; ``copy`` is the other way: (conntrack mark & ~CTMASK) ^ (mark & MASK)."""
    NOTRACK = "notrack"
    UNKNOWN = "unknown"
    """``argument`` is the statement as the tool prints it. What it does to a packet is not known."""


class Backend(StrEnum):
    """Which tool a table belongs to: what its rules are printed and changed with."""

    NFTABLES = "nft"
    IPTABLES = "iptables"
    LEGACY = "iptables-legacy"


@dataclass(frozen=True, slots=True)
class Match:
    """One condition: the packet's field is one of the values, or none of them where it is negated."""

    field: Field
    values: tuple[str, ...]
    negated: bool = False
    fields: tuple[Field, ...] = ()
    """Of a CONCATENATION: the fields that are looked at."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a rule does once all its matches hold. What only counts or logs is left out."""

    act: Act
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a chain."""

    text: str
    """As its tool prints it, without the counters."""
    matches: tuple[Match, ...]
    actions: tuple[Action, ...]
    packets: int | None = None
    """How many packets it has matched; None where it does not count."""
    handle: int = field(default=0, compare=False)
    """The number by which nft(8) deletes it, one of its table; 0 where it is not known. It says nothing of a packet."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of rules. A base chain has a hook; the others are jumped to."""

    backend: Backend
    family: str
    """``ip``, ``ip6``, ``inet``, ``bridge``, ``arp`` or ``netdev``."""
    table: str
    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    kind: str = ""
    """Of a base chain: ``filter``, ``nat`` or ``route``."""
    priority: int = 0
    policy: Act = Act.ACCEPT
    """Of a base chain: what becomes of a packet that no rule decided, ACCEPT or DROP."""
    packets: int | None = None
    """How many the policy has decided, where that is counted (iptables)."""
    devices: tuple[str, ...] | None = None
    """Of one at INGRESS or EGRESS: the interfaces that it is hooked to; None where they are not known."""


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains of a namespace."""

    chains: tuple[Chain, ...] = ()

    def chain(self, like: Chain, name: str) -> Chain | None:
        """The chain of a name in the same table as another one. Of one table iptables may show some and nft others."""
        legacy = like.backend is Backend.LEGACY
        for chain in self.chains:
            if (
                chain.name == name
                and (chain.family, chain.table) == (like.family, like.table)
                and (chain.backend is Backend.LEGACY) == legacy
            ):
                return chain
        return None
