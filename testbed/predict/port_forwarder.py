"""Programs that listen for a published port of a rootless container, and call the container themselves. Pure.

What rootlessport, pasta and slirp4netns do then was measured (docs/rootless.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from testbed.evidence import Container, Evidence, Namespace, Protocol, Published
from testbed.evidence.programs import PASTA, ROOTLESSPORT, SLIRP, is_pasta
from testbed.model import Address
from testbed.predict import pasta, slirp
from testbed.predict.ending import Accepted, Held, NoListener, PacketEnding, RelayCloses, Suspended
from testbed.predict.steps import ProgramForwards, Step
from testbed.predict.unknown import (
    AddressesDiffer,
    ContainerNotShown,
    ForwarderFails,
    InsideFirewall,
    NotHandedOn,
    PastaIpv6,
    Unknown,
)

Travelled: TypeAlias = tuple[PacketEnding, tuple[Step, ...]]
Connect: TypeAlias = Callable[[Evidence, str, Protocol, Address, int], Travelled]
"""The way of a connection that a program makes, with those that take it over in turn."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A program's own connection, to a container that it may accept for."""

    container: Container
    published: Published
    ending: PacketEnding
    steps: tuple[Step, ...]


def by_forwarder(evidence: Evidence, ending: Accepted, connect: Connect) -> Travelled | None:
    """The program that listens for a published port takes what comes first, and connects to the container then.

    :param connect: makes its own connection
    :returns: None where whoever listens is no such program
    """
    who = ending.listener.process.name if ending.listener.process else ""
    if is_pasta(who):
        program, called = PASTA, _called_by_pasta
    elif who.startswith(ROOTLESSPORT):
        program, called = ROOTLESSPORT, _called_by_rootlessport
    elif who == SLIRP:
        program, called = SLIRP, slirp.called
    else:
        return None
    calls = list(_behind(evidence, ending, program, called, connect))
    if not calls:
        return Unknown(ending.trail, ContainerNotShown(ending), listener=ending.listener), ()
    if len({call.ending.disposition for call in calls}) > 1:
        return Unknown(ending.trail, AddressesDiffer(ending), listener=ending.listener), ()
    call = calls[0]
    if unclear := _unclear(ending, program, call.ending):
        return Unknown(ending.trail, unclear, listener=ending.listener), call.steps
    return _behind_forwarder(ending, program, call), call.steps


def _behind_forwarder(ending: Accepted, program: str, call: _Call) -> PacketEnding:
    """The ending that the caller sees of the second connection."""
    onward = call.ending
    if isinstance(onward, Accepted | Held | Suspended):
        return onward
    if isinstance(onward, NoListener):
        return RelayCloses(ending.trail, ending.listener, program, call.container, call.published, onward)
    return Unknown(ending.trail, ForwarderFails(ending, onward), listener=ending.listener)


def _unclear(ending: Accepted, program: str, onward: PacketEnding) -> PastaIpv6 | InsideFirewall | NotHandedOn | None:
    """Why the container's own connection to itself does not stand for the program's; None where it does.

    rootlessport calls from inside, and so does pasta for a caller on the loopback. For any other one pasta sends
    packets that come in by the container's interface, as slirp4netns does for all: they have another hook and source.
    """
    if program == ROOTLESSPORT:
        return None
    looped = ending.packet.source.is_loopback
    if ending.packet.protocol == Protocol.UDP and (program == PASTA or looped):
        return NotHandedOn(onward, program, Protocol.UDP)
    if program == PASTA and ending.destination.version != 4:
        return PastaIpv6(ending)
    if (program == PASTA and looped) or not onward.namespace.firewall.chains:
        return None
    return InsideFirewall(ending, onward.namespace, program)


def _behind(
    evidence: Evidence,
    ending: Accepted,
    program: str,
    called: Callable[[Namespace], list[Address]],
    connect: Connect,
) -> Iterator[_Call]:
    """The program's own connection, to each container that it may be for.

    :param called: the addresses of a container that the program may call
    """
    hosts = {host.key for host in evidence.hosts if host.namespace == ending.namespace.key}
    bound, port, protocol = ending.listener.address, ending.listener.port, ending.listener.protocol
    for container in evidence.containers:
        there = evidence.namespaces.get(container.namespace or "")
        if container.host not in hosts or there is None or there.key == ending.namespace.key:
            continue
        for published in container.published:
            wanted = published.host_address
            if published.protocol != protocol or published.host_port != port:
                continue
            if wanted and not bound.is_unspecified and wanted != str(bound):
                continue
            taken = ProgramForwards(there, program, container, published)
            for address in called(there):
                onward, steps = connect(evidence, there.key, protocol, address, published.container_port)
                yield _Call(container, published, onward, (taken, *steps))


def _called_by_rootlessport(there: Namespace) -> list[Address]:
    """It calls the container from its own IPv4 address to that same one, whichever was dialled outside."""
    return [row.address.ip for row in there.addresses if row.address.version == 4 and row.scope == "global"]


def _called_by_pasta(there: Namespace) -> list[Address]:
    """It calls the address that it gave the container; none where it holds no interface of that one."""
    link = pasta.held_link(there)
    own = pasta.own_address(there, link) if link else None
    return [own] if own else []
