"""Processes that take a connection over and make another one of their own: rootless Podman's network. Pure.

What slirp4netns, pasta and rootlessport hand on was measured (docs/rootless.md).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Container, Evidence, HostFacts, Link, Namespace, Protocol, Published, RouteKind
from testbed.evidence.programs import DNS_PORT, PASTA, ROOTLESSPORT, SLIRP, is_pasta
from testbed.model import Address
from testbed.predict import pasta
from testbed.predict.ending import (
    Accepted,
    Held,
    Left,
    NoListener,
    NoRoute,
    NoSource,
    PacketEnding,
    Rejected,
    RelayCloses,
    RelayRefuses,
    RouteForbids,
)
from testbed.predict.multipath import travel
from testbed.predict.steps import ProgramConnects, ProgramForwards, ProgramRefuses, Step
from testbed.predict.unknown import (
    AddressesDiffer,
    BehindSlirp,
    BeyondProgram,
    ContainerNotShown,
    ForwarderFails,
    HostLoopbackOption,
    PastaFirewall,
    PastaIpv6,
    Unknown,
)

_LOOPBACK: Final = "127.0.0.1"

Travelled = tuple[PacketEnding, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class _Names:
    """The addresses that slirp4netns answers for itself (slirp4netns(1), --cidr)."""

    host: Address
    resolver: Address


def connect(evidence: Evidence, namespace: str, protocol: Protocol, address: Address, port: int) -> Travelled:
    """The way of a connection, by as many processes as take it over; each makes a new one in a namespace of its own.

    :param namespace: the key of the one it starts in
    """
    ending, steps = travel(evidence, namespace, protocol, address, port)
    if ending.back:
        return ending, steps
    taken: Travelled | None = None
    if isinstance(ending, Left) and ending.link is not None:
        if ending.link.holder == SLIRP:
            taken = _by_slirp(evidence, ending, ending.link, protocol, port)
        elif is_pasta(ending.link.holder):
            taken = _by_pasta(evidence, ending, ending.link, protocol, port)
    elif isinstance(ending, Accepted) and protocol is Protocol.TCP:
        taken = _by_forwarder(evidence, ending)
    return (ending, steps) if taken is None else (taken[0], (*steps, *taken[1]))


# --- out of the container ---------------------------------------------------------------------------------------------


def _by_slirp(evidence: Evidence, ending: Left, link: Link, protocol: Protocol, port: int) -> Travelled | None:
    """slirp4netns connects in the host's namespace; None where that is not in the picture."""
    here, to = ending.namespace, ending.destination
    host = _host_of(evidence, here)
    if host is None:
        return None
    port = ending.packet.destination_port or port
    own = _own_names(here, link)
    if own is not None and to == own.host and not link.host_loopback:
        return _closed_loopback(ending, link)
    goal: Address | None = to
    if own is not None and to == own.host:
        goal = type(to)(_LOOPBACK)
    elif own is not None and to == own.resolver and port == DNS_PORT:
        goal = next(iter(host.names.nameservers), None)
    elif _is_inside(here, link, to):
        goal = None
    if goal is None:
        return Unknown(ending.trail, BeyondProgram(link, SLIRP)), ()
    onward, steps = _onward(evidence, here, link, host, SLIRP, protocol, goal, port)
    return _handed_on(onward, host.namespace), steps


def _by_pasta(evidence: Evidence, ending: Left, link: Link, protocol: Protocol, port: int) -> Travelled | None:
    """pasta connects in the host's namespace; None where that is not in the picture, or whom it calls is not known."""
    here = ending.namespace
    host = _host_of(evidence, here)
    if host is None:
        return None
    port = ending.packet.destination_port or port
    goal = pasta.goal(here, link, ending.destination, port, next(iter(host.names.nameservers), None))
    if goal is None:
        return None
    onward, steps = _onward(evidence, here, link, host, PASTA, protocol, goal, port)
    return pasta.handed_on(onward, protocol), steps


def _onward(
    evidence: Evidence,
    here: Namespace,
    link: Link,
    host: HostFacts,
    program: str,
    protocol: Protocol,
    goal: Address,
    port: int,
) -> Travelled:
    """The connection that a program makes on the host, in the place of whoever dialled by the interface it holds."""
    there = evidence.namespaces[host.namespace]
    onward, steps = connect(evidence, there.key, protocol, goal, port)
    return onward, (ProgramConnects(there, program, link, here, goal, port), *steps)


def _closed_loopback(ending: Left, link: Link) -> Travelled:
    if link.host_loopback is None:
        return Unknown(ending.trail, HostLoopbackOption(link)), ()
    step = ProgramRefuses(ending.namespace, SLIRP, link, ending.destination)
    return RelayRefuses(ending.trail, link, SLIRP, errno=errno.ENETUNREACH), (step,)


