"""Processes that take a connection over and make another one of their own: rootless Podman's network. Pure.

What slirp4netns, pasta and rootlessport hand on was measured (docs/rootless.md).
"""

from __future__ import annotations

import errno
from typing import Final

from testbed.evidence import Evidence, HostFacts, Link, Namespace, Protocol
from testbed.evidence.programs import DNS_PORT, PASTA, SLIRP, is_pasta
from testbed.model import Address
from testbed.predict import pasta, slirp
from testbed.predict.absent_helper import named
from testbed.predict.ending import Accepted, Left, NoNeighbour, PacketEnding, RelayRefuses
from testbed.predict.multipath import travel
from testbed.predict.port_forwarder import by_forwarder
from testbed.predict.rootless import InsideSubnet, OutdatedCopy
from testbed.predict.routing import own_addresses
from testbed.predict.steps import ProgramConnects, ProgramRefuses, Step
from testbed.predict.suspended import suspended
from testbed.predict.unknown import BeyondProgram, HostLoopbackOption, Unknown

_LOOPBACK: Final = "127.0.0.1"

Travelled = tuple[PacketEnding, tuple[Step, ...]]


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
    elif isinstance(ending, Accepted):
        if asleep := suspended(evidence, ending):
            return asleep, steps
        taken = by_forwarder(evidence, ending, connect)
    return (named(evidence, ending), steps) if taken is None else (taken[0], (*steps, *taken[1]))


# --- out of the container ---------------------------------------------------------------------------------------------


def _by_slirp(evidence: Evidence, ending: Left, link: Link, protocol: Protocol, port: int) -> Travelled | None:
    """slirp4netns connects in the host's namespace; None where that is not in the picture."""
    here, to = ending.namespace, ending.destination
    host = _host_of(evidence, here)
    if host is None:
        return None
    port = ending.packet.destination_port or port
    own = slirp.own_names(here, link)
    if own is not None and to == own.host and not link.host_loopback:
        return _closed_loopback(ending, link)
    goal: Address | None = to
    if own is not None and to == own.host:
        goal = type(to)(_LOOPBACK)
    elif own is not None and to == own.resolver and port == DNS_PORT:
        goal = next(iter(host.names.nameservers), None)
    elif subnet := slirp.subnet_with(here, link, to):
        if own is not None and to.version == 4 and to != own.resolver:
            return InsideSubnet(ending.trail, link, to, subnet=subnet, program=SLIRP, errno=errno.EHOSTUNREACH), ()
        goal = None
    if goal is None:
        return Unknown(ending.trail, BeyondProgram(link, SLIRP)), ()
    onward, steps = _onward(evidence, here, link, host, SLIRP, protocol, goal, port)
    return slirp.handed_on(onward, host.namespace, protocol), steps


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
    if isinstance(onward, NoNeighbour) and _is_outdated(evidence, ending, link, host, goal):
        trail, hop = onward.trail, onward.hop
        onward = OutdatedCopy(trail, onward.link, hop, copied=here, errno=onward.errno, there=onward.there)
    return pasta.handed_on(onward, protocol), steps


def _is_outdated(evidence: Evidence, ending: Left, link: Link, host: HostFacts, goal: Address) -> bool:
    """Tell if the host was called by pasta's name for it, and has the copied address no more."""
    called = link.pasta is not None and ending.destination == link.pasta.host
    return called and goal not in own_addresses(evidence.namespaces[host.namespace], goal.version)


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


def _host_of(evidence: Evidence, here: Namespace) -> HostFacts | None:
    """The host whose rootless user has a namespace other than the host's own; None where it is not in the picture."""
    keys = {c.host for c in evidence.containers if c.namespace == here.key}
    found = next((h for h in evidence.hosts if h.rootless_namespace == here.key or h.key in keys), None)
    return found if found and found.namespace != here.key and found.namespace in evidence.namespaces else None
