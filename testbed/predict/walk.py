"""The walk of a SYN: resolve, choose a route, be delivered, find a listener or not. The beginning of ``predict``.

It knows addresses, on-link routes, default routes, forwarding and listeners. It does not know filters, NAT, other
routes or policy rules yet: a world that has them is not to be handed to it.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from dataclasses import dataclass
from typing import Final

from testbed.model import Address, Outcome, Phase, Target
from testbed.predict.world import Place, Stack, World

_MOST_HOPS: Final = 8
_WILDCARD: Final = {4: ipaddress.ip_address("0.0.0.0"), 6: ipaddress.ip_address("::")}


@dataclass(frozen=True, slots=True)
class Prediction:
    """How an attempt will end, and why."""

    outcome: Outcome
    phase: Phase
    errno: int | None
    text: str
    """What a client of the C library will say; empty when connected."""
    why: str
    """The deciding fact, as a sentence."""
    address: Address | None = None
    """The address that decided: the one that connects, or the first one tried."""


def predict(world: World, place_name: str, target: Target) -> Prediction:
    """Predict one attempt over TCP, whose listeners answer everything above TCP too.

    A name with several addresses connects if one of them does, and fails as the first one does (RFC 8305; Go's
    dialSerial and glibc's clients report so).

    :param place_name: a key of ``world.places``
    """
    place = world.places[place_name]
    addresses = _resolve(place, target.host)
    if not addresses:
        return _unresolved(place, target.host)
    ends = [_connect(world, place.stack, address, target.port) for address in addresses]
    return next((end for end in ends if end.outcome is Outcome.CONNECTED), ends[0])


def _resolve(place: Place, host: str) -> tuple[Address, ...]:
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        return tuple(sorted(place.hosts.lookup(host), key=lambda a: -a.version))  # IPv6 first: RFC 6724, rule 6


def _unresolved(place: Place, host: str) -> Prediction:
    if place.resolver_answers:
        return Prediction(
            Outcome.NAME_NOT_FOUND,
            Phase.RESOLVE,
            socket.EAI_NONAME,
            f"[Errno {socket.EAI_NONAME}] Name or service not known",
            f"{host} is not in the hosts file there, and the resolver does not know it",
        )
    return Prediction(
        Outcome.RESOLVER_FAILED,
        Phase.RESOLVE,
        socket.EAI_AGAIN,
        f"[Errno {socket.EAI_AGAIN}] Temporary failure in name resolution",
        f"{host} is not in the hosts file there, and no resolver is within reach",
    )


def _connect(world: World, start: str, address: Address, port: int) -> Prediction:
    here = start
    for _ in range(_MOST_HOPS):
        stack = world.stacks[here]
        if stack.owns(address):
            return _deliver(stack, here, address, port)
        if here != start and not stack.forwards:
            return _failed(errno.EHOSTUNREACH, f"{here} does not forward", address)
        hop, segment = _route(stack, address)
        if hop is None:
            if here == start:
                return _failed(errno.ENETUNREACH, f"{here} has no route to {address}", address)
            return _failed(errno.ENETUNREACH, f"{here}, on the way, has no route to {address} and says so", address)
        neighbour = _neighbour(world, segment, hop)
        if neighbour is None:
            return _failed(errno.EHOSTUNREACH, f"nobody on {segment} has {hop}", address)
        here = neighbour
    return Prediction(Outcome.INCONCLUSIVE, Phase.CONNECT, None, "", f"{address} goes in circles", address)


def _route(stack: Stack, address: Address) -> tuple[Address | None, str]:
    """The next hop and the segment it is on: on-link where a prefix covers it, the longest first, else the gateway."""
    fitting = [i for i in stack.interfaces if address in i.address.network]
    if fitting:
        return address, max(fitting, key=lambda i: i.address.network.prefixlen).segment
    gateway = stack.gateway
    if gateway is not None and gateway.version == address.version:
        return gateway, next(i.segment for i in stack.interfaces if gateway in i.address.network)
    return None, ""


def _neighbour(world: World, segment: str, hop: Address) -> str | None:
    """Who answers the ARP question for an address on a segment."""
    return next(
        (
            name
            for name, stack in world.stacks.items()
            if any(i.segment == segment and i.address.ip == hop for i in stack.interfaces)
        ),
        None,
    )


def _deliver(stack: Stack, name: str, address: Address, port: int) -> Prediction:
    for bound in (address, _WILDCARD[address.version]):
        if (bound, port) in stack.listeners:
            why = f"{name} listens on {bound} port {port}"
            return Prediction(Outcome.CONNECTED, Phase.HTTP, None, "", why, address)
    bound_there = sorted(str(a) for a, p in stack.listeners if p == port)
    only = f"only on {', '.join(bound_there)}" if bound_there else "nowhere"
    return _failed(
        errno.ECONNREFUSED, f"{address} is {name}'s own, and port {port} is listened on {only} there", address
    )


_OUTCOMES: Final = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ENETUNREACH: Outcome.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Outcome.HOST_UNREACHABLE,
}


def _failed(number: int, why: str, address: Address) -> Prediction:
    text = f"[Errno {number}] {os.strerror(number)}"
    return Prediction(_OUTCOMES[number], Phase.CONNECT, number, text, why, address)
