"""The connections that slirp4netns makes in the place of a namespace whose interface it holds. Pure.

What it hands on was measured (docs/rootless.md).
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Link, Namespace, Protocol, RouteKind, Subnet
from testbed.evidence.programs import SLIRP
from testbed.model import Address
from testbed.predict.ending import NoListener, NoRoute, NoSource, PacketEnding, Rejected, RouteForbids
from testbed.predict.routing import own_addresses

#: What it makes an ICMP error of, for UDP (libslirp, src/socket.c, sorecvfrom).
_OF_DATAGRAMS: Final = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})


@dataclass(frozen=True, slots=True)
class Names:
    """The addresses that slirp4netns answers for itself (slirp4netns(1), --cidr)."""

    host: Address
    resolver: Address


def own_names(here: Namespace, link: Link) -> Names | None:
    """By the default route, which leads to slirp4netns itself; its resolver is the address behind."""
    for route in here.routes:
        if (
            route.link == link.index
            and route.kind is RouteKind.UNICAST
            and route.gateway
            and route.gateway.version == 4
        ):
            return Names(route.gateway, route.gateway + 1)
    return None


def subnet_with(here: Namespace, link: Link, address: Address) -> Subnet | None:
    """The subnet of slirp4netns that an address is in; None where it is in none."""
    networks = (row.address.network for row in here.addresses if row.link == link.index)
    return next((network for network in networks if address in network), None)


def held_link(here: Namespace) -> Link | None:
    """The interface of a namespace that slirp4netns holds; None where there is none."""
    return next((link for link in here.links if link.holder == SLIRP), None)


def called(there: Namespace) -> list[Address]:
    """The address that its own port handler calls in a container: the one that it gave it (--cidr)."""
    link = held_link(there)
    return list(own_addresses(there, 4, link.index))[:1] if link else []


def handed_on(onward: PacketEnding, host: str, protocol: Protocol) -> PacketEnding:
    """The ending that the namespace sees of slirp4netns's own connection, or of its own datagram.

    Of TCP it hands on resets, and what connect(2) says at once: that becomes a "network unreachable" in libslirp, but
    for EHOSTUNREACH. Of UDP it makes an ICMP error of each error that it hears of.

    :param host: the key of the namespace that slirp4netns lives in
    """
    if onward.errno is None or onward.back:
        return onward
    at_once = isinstance(onward, NoRoute | RouteForbids | NoSource) and onward.namespace.key == host
    if protocol is Protocol.UDP:
        known = onward.errno in _OF_DATAGRAMS and not at_once
        return onward if known else replace(onward, errno=errno.ENETUNREACH)
    if at_once:
        return replace(onward, errno=errno.EHOSTUNREACH if onward.errno == errno.EHOSTUNREACH else errno.ENETUNREACH)
    if isinstance(onward, NoListener) or (isinstance(onward, Rejected) and onward.answer == "tcp-reset"):
        return onward
    return replace(onward, errno=None, kept_by=SLIRP)
