"""Firewall rules that netavark keeps for a network and a container, and putting them into a ruleset. Pure.

netavark adds a rule unless the chain has it already, and takes away with a container the rules of its ports, with the
last container of a network those of the network; what all networks share it leaves (netavark,
src/firewall/varktables/types.rs, TeardownPolicy, and src/firewall/nft.rs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from testbed.evidence import Act, Action, Chain, Match, Network, Published, Rule, Ruleset, Subnet
from testbed.model import Address


class Kept(StrEnum):
    """How long netavark keeps a rule."""

    ALWAYS = "always"
    NETWORK = "network"
    """As long as any container is on the network."""
    CONTAINER = "container"
    """As long as the container is on the network."""


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """A rule of netavark's, and where it stands."""

    chain: str
    table: str
    rule: Rule
    kept: Kept
    position: int | None = None
    """Counted from 0; None for the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that netavark keeps in one table family for a container on a network."""

    chains: tuple[Chain, ...]
    """Without rules; those that are not there are made."""
    rules: tuple[PlannedRule, ...]
    own_chains: frozenset[str]
    """The names of those that are removed with the network."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A container on one subnet of a network: what the rules of one address family are made from."""

    network: Network
    subnet: Subnet
    container: str
    """The container's id."""
    address: Address
    published: tuple[Published, ...]
    """Those that this family's rules are for."""
    podman: tuple[int, ...]
    """Podman's version; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class PortRange:
    """Published ports that follow one another, on the host and in the container: one range of theirs (netavark,
    PortMapping).
    """

    first: Published
    count: int

    @property
    def last(self) -> int:
        """The last port on the host."""
        return self.first.host_port + self.count - 1


def ranges(published: Iterable[Published]) -> tuple[PortRange, ...]:
    """Published ports as Podman joins them (specgenutil, ParsePortMapping)."""
    found: list[PortRange] = []
    order = sorted(published, key=lambda one: (one.protocol, one.host_address, one.container_port, one.host_port))
    for one in order:
        if found and _follows(found[-1], one):
            found[-1] = replace(found[-1], count=found[-1].count + 1)
        else:
            found.append(PortRange(one, 1))
    return tuple(found)


def _follows(before: PortRange, one: Published) -> bool:
    first, count = before.first, before.count
    return one == replace(first, container_port=first.container_port + count, host_port=first.host_port + count)


@dataclass(frozen=True, slots=True)
class Option:
    """A part of a rule that selects packets: its words, and what they mean."""

    words: str
    matches: tuple[Match, ...]


def rule(options: Iterable[Option], words: str, action: Action, *, head: str = "", tail: str = "") -> Rule:
    """A rule from its options and what it does.

    :param words: those of its action
    :param head: words before all options, such as ``-A CHAIN``
    :param tail: words between the options and those of the action that select nothing, such as a comment
    """
    parts = tuple(options)
    text = " ".join(word for word in (head, *(part.words for part in parts), tail, words) if word)
    return Rule(text, tuple(match for part in parts for match in part.matches), (action,), packets=None)


def laid(ruleset: Ruleset, plan: Plan) -> Ruleset:
    """A ruleset with all of a plan, each rule once."""

    def edit(chain: Chain, planned: list[PlannedRule]) -> Chain:
        texts = {one.text for one in chain.rules}
        # Two ports on two addresses of the host have one rule that leads to both.
        new = {one.rule.text: one for one in planned if one.rule.text not in texts}
        if not new:
            return chain
        rules = list(chain.rules)
        for one in new.values():
            rules.insert(len(rules) if one.position is None else one.position, one.rule)
        return replace(chain, rules=tuple(rules))

    known = {(chain.backend, chain.family, chain.table, chain.name) for chain in ruleset.chains}
    made = tuple(one for one in plan.chains if (one.backend, one.family, one.table, one.name) not in known)
    return _edited(replace(ruleset, chains=(*ruleset.chains, *made)), plan, edit)


def lifted(ruleset: Ruleset, plan: Plan, *, last: bool) -> Ruleset:
    """A ruleset without the rules that go with a container.

    :param last: whether it is the last one on its network, so that the network's rules and chains go too
    """
    gone = {Kept.CONTAINER, Kept.NETWORK} if last else {Kept.CONTAINER}

    def edit(chain: Chain, planned: list[PlannedRule]) -> Chain:
        texts = {one.rule.text for one in planned if one.kept in gone}
        if not texts:
            return chain
        return replace(chain, rules=tuple(one for one in chain.rules if one.text not in texts))

    left = _edited(ruleset, plan, edit)
    if not last:
        return left
    like = {(chain.backend, chain.family, chain.table) for chain in plan.chains}
    return replace(
        left,
        chains=tuple(
            chain
            for chain in left.chains
            if chain.rules
            or chain.name not in plan.own_chains
            or (chain.backend, chain.family, chain.table) not in like
        ),
    )


def _edited(ruleset: Ruleset, plan: Plan, edit: Callable[[Chain, list[PlannedRule]], Chain]) -> Ruleset:
    """A ruleset with each chain edited that a plan has rules for."""
    wanted: dict[tuple[str, str], list[PlannedRule]] = {}
    for planned in plan.rules:
        wanted.setdefault((planned.table, planned.chain), []).append(planned)
    like = {(chain.backend, chain.family) for chain in plan.chains}
    return replace(
        ruleset,
        chains=tuple(
            edit(chain, wanted[chain.table, chain.name])
            if (chain.backend, chain.family) in like and (chain.table, chain.name) in wanted
            else chain
            for chain in ruleset.chains
        ),
    )


def jump(chain: str) -> Action:
    """The action of a rule that goes on in another chain."""
    return Action(Act.JUMP, chain)
