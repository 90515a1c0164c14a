"""One packet at one hook of the firewall of one namespace. Pure.

Matching has three values. A rule of which it is not known whether it holds is followed both ways; where the ways end
alike, that is the answer, and where they do not, the verdict is UNKNOWN, with that rule.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from testbed.evidence import Act, Action, Chain, Field, Hook, Match, Rule, Ruleset
from testbed.model import Address

#: NFT_JUMP_STACK_SIZE (include/net/netfilter/nf_tables.h).
_MOST_JUMPS: Final = 16
#: How many rules of which it is not known whether they hold are followed both ways.
_MOST_DOUBTS: Final = 64
#: What a port that is not known may be (ip(7), ip_local_port_range, the default).
_EPHEMERAL: Final = (32768, 60999)
_WITH_PORTS: Final = frozenset({"tcp", "udp"})
#: NF_IP_PRI_CONNTRACK (include/uapi/linux/netfilter_ipv4.h): before that a packet has no state yet.
_CONNTRACK_PRIORITY: Final = -200
_BEFORE_CONNTRACK: Final = frozenset({Hook.PREROUTING, Hook.OUTPUT})
_OF_CONNTRACK: Final = frozenset({Field.STATE, Field.STATUS, Field.CONNTRACK_MARK})
#: When translations are made, whatever the priority of the chain that has the rule (net/netfilter/nf_nat_proto.c).
_NAT_PRIORITIES: Final = {Hook.PREROUTING: -100, Hook.OUTPUT: -100, Hook.INPUT: 100, Hook.POSTROUTING: 100}
_FAMILIES: Final = {4: frozenset({"ip", "inet"}), 6: frozenset({"ip6", "inet"})}
_JUMPS: Final = frozenset({Act.JUMP, Act.GOTO})
_CHANGES: Final = frozenset({Act.SET_MARK, Act.SET_CONNTRACK_MARK, Act.NOTRACK})
_TRANSLATIONS: Final = frozenset({Act.DNAT, Act.SNAT, Act.MASQUERADE, Act.REDIRECT})
_LOOPBACK: Final = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}
#: What ``icmpx`` is in IPv6 (nft(8), REJECT STATEMENT).
_ICMPV6_WORDS: Final = {
    "icmp-port-unreachable": "icmp6-port-unreachable",
    "icmp-admin-prohibited": "icmp6-adm-prohibited",
    "icmp-net-unreachable": "icmp6-no-route",
    "icmp-host-unreachable": "icmp6-addr-unreachable",
}


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet, as far as rules look at it."""

    source: Address
    destination: Address
    protocol: str
    """``tcp``, ``udp``, ``icmp`` or ``icmpv6``."""
    source_port: int | None
    """None where it is not known, which is that of a port chosen by the kernel; ICMP has none."""
    destination_port: int | None
    iif: str = ""
    oif: str = ""
    mark: int = 0
    state: str = "new"
    """Of conntrack: ``new``, ``established``, ``related``, ``invalid`` or ``untracked``."""
    status: frozenset[str] = frozenset()
    """Of conntrack: ``dnat``, ``snat``."""
    conntrack_mark: int = 0
    tracked: bool = True
    source_type: str = "unicast"
    """As the routing table has it; empty where it is not known."""
    destination_type: str = "unicast"
    flags: frozenset[str] = frozenset({"syn"})


@dataclass(frozen=True, slots=True)
class Judged:
    """The result for a packet at one hook."""

    verdict: Act
    """ACCEPT, DROP, REJECT or UNKNOWN."""
    packet: Packet
    """As it goes on, after marks and translations.

    The addresses of MASQUERADE and of REDIRECT on the way in are not filled in: they are those of an interface. After
    a change of destination its type is empty.
    """
    chain: Chain | None = None
    rule: Rule | None = None
    """The rule that decided. Without a rule DROP is the chain's policy; without a chain nothing decided."""
    argument: str = ""
    """Of REJECT: how it is answered, by iptables' word."""
    translation: Action | None = None
    """The DNAT, SNAT, MASQUERADE or REDIRECT that took effect."""
    translated_by: tuple[Chain, Rule] | None = None


def judge(rules: Ruleset, hook: Hook, packet: Packet) -> Judged:
    """Take a packet through all base chains of a hook, in the order of their priorities.

    A drop is final; an accept ends only its own base chain. Translations are made for new connections only, and the
    first one at a hook ends them. The families ``bridge`` and what is hooked to devices are left out.
    """
    families = _FAMILIES[packet.destination.version]
    chains = [chain for chain in rules.chains if chain.hook is hook and chain.family in families]
    chains.sort(key=lambda chain: _NAT_PRIORITIES.get(hook, 0) if chain.kind == "nat" else chain.priority)
    walk = _Walk(rules)
    states = [_State(packet)]
    for chain in chains:
        states = walk.base(chain, states)
    return _agreed([*walk.ends, *(_Traversal(Act.ACCEPT, state) for state in states)])


