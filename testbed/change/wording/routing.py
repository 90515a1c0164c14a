"""Words and commands of changes of routes, policy rules and kernel parameters, for ip(8) and sysctl(8). Pure."""

from __future__ import annotations

from testbed.change.routing import AddRoute, RemovePolicyRule, RemoveRoute, SetSysctl
from testbed.change.wording.places import inside, ip, label, link_name
from testbed.change.wording.words import command, words
from testbed.evidence import MAIN_TABLE, Evidence, Namespace, PolicyRule, Route, RouteKind

_ALL_BITS = 0xFFFF_FFFF


@words.register
def _(change: AddRoute, evidence: Evidence) -> str:
    here = evidence.namespaces.get(change.namespace)
    return f"Add a route on {label(evidence, change.namespace)}: {_route(here, change.route)}"


@command.register
def _(change: AddRoute, evidence: Evidence) -> str:
    route = _route(evidence.namespaces.get(change.namespace), change.route)
    return inside(evidence, change.namespace, f"{ip(change.route.destination.version)} route add {route}")


@words.register
def _(change: RemoveRoute, evidence: Evidence) -> str:
    here = evidence.namespaces.get(change.namespace)
    return f"Remove the route of {label(evidence, change.namespace)}: {_route(here, change.route)}"


@command.register
def _(change: RemoveRoute, evidence: Evidence) -> str:
    route = _route(evidence.namespaces.get(change.namespace), change.route)
    return inside(evidence, change.namespace, f"{ip(change.route.destination.version)} route del {route}")


@words.register
def _(change: RemovePolicyRule, evidence: Evidence) -> str:
    return f"Remove the policy rule of {label(evidence, change.namespace)}: {_rule(change.rule)}"


@command.register
def _(change: RemovePolicyRule, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"{ip(change.rule.family)} rule del {_rule(change.rule)}")


@words.register
def _(change: SetSysctl, evidence: Evidence) -> str:
    return f"Set {_parameter(change.name)} to {change.value} on {label(evidence, change.namespace)}"


@command.register
def _(change: SetSysctl, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"sysctl -w {_parameter(change.name)}={change.value}")


def _parameter(path: str) -> str:
    """A kernel parameter as sysctl(8) writes it: with dots, unless an interface has one in its name."""
    return f"net/{path}" if "." in path else f"net.{path.replace('/', '.')}"


def _route(here: Namespace | None, route: Route) -> str:
    """A route as ip-route(8) takes it."""
    kind = "" if route.kind is RouteKind.UNICAST else str(route.kind)
    to = "default" if not route.destination.prefixlen else str(route.destination)
    link = link_name(here, route.link)
    parts = [
        kind,
        to,
        f"via {route.gateway}" if route.gateway else "",
        f"dev {link}" if link else "",
        f"src {route.source}" if route.source and route.kind is RouteKind.UNICAST else "",
        f"metric {route.metric}" if route.metric else "",
        f"table {route.table}" if route.table != MAIN_TABLE else "",
    ]
    return " ".join(part for part in parts if part)


def _rule(rule: PolicyRule) -> str:
    """A policy rule as ip-rule(8) takes it."""
    mask = "" if rule.mask == _ALL_BITS else f"/{rule.mask:#x}"
    parts = [
        f"priority {rule.priority}",
        "not" if rule.inverted else "",
        f"from {rule.source}" if rule.source else "",
        f"to {rule.destination}" if rule.destination else "",
        f"iif {rule.incoming}" if rule.incoming else "",
        f"oif {rule.outgoing}" if rule.outgoing else "",
        f"fwmark {rule.mark:#x}{mask}" if rule.mark is not None else "",
        f"lookup {rule.table}" if rule.action == "lookup" else rule.action,
    ]
    return " ".join(part for part in parts if part)
