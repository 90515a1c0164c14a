"""Which rules a packet matched, from what the kernel told or from counters that rose. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from testbed.evidence import Act, Backend, Chain, Rule, Ruleset
from testbed.readers.nft_json import Numbered
from testbed.trace.events import TABLE, Event, Marked
from testbed.trace.hops import Hit
from testbed.trace.values import RuleHit


def traced(
    events: Sequence[Event],
    numbered: Mapping[tuple[str, str, int], Numbered],
    rules: Ruleset,
    label: str,
) -> tuple[Hit, ...]:
    """The rules that matched, with the packet each time, but for those that only mark it for this.

    A rule of iptables stands in its own words, which nft has not; its place in its chain tells which it is.
    """
    packets: dict[int, Marked] = {}
    no_acts: tuple[Act, ...] = ()
    found = []
    for event in events:
        if event.marked is not None:
            packets[event.packet] = event.marked
        if event.table.startswith(TABLE):
            continue
        marked = packets.get(event.packet)
        if event.handle is None:
            if event.verdict == "drop":
                family = next((f for f in _families(event) if _has(rules, f, event)), event.family)
                rule = RuleHit(label, family, event.table, event.chain, "policy drop", event.verdict)
                found.append(Hit(rule, marked))
            continue
        family, known = _known(event, numbered)
        text, acts = f"rule with handle {event.handle}, which is gone", no_acts
        if known is not None:
            same = _of_iptables(rules, family, event.table, known)
            text = known.text if same is None else same.text
            acts = tuple(action.act for action in (known.actions if same is None else same.actions))
        hit = RuleHit(label, family, event.table, event.chain, text, event.verdict, acts, event.handle)
        found.append(Hit(hit, marked))
    return tuple(found)


def _families(event: Event) -> tuple[str, ...]:
    """Those that the table may be of: the kernel tells the packet's own, also where a table is of both."""
    return (event.family, "inet") if event.family in ("ip", "ip6") else (event.family,)


def _known(event: Event, numbered: Mapping[tuple[str, str, int], Numbered]) -> tuple[str, Numbered | None]:
    """The rule, and the family of its table. Tables of two families may be called the same, and so may their rules'
    handles, but then their chains tell them apart, mostly.
    """
    for family in _families(event):
        known = numbered.get((family, event.table, event.handle or 0))
        if known is not None and known.chain == event.chain:
            return family, known
    return event.family, None


def _has(rules: Ruleset, family: str, event: Event) -> bool:
    named = family, event.table, event.chain
    return any((chain.family, chain.table, chain.name) == named for chain in rules.chains)


def _of_iptables(rules: Ruleset, family: str, table: str, known: Numbered) -> Rule | None:
    for chain in rules.chains:
        if (chain.backend, chain.family, chain.table, chain.name) == (Backend.IPTABLES, family, table, known.chain):
            return chain.rules[known.index] if known.index < len(chain.rules) else None
    return None


def counted(before: Ruleset, after: Ruleset, label: str) -> tuple[Hit, ...]:
    """The rules whose counters rose, in the order of the chains."""
    found = []
    earlier = {_named(chain): chain for chain in before.chains}
    for chain in after.chains:
        old = earlier.get(_named(chain))
        if old is None or [rule.text for rule in old.rules] != [rule.text for rule in chain.rules]:
            continue
        for was, now in zip(old.rules, chain.rules, strict=True):
            if was.packets is not None and now.packets is not None and now.packets > was.packets:
                acts = tuple(action.act for action in now.actions)
                found.append(
                    Hit(RuleHit(label, chain.family, chain.table, chain.name, now.text, "", acts, traced=False))
                )
    return tuple(found)


def _named(chain: Chain) -> tuple[Backend, str, str, str]:
    return chain.backend, chain.family, chain.table, chain.name