_ChainRule = tuple[Chain, Rule]


@dataclass(frozen=True, slots=True)
class _State:
    """A packet on its way through the chains, in one of the ways that it may have gone."""

    packet: Packet
    translation: Action | None = None
    translated_by: _ChainRule | None = field(default=None, compare=False)
    accepted_by: _ChainRule | None = field(default=None, compare=False)
    doubt: _ChainRule | None = field(default=None, compare=False)
    """The first rule that was taken to hold without knowing it."""


@dataclass(frozen=True, slots=True)
class _Traversal:
    """How one of the ways ended."""

    verdict: Act
    state: _State
    argument: str = ""
    chain: Chain | None = field(default=None, compare=False)
    rule: Rule | None = field(default=None, compare=False)


def _agreed(ends: Sequence[_Traversal]) -> Judged:
    """The end that all ways have in common, or else UNKNOWN with the rule that made the difference."""
    sure = next((end for end in ends if end.state.doubt is None), ends[0])
    other = next((end for end in ends if end != sure), None)
    if other is not None and sure.verdict is not Act.UNKNOWN:
        doubt = other.state.doubt or sure.state.doubt
        chain, rule = doubt if doubt is not None else (other.chain, other.rule)
        return Judged(Act.UNKNOWN, sure.state.packet, chain, rule)
    state = sure.state
    chain, rule = sure.chain, sure.rule
    if sure.verdict is Act.ACCEPT and state.accepted_by is not None:
        chain, rule = state.accepted_by
    return Judged(sure.verdict, state.packet, chain, rule, sure.argument, state.translation, state.translated_by)


def _distinct(states: list[_State]) -> list[_State]:
    """Ways that have come to the same are one; the surest of them stays."""
    if len(states) < 2:
        return states
    return list({state: state for state in sorted(states, key=lambda s: s.doubt is None)}.values())


class _Walk:
    """The way of a packet through the chains; it notes the ends that are final."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules = rules
        self._doubts = 0
        self._accepted: list[_State] = []
        self._early = False
        self.ends: list[_Traversal] = []

    def base(self, chain: Chain, states: list[_State]) -> list[_State]:
        """Take packets through a base chain; returned are those that go on to the next one."""
        passed: list[_State] = []
        if chain.kind == "nat":
            passed = [state for state in states if not _may_be_translated(state)]
            states = [state for state in states if _may_be_translated(state)]
        self._early = chain.hook in _BEFORE_CONNTRACK and chain.priority <= _CONNTRACK_PRIORITY
        self._accepted = []
        through = self._chain(chain, states, 0) if states else []
        if chain.policy is Act.DROP:
            self.ends += [_Traversal(Act.DROP, state, chain=chain) for state in through]
            through = []
        return _distinct([*passed, *self._accepted, *through])

    def _chain(self, chain: Chain, states: list[_State], depth: int) -> list[_State]:
        """Take packets through a chain; returned are those that come out at its end, or by RETURN."""
        out: list[_State] = []
        for rule in chain.rules:
            if not rule.actions:
                continue
            if not states:
                break
            on: list[_State] = []
            for state in states:
                holds = self._holds(rule, state.packet)
                if holds is False:
                    on.append(state)
                    continue
                if holds is None:
                    on.append(state)
                    self._doubts += 1
                    if self._doubts > _MOST_DOUBTS:
                        self.ends.append(_Traversal(Act.UNKNOWN, state, chain=chain, rule=rule))
                        continue
                    state = replace(state, doubt=state.doubt or (chain, rule))  # noqa: PLW2901 - the other way
                going, returning = self._do(chain, rule, state, depth)
                on += going
                out += returning
            states = _distinct(on)
        return _distinct([*out, *states])

    def _do(self, chain: Chain, rule: Rule, state: _State, depth: int) -> tuple[list[_State], list[_State]]:
        """Do a rule's actions: which packets go on to the next rule, and which leave the chain."""
        here = (chain, rule)
        states = [state]
        for action in rule.actions:
            if action.act in _JUMPS:
                states = self._jump(here, action, states, depth)
                if action.act is Act.GOTO:
                    return [], states
            elif action.act in _CHANGES:
                states = [replace(state, packet=_changed(state.packet, action)) for state in states]
            else:
                return [], self._finish(here, action, states)
        return states, []

    def _jump(self, here: _ChainRule, action: Action, states: list[_State], depth: int) -> list[_State]:
        target = self._rules.chain(here[0], action.argument)
        if target is not None and depth < _MOST_JUMPS:
            return self._chain(target, states, depth + 1)
        self._end(Act.UNKNOWN, states, here)
        return []

    def _finish(self, here: _ChainRule, action: Action, states: list[_State]) -> list[_State]:
        """Do what ends the way through this chain; returned are those that only leave it."""
        if action.act is Act.RETURN:
            return states
        if action.act is Act.ACCEPT:
            self._accepted += [replace(state, accepted_by=here) for state in states]
        elif action.act in _TRANSLATIONS:
            self._translate(action, states, here)
        else:
            self._end(action.act, states, here, action.argument if action.act is Act.REJECT else "")
        return []

    def _end(self, verdict: Act, states: Sequence[_State], here: _ChainRule, argument: str = "") -> None:
        for state in states:
            word = _ICMPV6_WORDS.get(argument, argument) if state.packet.destination.version == 6 else argument
            self.ends.append(_Traversal(verdict, state, word, *here))

    def _translate(self, action: Action, states: Sequence[_State], here: _ChainRule) -> None:
        chain, _ = here
        for state in states:
            packet = _translated(state.packet, action, chain)
            if packet is None:
                self._end(Act.UNKNOWN, [state], here)
            else:
                self._accepted.append(
                    replace(state, packet=packet, translation=action, translated_by=here, accepted_by=here)
                )

    def _holds(self, rule: Rule, packet: Packet) -> bool | None:
        """True where all matches of a rule hold; None where that is not known."""
        known: bool | None = True
        for match in rule.matches:
            holds = None if self._early and match.field in _OF_CONNTRACK else _MATCHERS[match.field](match, packet)
            if holds is None:
                known = None
            elif holds is match.negated:
                return False
        return known


