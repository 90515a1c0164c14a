"""One packet at one hook of the firewall of one namespace. Pure.

Matching has three values. A rule of which it is not known whether it holds is followed both ways; where the ways end
alike, that is the answer, and where they do not, the verdict is UNKNOWN, with that rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from testbed.evidence import Act, Action, Chain, Hook, Namespace, Rule, Ruleset
from testbed.predict.matching import at_once, without_conntrack
from testbed.predict.packet import Packet
from testbed.predict.rewriting import changed, translated

#: NFT_JUMP_STACK_SIZE (include/net/netfilter/nf_tables.h).
_MOST_JUMPS: Final = 16
#: How many rules of which it is not known whether they hold are followed both ways.
_MOST_DOUBTS: Final = 64
#: NF_IP_PRI_CONNTRACK (include/uapi/linux/netfilter_ipv4.h): before that a packet has no state yet.
_CONNTRACK_PRIORITY: Final = -200
_BEFORE_CONNTRACK: Final = frozenset({Hook.PREROUTING, Hook.OUTPUT})
#: When translations are made, whatever the priority of the chain that has the rule (net/netfilter/nf_nat_proto.c).
_NAT_PRIORITIES: Final = {Hook.PREROUTING: -100, Hook.OUTPUT: -100, Hook.INPUT: 100, Hook.POSTROUTING: 100}
_FAMILIES: Final = {4: frozenset({"ip", "inet"}), 6: frozenset({"ip6", "inet"})}
#: Where the chains of inet are those of a device (nft(8), HOOKS, ingress).
_OF_DEVICES: Final = frozenset({Hook.INGRESS, Hook.EGRESS})
_JUMPS: Final = frozenset({Act.JUMP, Act.GOTO})
_CHANGES: Final = frozenset({Act.SET_MARK, Act.SET_CONNTRACK_MARK, Act.NOTRACK})
_TRANSLATIONS: Final = frozenset({Act.DNAT, Act.SNAT, Act.MASQUERADE, Act.REDIRECT})
#: What ``icmpx`` is in IPv6 (nft(8), REJECT STATEMENT).
_ICMPV6_WORDS: Final = {
    "icmp-port-unreachable": "icmp6-port-unreachable",
    "icmp-admin-prohibited": "icmp6-adm-prohibited",
    "icmp-net-unreachable": "icmp6-no-route",
    "icmp-host-unreachable": "icmp6-addr-unreachable",
}


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


class Layer(StrEnum):
    """Whose chains are asked."""

    IP = "ip"
    BRIDGE = "bridge"
    ARP = "arp"
    DEVICE = "device"
    """Those that are hooked to the interface that the packet comes in by (INGRESS), or leaves by (EGRESS)."""


def judge(
    rules: Ruleset,
    hook: Hook,
    packet: Packet,
    here: Namespace | None = None,
    *,
    layer: Layer = Layer.IP,
    translate: bool = True,
) -> Judged:
    """Take a packet through all base chains of a hook, in the order of their priorities.

    A drop is final; an accept ends only its own base chain. Translations are made for new connections only, and the
    first one at a hook ends them.

    :param here: the namespace, whose routes some matches ask; without it those are not known
    :param translate: whether chains of type nat are asked too
    """
    chains = [
        chain
        for chain in rules.chains
        if chain.hook is hook and (translate or chain.kind != "nat") and _is_asked(chain, hook, packet, layer)
    ]
    chains.sort(key=lambda chain: _NAT_PRIORITIES.get(hook, 0) if chain.kind == "nat" else chain.priority)
    walk = _Walk(rules, here)
    states = [_State(packet)]
    for chain in chains:
        states = walk.base(chain, states)
    return _agreed([*walk.ends, *(_Traversal(Act.ACCEPT, state) for state in states)])


def _is_asked(chain: Chain, hook: Hook, packet: Packet, layer: Layer) -> bool:
    if layer is Layer.DEVICE:
        name = packet.iif if hook is Hook.INGRESS else packet.oif
        return chain.family in ("netdev", "inet") and (chain.devices is None or name is None or name in chain.devices)
    if layer is Layer.IP:
        return chain.family in _FAMILIES[packet.destination.version]
    return chain.family == layer


_ChainRule = tuple[Chain, Rule]


@dataclass(frozen=True, slots=True)
class _State:
    """A packet on its way through the chains, in one of the ways that it may have gone."""

    packet: Packet
    translation: Action | None = None
    translated_by: _ChainRule | None = field(default=None, compare=False)
    accepted_by: _ChainRule | None = field(default=None, compare=False)
    doubt: tuple[Chain, Rule | None] | None = field(default=None, compare=False)
    """The first rule that was taken to hold, or chain that was taken to be asked, without knowing it."""


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
    other = next((end for end in ends if not _is_alike(end, sure)), None)
    if other is not None and sure.verdict is not Act.UNKNOWN:
        doubt = other.state.doubt or sure.state.doubt
        chain, rule = doubt if doubt is not None else (other.chain, other.rule)
        return Judged(Act.UNKNOWN, sure.state.packet, chain, rule)
    state = sure.state
    chain, rule = sure.chain, sure.rule
    if sure.verdict is Act.ACCEPT and state.accepted_by is not None:
        chain, rule = state.accepted_by
    return Judged(sure.verdict, state.packet, chain, rule, sure.argument, state.translation, state.translated_by)


def _is_alike(one: _Traversal, other: _Traversal) -> bool:
    """Tell if two ways end alike: of a packet that is stopped it does not matter what became of it before."""
    if one.verdict is Act.ACCEPT:
        return one == other
    return (one.verdict, one.argument) == (other.verdict, other.argument)


def _distinct(states: list[_State]) -> list[_State]:
    """Ways that have come to the same are one; the surest of them stays."""
    if len(states) < 2:
        return states
    return list({state: state for state in sorted(states, key=lambda s: s.doubt is None)}.values())


class _Walk:
    """The way of a packet through the chains; it notes the ends that are final."""

    def __init__(self, rules: Ruleset, here: Namespace | None) -> None:
        self._rules = rules
        self._here = here
        self._doubts = 0
        self._accepted: list[_State] = []
        self._early = False
        self._hook = Hook.PREROUTING
        self.ends: list[_Traversal] = []

    def base(self, chain: Chain, states: list[_State]) -> list[_State]:
        """Take packets through a base chain; returned are those that go on to the next one."""
        passed: list[_State] = []
        if chain.kind == "nat":
            passed = [state for state in states if not _may_be_translated(state)]
            states = [state for state in states if _may_be_translated(state)]
        elif chain.hook in _OF_DEVICES and chain.devices is None:
            passed = states
            states = [replace(state, doubt=state.doubt or (chain, None)) for state in states]
        self._hook = chain.hook or self._hook
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
                states = [replace(state, packet=changed(state.packet, action)) for state in states]
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
        for state in states:
            packet = translated(state.packet, action, self._hook)
            if packet is None:
                self._end(Act.UNKNOWN, [state], here)
            else:
                self._accepted.append(
                    replace(state, packet=packet, translation=action, translated_by=here, accepted_by=here)
                )

    def _holds(self, rule: Rule, packet: Packet) -> bool | None:
        """True where all matches of a rule hold; None where that is not known."""
        return at_once(rule.matches, without_conntrack(packet) if self._early else packet, self._here)


def _may_be_translated(state: _State) -> bool:
    return state.translation is None and state.packet.state == "new" and state.packet.tracked
