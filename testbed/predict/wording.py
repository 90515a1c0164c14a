"""The sentences of a walk's steps, and the rows that they rest on as the tools print them. Pure."""

from __future__ import annotations

from testbed.evidence import RouteKind
from testbed.model import Address, bracketed
from testbed.predict.firewall import Packet
from testbed.predict.routing import Chosen


def sending(label: str, destination: Address, chosen: Chosen, source: Address) -> str:
    """That a namespace sends, by which interface and from which address."""
    if chosen.kind is RouteKind.LOCAL:
        return f"{destination} is {label}'s own"
    via = f" by way of {chosen.hop}" if chosen.hop else ""
    name = chosen.link.name if chosen.link else "?"
    return f"{label} sends to {destination} by {name}{via}, from {source}"


def rewriting(label: str, packet: Packet) -> str:
    """That a namespace has made this of a packet."""
    port = "" if packet.destination_port is None else f":{packet.destination_port}"
    return f"{label} rewrites it: from {packet.source}, to {bracketed(str(packet.destination))}{port}"


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
