"""Changes of firewalls: a rule removed, added or moved, a policy. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import edited
from testbed.evidence import Act, Backend, Chain, Evidence, Namespace, Rule


@dataclass(frozen=True, slots=True)
class ChainName:
    """A chain, by what tells it from others of its namespace."""

    backend: Backend
    family: str
    table: str
    name: str

    @classmethod
    def of(cls, chain: Chain) -> ChainName:
        """The name of a chain."""
        return cls(chain.backend, chain.family, chain.table, chain.name)


@dataclass(frozen=True, slots=True)
class RuleChange(Change):
    """A change of one chain; the base of those below."""

    namespace: str
    """The key of the namespace whose firewall it is."""
    chain: ChainName


@dataclass(frozen=True, slots=True)
class RemoveRule(RuleChange):
    """A rule is deleted."""

    effort = 1

    rule: Rule


@dataclass(frozen=True, slots=True)
class InsertRule(RuleChange):
    """A rule is inserted at the top of a chain, or before another one."""

    effort = 1

    rule: Rule
    before: Rule | None = None
    """None for the top of the chain."""


@dataclass(frozen=True, slots=True)
class MoveRule(RuleChange):
    """A rule is moved before another one of its chain."""

    effort = 1

    rule: Rule
    before: Rule


@dataclass(frozen=True, slots=True)
class SetPolicy(RuleChange):
    """A base chain gets another policy."""

    effort = 1

    policy: Act


@apply.register
def _remove(change: RemoveRule, evidence: Evidence) -> Evidence:
    return _edited(evidence, change, lambda rules: _without(rules, change.rule))


@apply.register
def _insert(change: InsertRule, evidence: Evidence) -> Evidence:
    return _edited(evidence, change, lambda rules: _before(rules, change.rule, change.before))


@apply.register
def _move(change: MoveRule, evidence: Evidence) -> Evidence:
    return _edited(evidence, change, lambda rules: _before(_without(rules, change.rule), change.rule, change.before))


@apply.register
def _policy(change: SetPolicy, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        return _with_chain(here, change.chain, lambda chain: replace(chain, policy=change.policy))

    return edited(evidence, change.namespace, edit)


def _edited(evidence: Evidence, change: RuleChange, edit: Callable[[tuple[Rule, ...]], tuple[Rule, ...]]) -> Evidence:
    return edited(
        evidence,
        change.namespace,
        lambda here: _with_chain(here, change.chain, lambda chain: replace(chain, rules=edit(chain.rules))),
    )


def _with_chain(here: Namespace, name: ChainName, edit: Callable[[Chain], Chain]) -> Namespace:
    chains = here.firewall.chains
    if not any(ChainName.of(chain) == name for chain in chains):
        raise ImpossibleChangeError(f"{here.label} has no chain {name.table} {name.name} any more")
    changed = tuple(edit(chain) if ChainName.of(chain) == name else chain for chain in chains)
    return replace(here, firewall=replace(here.firewall, chains=changed))


def _without(rules: tuple[Rule, ...], rule: Rule) -> tuple[Rule, ...]:
    """Rules without the first one that is like another (iptables(8), --delete)."""
    if rule not in rules:
        raise ImpossibleChangeError("that rule is gone")
    if rule.handle:
        # One rule of nft's is several here, where it matches after it has acted; they have one handle.
        return tuple(one for one in rules if one.handle != rule.handle)
    at = rules.index(rule)
    return (*rules[:at], *rules[at + 1 :])


def _before(rules: tuple[Rule, ...], rule: Rule, before: Rule | None) -> tuple[Rule, ...]:
    if before is None:
        return (rule, *rules)
    if before not in rules:
        raise ImpossibleChangeError("the rule that it is to stand before is gone")
    at = rules.index(before)
    return (*rules[:at], rule, *rules[at:])
