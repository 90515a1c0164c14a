"""Routes, sockets and firewall rules as their tools print them. Pure."""

from __future__ import annotations

from testbed.evidence import Listener, Namespace, RouteKind
from testbed.model import Address, bracketed
from testbed.predict.ending import Verdict
from testbed.predict.routing import Chosen


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
