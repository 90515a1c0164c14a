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
    """``4`` or ``6``."""
    SOURCE_PORT = "source port"
    """Ports or ranges ``A-B``."""
    DESTINATION_PORT = "destination port"
    STATE = "state"
    """Of conntrack: ``new``, ``established``, ``related``, ``invalid``, ``untracked``."""
    STATUS = "status"
    """Of conntrack: ``dnat``, ``snat``."""
    MARK = "mark"
    """``VALUE/MASK``, both hexadecimal."""
    CONNTRACK_MARK = "conntrack mark"
    DESTINATION_TYPE = "destination type"
    """``local``, ``unicast``, ``broadcast``, ``multicast`` (the type that the routing table gives the address)."""
    SOURCE_TYPE = "source type"
    TCP_FLAGS = "tcp flags"
    """``FLAGS/MASK``, comma-separated lower-case names: ``syn/fin,syn,rst,ack``."""
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
    ``FIRST-LAST/BASE``, for one that is moved by FIRST - BASE.
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
    """``ip``, ``ip6``, ``inet`` or ``bridge``."""
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
