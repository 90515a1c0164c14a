"""Causes that are rules which alter how the kernel treats a packet, and neither stop nor rewrite it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final

from testbed.change.firewall import ChainName, RemoveRule
from testbed.evidence import Act, Chain, Namespace, Rule
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy
from testbed.explain.rows import row_in_chain
from testbed.predict.ending import PacketEnding

#: What such a rule does to a connection, by its act (iptables-extensions(8), CT --notrack and MARK; nft(8), notrack).
_EFFECTS: Final[Mapping[Act, tuple[Cause, str]]] = MappingProxyType(
    {
        Act.NOTRACK: (
            Cause.PUBLISHED_NO_RULE,
            "keeps packets from connection tracking, so that nothing translates their addresses",
        ),
        Act.SET_MARK: (
            Cause.ROUTE_ASTRAY,
            "gives packets a mark, by which they are treated otherwise further on, as by a policy rule",
        ),
    }
)
#: netavark's own chains, of either backend, whose marks are for masquerading (netavark, src/firewall).
_NETAVARK: Final = "NETAVARK"
#: Rules that are proposed at the most.
_MOST: Final = 8


def proposals(case: Case) -> Iterator[Proposal]:
    """Take out each rule on the way that alters packets: it need not have met this one."""
    for here, chain, rule, act in islice(_rules(case), _MOST):
        cause, does = _EFFECTS[act]
        yield Proposal(
            cause,
            f"A rule of {here.label} {does}, and the connection to {case.said} fails for that: {rule.text}.",
            (row_in_chain(here, chain, rule),),
            (
                Remedy(
                    "Take that rule out, if it is not meant",
                    changes=(RemoveRule(here.key, ChainName.of(chain), rule),),
                ),
            ),
        )


def _rules(case: Case) -> Iterator[tuple[Namespace, Chain, Rule, Act]]:
    ending = case.prediction.ending
    last = (ending.namespace,) if isinstance(ending, PacketEnding) else ()
    met = {here.key: here for here in (*(step.namespace for step in case.prediction.steps), *last)}
    for here in met.values():
        for chain in here.firewall.chains:
            if _NETAVARK not in chain.name.upper() and _NETAVARK not in chain.table.upper():
                for rule in chain.rules:
                    for action in rule.actions:
                        if action.act in _EFFECTS:
                            yield here, chain, rule, action.act
