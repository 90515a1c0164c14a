"""Routes, sockets and firewall rules as their tools print them. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import MAIN_TABLE, Listener, Namespace, PolicyRule, Route, RouteKind
from testbed.model import Address, bracketed
from testbed.predict.ending import Verdict
from testbed.predict.routing import Chosen

_ALL: Final = 0xFFFF_FFFF


def route_row(chosen: Chosen) -> str:
    """A route as ip-route(8) prints it."""
    route = chosen.route
    if route is None:
        return ""
    kind = "" if route.kind is RouteKind.UNICAST else f"{route.kind} "
    via = f" via {route.gateway}" if route.gateway else ""
    dev = f" dev {chosen.link.name}" if chosen.link else ""
    source = f" src {route.source}" if route.source else ""
    to = "default" if route.destination.prefixlen == 0 else str(route.destination)
    return f"{kind}{to}{via}{dev}{source}"


def at(address: Address, port: int | None) -> str:
    """An address and a port as ss(8) prints them; the address alone where there is no port."""
    return bracketed(str(address)) + ("" if port is None else f":{port}")


def holder(listener: Listener) -> str:
    """The process of a listener, in parentheses; empty where it is not visible."""
    return f" ({listener.process.name}, pid {listener.process.pid})" if listener.process else ""


def hook(verdict: Verdict, here: Namespace) -> str:
    """A hook of netfilter in a namespace."""
    return f"{str(verdict.hook).upper()} of {here.label}"


def rule(verdict: Verdict) -> str:
    """The rule that decided, or that it was the chain's policy."""
    return verdict.rule.text if verdict.rule else f"the policy of {verdict.chain.name}"


def forbidding(by: Route | PolicyRule) -> str:
    """A route or policy rule that forbids, with its article and what tells it from others (ip-route(8), ip-rule(8))."""
    if isinstance(by, Route):
        table = "" if by.table == MAIN_TABLE else f" in table {by.table}"
        article = "an" if by.kind is RouteKind.UNREACHABLE else "a"
        return f"{article} {by.kind} route ({by.destination}{table})"
    return f"a policy rule ({policy_rule(by)})"


def policy_rule(rule: PolicyRule) -> str:
    """A policy rule as ip-rule(8) takes it to add or remove it."""
    mask = "" if rule.mask == _ALL else f"/{rule.mask:#x}"
    words = [
        "not" if rule.inverted else "",
        f"from {rule.source}" if rule.source else "",
        f"to {rule.destination}" if rule.destination else "",
        f"tos {rule.tos:#x}" if rule.tos else "",
        f"fwmark {rule.mark:#x}{mask}" if rule.mark is not None else "",
        f"iif {rule.incoming}" if rule.incoming else "",
        f"oif {rule.outgoing}" if rule.outgoing else "",
        "l3mdev" if rule.l3mdev else "",
        f"uidrange {rule.uids.first}-{rule.uids.last}" if rule.uids else "",
        f"ipproto {rule.protocol}" if rule.protocol else "",
        f"sport {rule.source_ports}" if rule.source_ports else "",
        f"dport {rule.destination_ports}" if rule.destination_ports else "",
        rule.other,
        f"priority {rule.priority}",
        f"{rule.action} {rule.goto}" if rule.goto else rule.action if rule.action != "lookup" else "",
        f"lookup {rule.table}" if rule.action == "lookup" and not rule.l3mdev else "",
        f"suppress_prefixlength {rule.suppress_prefixlength}" if rule.suppress_prefixlength is not None else "",
        f"suppress_ifgroup {rule.suppress_ifgroup}" if rule.suppress_ifgroup is not None else "",
    ]
    return " ".join(filter(None, words))
