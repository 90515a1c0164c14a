"""What iptables-save(8) and ip6tables-save(8) print, as chains of rules. Pure.

What each option means is told by iptables-extensions(8). An option that is not known here makes an unknown match or an
unknown action of it, with its own words.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule
from testbed.readers.ipset_text import IpSets
from testbed.readers.iptables_match import matches_of
from testbed.readers.iptables_option import options_of
from testbed.readers.iptables_target import actions_of

_HOOKS: Final = {
    "PREROUTING": Hook.PREROUTING,
    "INPUT": Hook.INPUT,
    "FORWARD": Hook.FORWARD,
    "OUTPUT": Hook.OUTPUT,
    "POSTROUTING": Hook.POSTROUTING,
}
#: include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities; IPv6 has the same.
_PRIORITIES: Final = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_SOURCE_NAT_PRIORITY: Final = 100
_RULE: Final = re.compile(r"(?:\[(?P<packets>\d+):\d+\] )?(?P<text>-A (?P<chain>\S+).*)")
_DECLARATION: Final = re.compile(r":(?P<chain>\S+) (?P<policy>\S+)(?: \[(?P<packets>\d+):\d+\])?.*")


def parse(
    text: str, *, family: Literal["ip", "ip6"], backend: Backend, sets: IpSets | None = None
) -> tuple[Chain, ...]:
    """Read ``iptables-save -c`` (family ``ip``) or ``ip6tables-save -c`` (``ip6``), with or without its counters.

    :param sets: those of ipset(8), which rules may look into
    """
    chains: list[Chain] = []
    table = _Table("", family, backend, sets or {})
    # Not splitlines(): a comment may hold characters that end lines there.
    for line in text.split("\n"):
        if line.startswith("*"):
            chains += table.chains()
            table = _Table(line[1:].strip(), family, backend, sets or {})
        elif declared := _DECLARATION.fullmatch(line):
            table.declare(declared["chain"], declared["policy"], declared["packets"])
        elif found := _RULE.fullmatch(line):
            table.append(found["chain"], found["text"], found["packets"])
    return (*chains, *table.chains())


@dataclass(slots=True)
class _Table:
    """A table while it is read."""

    name: str
    family: str
    backend: Backend
    sets: IpSets
    declared: dict[str, Chain] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)

    def declare(self, name: str, policy: str, packets: str | None) -> None:
        chain = Chain(self.backend, self.family, self.name, name)
        hook = _HOOKS.get(name) if policy != "-" else None
        if hook is not None:
            chain = replace(
                chain,
                hook=hook,
                kind=_kind(self.name, hook),
                priority=_priority(self.name, hook),
                policy=Act.DROP if policy == "DROP" else Act.ACCEPT,
                packets=None if packets is None else int(packets),
            )
        self.declared[name] = chain
        self.rules[name] = []

    def append(self, chain: str, text: str, packets: str | None) -> None:
        if chain in self.rules:
            self.rules[chain].append(_rule(text, None if packets is None else int(packets), self.declared, self.sets))

    def chains(self) -> Iterator[Chain]:
        for name, chain in self.declared.items():
            yield replace(chain, rules=tuple(self.rules[name]))


def _kind(table: str, hook: Hook) -> str:
    if table == "mangle" and hook is Hook.OUTPUT:
        return "route"
    return "nat" if table == "nat" else "filter"


def _priority(table: str, hook: Hook) -> int:
    if table == "nat" and hook in (Hook.INPUT, Hook.POSTROUTING):
        return _SOURCE_NAT_PRIORITY
    return _PRIORITIES.get(table, 0)


def _rule(text: str, packets: int | None, chains: dict[str, Chain], sets: IpSets) -> Rule:
    try:
        # shlex takes a microsecond for each letter, and few rules have anything quoted.
        words = shlex.split(text) if any(mark in text for mark in "\"'\\") else text.split()
    except ValueError:
        return Rule(text, (Match(Field.UNKNOWN, (text,)),), (Action(Act.UNKNOWN, text),), packets)
    options = list(options_of(words[2:]))
    jump = next((index for index, option in enumerate(options) if option.name in ("-j", "-g")), len(options))
    return Rule(text, matches_of(options[:jump], sets), actions_of(options[jump:], chains, words[1]), packets)
