"""A change that gives a host a macvlan of its own, beside those of its containers. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import edited
from testbed.evidence import MAIN_TABLE, Evidence, Link, Namespace, Peer, Route, RouteKind
from testbed.model import Address


@dataclass(frozen=True, slots=True)
class AddMacvlan(Change):
    """A namespace gets a macvlan on one of its interfaces, of the mode ``bridge``, and a route by it (ip-link(8))."""

    effort = 1

    namespace: str
    """The key of the namespace."""
    parent: Link
    name: str
    destination: Address
    """The address that is routed by it."""
    source: Address
    """The address of the namespace that is preferred as source."""


@apply.register
def _add(change: AddMacvlan, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        if any(link.name == change.name for link in here.links):
            raise ImpossibleChangeError(f"{here.label} has an interface {change.name} already")
        index = max(link.index for link in here.links) + 1
        parent = change.parent
        made = Link(
            index,
            change.name,
            "macvlan",
            f"02:00:00:00:{index // 256:02x}:{index % 256:02x}",
            parent.mtu,
            up=True,
            carrier=True,
            lower=Peer(here.key, parent.index),
            mode="bridge",
        )
        to = ipaddress.ip_network(change.destination)
        route = Route(MAIN_TABLE, RouteKind.UNICAST, to, index, source=change.source)
        return replace(here, links=(*here.links, made), routes=(*here.routes, route))

    return edited(evidence, change.namespace, edit)
