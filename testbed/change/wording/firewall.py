"""Words and commands of changes of firewalls, for nft(8) and iptables(8). Pure."""

from __future__ import annotations

import shlex

from testbed.change.firewall import ChainName, InsertRule, MoveRule, RemoveRule, RuleChange, SetPolicy
from testbed.change.wording.places import inside, label
from testbed.change.wording.words import command, words
from testbed.evidence import Backend, Chain, Evidence, Rule


@words.register
def _(change: RemoveRule, evidence: Evidence) -> str:
    return f"Remove the firewall rule of {label(evidence, change.namespace)}: {change.rule.text}"


@command.register
def _(change: RemoveRule, evidence: Evidence) -> str:
    return _here(change, evidence, _removed(change.chain, change.rule))


@words.register
def _(change: InsertRule, evidence: Evidence) -> str:
    where = f"before {change.before.text}" if change.before else f"at the top of {change.chain.name}"
    return f"Add a firewall rule on {label(evidence, change.namespace)} {where}: {_bare(change.rule.text)}"


@command.register
def _(change: InsertRule, evidence: Evidence) -> str:
    at = 0 if change.before is None else _position(change, evidence, change.before)
    return _here(change, evidence, _inserted(change.chain, change.rule, at))


@words.register
def _(change: MoveRule, evidence: Evidence) -> str:
    here, rule = label(evidence, change.namespace), change.rule.text
    return f"Move the firewall rule of {here} before {change.before.text}: {rule}"


@command.register
def _(change: MoveRule, evidence: Evidence) -> str:
    own, to = _position(change, evidence, change.rule), _position(change, evidence, change.before)
    at = to - 1 if own < to else to
    return _here(change, evidence, _removed(change.chain, change.rule), _inserted(change.chain, change.rule, at))


@words.register
def _(change: SetPolicy, evidence: Evidence) -> str:
    chain = f"{change.chain.table} {change.chain.name}"
    return f"Let {chain} of {label(evidence, change.namespace)} {change.policy} what no rule decides"


@command.register
def _(change: SetPolicy, evidence: Evidence) -> str:
    chain = change.chain
    if chain.backend is Backend.NFTABLES:
        text = f"nft chain {_table(chain)} {chain.name} '{{ policy {change.policy}; }}'"
    else:
        text = f"{_tool(chain)} -P {chain.name} {str(change.policy).upper()}"
    return _here(change, evidence, text)


def _removed(chain: ChainName, rule: Rule) -> str:
    """The command that deletes a rule; nft knows rules by their handles, which iptables has none of."""
    if chain.backend is not Backend.NFTABLES:
        return f"{_tool(chain)} -D {chain.name} {_bare(rule.text)}"
    handle = rule.handle or _asked_for(chain, rule)
    return f"nft delete rule {_table(chain)} {chain.name} handle {handle}"


def _asked_for(chain: ChainName, rule: Rule) -> str:
    """The handle of a rule where the picture does not have it: what nft prints behind the rule's own words."""
    listed = f"nft --handle list chain {_table(chain)} {chain.name}"
    return f"$({listed} | grep -F -m 1 {shlex.quote(rule.text)} | sed 's/.*# handle //')"


def _inserted(chain: ChainName, rule: Rule, at: int) -> str:
    """The command that inserts a rule.

    :param at: how many rules are to stand before it
    """
    if chain.backend is not Backend.NFTABLES:
        return f"{_tool(chain)} -I {chain.name} {at + 1} {_bare(rule.text)}"
    index = f" index {at}" if at else ""
    return f"nft insert rule {_table(chain)} {chain.name}{index} {shlex.quote(rule.text)}"


def _position(change: RuleChange, evidence: Evidence, rule: Rule) -> int:
    """How many rules stand before one."""
    namespace = evidence.namespaces.get(change.namespace)
    for chain in namespace.firewall.chains if namespace else ():
        if ChainName.of(chain) == change.chain and rule in chain.rules:
            return _apart(chain, chain.rules.index(rule))
    return 0


def _apart(chain: Chain, at: int) -> int:
    """How many rules of the tool's stand before a place: one of nft's may be several in a picture, in a row."""
    before = chain.rules[:at]
    return sum(1 for one, other in zip(before, (None, *before), strict=False) if not _same(one, other))


def _same(one: Rule, other: Rule | None) -> bool:
    return other is not None and bool(one.handle) and one.handle == other.handle


def _tool(chain: ChainName) -> str:
    tool = "ip6tables" if chain.family == "ip6" else "iptables"
    tool = f"{tool}-legacy" if chain.backend is Backend.LEGACY else tool
    return tool if chain.table == "filter" else f"{tool} -t {chain.table}"


def _table(chain: ChainName) -> str:
    return f"{chain.family} {chain.table}"


def _bare(text: str) -> str:
    """A rule's options and target: iptables-save(8) prints ``-A CHAIN`` before them."""
    if not text.startswith("-A "):
        return text
    return text.split(" ", 2)[2] if text.count(" ") > 1 else ""


def _here(change: RuleChange, evidence: Evidence, *commands: str) -> str:
    return inside(evidence, change.namespace, *commands)