def _may_be_translated(state: _State) -> bool:
    return state.translation is None and state.packet.state == "new" and state.packet.tracked


# What an action does to a packet


def _changed(packet: Packet, action: Action) -> Packet:
    if action.act is Act.NOTRACK:
        return replace(packet, tracked=False, state="untracked")
    first, second, copies = _mark_argument(action.argument)
    if action.act is Act.SET_MARK:
        if copies:
            return replace(packet, mark=packet.mark & ~first ^ packet.conntrack_mark & second)
        return replace(packet, mark=packet.mark & first ^ second)
    if copies:
        return replace(packet, conntrack_mark=packet.conntrack_mark & ~second ^ packet.mark & first)
    return replace(packet, conntrack_mark=packet.conntrack_mark & first ^ second)


@functools.lru_cache(maxsize=1024)
def _mark_argument(text: str) -> tuple[int, int, bool]:
    copies = text.startswith("copy ")
    first, _, second = text.removeprefix("copy ").partition("/")
    return int(first, 16), int(second, 16), copies


def _translated(packet: Packet, action: Action, chain: Chain) -> Packet | None:
    """The packet with other addresses; None where the new port is not known."""
    if action.act is Act.MASQUERADE:
        return packet
    address, ports = _where(action.argument)
    if action.act is Act.SNAT:
        port = packet.source_port if ports is None else ports.of(packet.source_port)
        return replace(packet, source=address or packet.source, source_port=port)
    if ports is not None:
        port = ports.of(packet.destination_port)
        if port is None:
            return None
        packet = replace(packet, destination_port=port)
    if action.act is Act.REDIRECT:
        # nf_nat_redirect_ipv4 (net/netfilter/nf_nat_redirect.c)
        loopback = _LOOPBACK[packet.destination.version]
        own = loopback if chain.hook is Hook.OUTPUT else packet.destination
        return replace(packet, destination=own, destination_type="local")
    if address is None or address == packet.destination:
        return packet
    return replace(packet, destination=address, destination_type="")


@dataclass(frozen=True, slots=True)
class _Ports:
    """The ports that a translation gives."""

    first: int
    last: int
    base: int | None = None

    def of(self, port: int | None) -> int | None:
        """The new port for an old one; None where it is any of them (net/netfilter/nf_nat_core.c)."""
        if self.first == self.last:
            return self.first
        if port is None:
            return None
        moved = port if self.base is None else port - self.base + self.first
        return moved if self.first <= moved <= self.last else None