def _handed_on(onward: PacketEnding, host: str) -> PacketEnding:
    """The ending that the container sees of slirp4netns's own connection: resets, and what fails at once.

    What connect(2) on the host says at once becomes a "network unreachable" in libslirp, but for EHOSTUNREACH.

    :param host: the key of the namespace that slirp4netns lives in
    """
    if onward.errno is None or onward.back:
        return onward
    if isinstance(onward, NoRoute | RouteForbids | NoSource) and onward.namespace.key == host:
        number = onward.errno if onward.errno == errno.EHOSTUNREACH else errno.ENETUNREACH
        return replace(onward, errno=number)
    if isinstance(onward, NoListener) or (isinstance(onward, Rejected) and onward.answer == "tcp-reset"):
        return onward
    return replace(onward, errno=None, kept_by=SLIRP)


def _host_of(evidence: Evidence, here: Namespace) -> HostFacts | None:
    """The host whose rootless user has a namespace other than the host's own; None where it is not in the picture."""
    keys = {c.host for c in evidence.containers if c.namespace == here.key}
    found = next((h for h in evidence.hosts if h.rootless_namespace == here.key or h.key in keys), None)
    return found if found and found.namespace != here.key and found.namespace in evidence.namespaces else None


def _own_names(here: Namespace, link: Link) -> _Names | None:
    """By the default route, which leads to slirp4netns itself; its resolver is the address behind."""
    for route in here.routes:
        if (
            route.link == link.index
            and route.kind is RouteKind.UNICAST
            and route.gateway
            and route.gateway.version == 4
        ):
            return _Names(route.gateway, route.gateway + 1)
    return None


def _is_inside(here: Namespace, link: Link, address: Address) -> bool:
    return any(row.link == link.index and address in row.address.network for row in here.addresses)


# --- into the container -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """A program's own connection, to a container that it may accept for."""

    container: Container
    published: Published
    ending: PacketEnding
    steps: tuple[Step, ...]


def _by_forwarder(evidence: Evidence, ending: Accepted) -> Travelled | None:
    """The program that listens for a published port accepts first, and connects to the container then."""
    who = ending.listener.process.name if ending.listener.process else ""
    if is_pasta(who):
        program, called = PASTA, _called_by_pasta
    elif who.startswith(ROOTLESSPORT):
        program, called = ROOTLESSPORT, _called_by_rootlessport
    elif who == SLIRP:
        return Unknown(ending.trail, BehindSlirp(ending), listener=ending.listener), ()
    else:
        return None
    calls = list(_behind(evidence, ending, program, called))
    if not calls:
        return Unknown(ending.trail, ContainerNotShown(ending), listener=ending.listener), ()
    if len({call.ending.disposition for call in calls}) > 1:
        return Unknown(ending.trail, AddressesDiffer(ending), listener=ending.listener), ()
    call = calls[0]
    if program == PASTA and (unclear := _not_local(ending, call.ending)):
        return Unknown(ending.trail, unclear, listener=ending.listener), call.steps
    return _behind_forwarder(ending, program, call), call.steps


def _behind_forwarder(ending: Accepted, program: str, call: _Call) -> PacketEnding:
    """The ending that the caller sees of the second connection."""
    onward = call.ending
    if isinstance(onward, Accepted | Held):
        return onward
    if isinstance(onward, NoListener):
        return RelayCloses(ending.trail, ending.listener, program, call.container, call.published, onward)
    return Unknown(ending.trail, ForwarderFails(ending, onward), listener=ending.listener)


def _not_local(ending: Accepted, onward: PacketEnding) -> PastaIpv6 | PastaFirewall | None:
    """Why the container's own connection to itself does not stand for pasta's; None where it does.

    A caller on the loopback pasta calls for from inside, and any other one by a packet that comes in by its interface.
    """
    if ending.destination.version != 4:
        return PastaIpv6(ending)
    if ending.packet.source.is_loopback or not onward.namespace.firewall.chains:
        return None
    return PastaFirewall(ending, onward.namespace)


def _behind(
    evidence: Evidence, ending: Accepted, program: str, called: Callable[[Namespace], list[Address]]
) -> Iterator[_Call]:
    """The program's own connection, to each container that it may be for.

    :param called: the addresses of a container that the program may call
    """
    hosts = {host.key for host in evidence.hosts if host.namespace == ending.namespace.key}
    bound, port = ending.listener.address, ending.listener.port
    for container in evidence.containers:
        there = evidence.namespaces.get(container.namespace or "")
        if container.host not in hosts or there is None or there.key == ending.namespace.key:
            continue
        for published in container.published:
            wanted = published.host_address
            if published.protocol != Protocol.TCP or published.host_port != port:
                continue
            if wanted and not bound.is_unspecified and wanted != str(bound):
                continue
            taken = ProgramForwards(there, program, container, published)
            for address in called(there):
                onward, steps = connect(evidence, there.key, Protocol.TCP, address, published.container_port)
                yield _Call(container, published, onward, (taken, *steps))


def _called_by_rootlessport(there: Namespace) -> list[Address]:
    """It calls the container from its own IPv4 address to that same one, whichever was dialled outside."""
    return [row.address.ip for row in there.addresses if row.address.version == 4 and row.scope == "global"]


def _called_by_pasta(there: Namespace) -> list[Address]:
    """It calls the address that it gave the container; none where it holds no interface of that one."""
    link = pasta.held_link(there)
    own = pasta.own_address(there, link) if link else None
    return [own] if own else []
