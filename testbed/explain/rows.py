"""Rows of evidence: each shows one fact of the picture, and knows what takes that out of it. Pure."""

from __future__ import annotations

from testbed.change import Change
from testbed.change.firewall import ChainName, RemoveRule, RuleChange, SetPolicy
from testbed.change.listening import StartProgram, StopListening
from testbed.change.names import ForgetName
from testbed.change.routing import RemoveRoute
from testbed.evidence import LOCAL_TABLE, Act, Chain, Listener, Namespace, Protocol, Route, Rule
from testbed.explain.case import at, holder
from testbed.explain.explanation import Row
from testbed.model import Address, bracketed
from testbed.predict import Prediction
from testbed.predict.ending import Verdict
from testbed.predict.steps import Forwarding, NameLookup, RouteLookup, Step, Translation
from testbed.predict.wording import row


def listener_row(namespace: Namespace, listener: Listener) -> Row:
    """A listener as ``ss -ltnp`` shows it."""
    queue = f"{listener.queue} {listener.backlog} " if listener.protocol is Protocol.TCP else ""
    state = "LISTEN" if listener.protocol is Protocol.TCP else "UNCONN"
    text = f"{state} {queue}{bound_to(namespace, listener)} {holder(listener)}"
    return Row("listener", namespace.label, text, StopListening(namespace.key, listener))


def bound_to(namespace: Namespace, listener: Listener) -> str:
    """Where a socket listens, as ss(8) prints it: with the interface that it is bound to (SO_BINDTODEVICE)."""
    link = next((link.name for link in namespace.links if listener.link and link.index == listener.link), "")
    if not link:
        return at(listener.address, listener.port)
    return f"{bracketed(str(listener.address))}%{link}:{listener.port}"


def rule_row(namespace: Namespace, verdict: Verdict) -> Row:
    """The rule of a verdict, in its chain; the policy where it was that."""
    return row_in_chain(namespace, verdict.chain, verdict.rule)


def row_in_chain(namespace: Namespace, chain: Chain, rule: Rule | None) -> Row:
    """A rule of a chain, whether or not it decided; the policy where there is none."""
    words = rule.text if rule else f"policy of the chain {chain.name} is {chain.policy}"
    name = ChainName.of(chain)
    removal: RuleChange = SetPolicy(namespace.key, name, Act.ACCEPT)
    if rule is not None:
        removal = RemoveRule(namespace.key, name, rule)
    return Row("rule", namespace.label, f"{chain.backend} {chain.family} {chain.table} {chain.name}: {words}", removal)


def route_row(namespace: Namespace, route: Route, text: str) -> Row:
    """A route as ``ip route`` shows it."""
    return Row("route", namespace.label, text, RemoveRoute(namespace.key, route))


def rows_of_walk(prediction: Prediction) -> tuple[Row, ...]:
    """The rows that the walk itself rests on."""
    found = ((step, row(step), _removal(step)) for step in prediction.steps)
    rows = (Row(str(step.kind), step.namespace.label, text, gone) for step, text, gone in found if text and gone)
    return tuple(dict.fromkeys(rows))


def no_listener_row(namespace: Namespace, protocol: Protocol, address: Address, port: int) -> Row:
    """A port that nobody listens on, as ``ss -ltn 'sport = :PORT'`` shows it."""
    tool = "ss -Hltn" if protocol is Protocol.TCP else "ss -Hlun"
    there = StartProgram(namespace.key, protocol, address, port)
    return Row("listener", namespace.label, f"{tool} 'sport = :{port}' shows nothing for {address}", there)


def _removal(step: Step) -> Change | None:
    key = step.namespace.key
    if isinstance(step, NameLookup) and step.resolver is None and step.addresses:
        return ForgetName(key, step.host)
    if isinstance(step, Translation) and step.by is not None and step.by.rule is not None:
        return RemoveRule(key, ChainName.of(step.by.chain), step.by.rule)
    if isinstance(step, RouteLookup | Forwarding) and step.chosen.route is not None:
        # An address and its local route go together.
        return None if step.chosen.route.table == LOCAL_TABLE else RemoveRoute(key, step.chosen.route)
    return None