@functools.lru_cache(maxsize=1024)
def _where(text: str) -> tuple[Address | None, _Ports | None]:
    """Read ``ADDRESS``, ``ADDRESS:PORTS``, ``[ADDRESS]:PORTS``, ``:PORTS`` or nothing."""
    if not text.startswith(":") and text.count(":") != 1 and not text.startswith("["):
        return (ipaddress.ip_address(text) if text else None), None
    address, _, ports = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    found = None
    if ports:
        given, _, base = ports.partition("/")
        first, _, last = given.partition("-")
        found = _Ports(int(first), int(last or first), int(base) if base else None)
    return (ipaddress.ip_address(address.strip("[]")) if address else None), found


# What a match looks at. None: not known.

_Matcher = Callable[[Match, Packet], bool | None]


def _interface(values: tuple[str, ...], name: str) -> bool:
    return any(name.startswith(value[:-1]) if value.endswith("+") else name == value for value in values)


def _is_within(values: tuple[str, ...], address: Address) -> bool:
    number, version = int(address), address.version
    return any(first <= number <= last for of, first, last in _address_ranges(values) if of == version)


@functools.lru_cache(maxsize=4096)
def _address_ranges(values: tuple[str, ...]) -> tuple[tuple[int, int, int], ...]:
    """Family, first and last address of each."""
    found = []
    for value in values:
        first, dash, last = value.partition("-")
        if dash:
            ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
            found.append((ends[0].version, int(ends[0]), int(ends[1])))
        else:
            subnet = ipaddress.ip_network(value, strict=False)
            found.append((subnet.version, int(subnet.network_address), int(subnet.broadcast_address)))
    return tuple(found)


def _port(values: tuple[str, ...], port: int | None, packet: Packet) -> bool | None:
    if packet.protocol not in _WITH_PORTS:
        return None
    ranges = _port_ranges(values)
    if port is not None:
        return any(first <= port <= last for first, last in ranges)
    lowest, highest = _EPHEMERAL
    if any(first <= lowest and highest <= last for first, last in ranges):
        return True
    return None if any(first <= highest and lowest <= last for first, last in ranges) else False


@functools.lru_cache(maxsize=4096)
def _port_ranges(values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    ends = [value.partition("-") for value in values]
    return tuple((int(first), int(last or first)) for first, _, last in ends)


def _status(match: Match, packet: Packet) -> bool | None:
    """The translations of a connection are known; other bits of its status are not."""
    if packet.status.intersection(match.values):
        return True
    return False if {"dnat", "snat"}.issuperset(match.values) else None


def _mark(values: tuple[str, ...], mark: int) -> bool:
    return any(mark & mask == value for value, mask in _mark_values(values))


@functools.lru_cache(maxsize=1024)
def _mark_values(values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    pairs = [value.partition("/") for value in values]
    return tuple((int(value, 16), int(mask, 16)) for value, _, mask in pairs)


def _type(values: tuple[str, ...], kind: str) -> bool | None:
    return kind in values if kind else None


def _tcp_flags(match: Match, packet: Packet) -> bool | None:
    if packet.protocol != "tcp":
        return None
    return any(packet.flags & mask == wanted for wanted, mask in _flag_sets(match.values))


@functools.lru_cache(maxsize=256)
def _flag_sets(values: tuple[str, ...]) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    pairs = [value.partition("/") for value in values]
    return tuple((_flag_set(wanted), _flag_set(mask)) for wanted, _, mask in pairs)


def _flag_set(text: str) -> frozenset[str]:
    return frozenset(name for name in text.split(",") if name)


_MATCHERS: Final[dict[Field, _Matcher]] = {
    Field.IIF: lambda match, packet: _interface(match.values, packet.iif),
    Field.OIF: lambda match, packet: _interface(match.values, packet.oif),
    Field.SOURCE: lambda match, packet: _is_within(match.values, packet.source),
    Field.DESTINATION: lambda match, packet: _is_within(match.values, packet.destination),
    Field.PROTOCOL: lambda match, packet: packet.protocol in match.values,
    Field.FAMILY: lambda match, packet: str(packet.destination.version) in match.values,
    Field.SOURCE_PORT: lambda match, packet: _port(match.values, packet.source_port, packet),
    Field.DESTINATION_PORT: lambda match, packet: _port(match.values, packet.destination_port, packet),
    Field.STATE: lambda match, packet: packet.state in match.values,
    Field.STATUS: _status,
    Field.MARK: lambda match, packet: _mark(match.values, packet.mark),
    Field.CONNTRACK_MARK: lambda match, packet: _mark(match.values, packet.conntrack_mark),
    Field.DESTINATION_TYPE: lambda match, packet: _type(match.values, packet.destination_type),
    Field.SOURCE_TYPE: lambda match, packet: _type(match.values, packet.source_type),
    Field.TCP_FLAGS: _tcp_flags,
    Field.UNKNOWN: lambda match, packet: None,
}
