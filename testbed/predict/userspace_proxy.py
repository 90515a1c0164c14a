"""Processes that take a connection over and make another one of their own: rootless Podman's network. Pure.

What slirp4netns, pasta and rootlessport hand on was measured (docs/rootless.md).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Act, Evidence, HostFacts, Link, Namespace, Protocol, RouteKind
from testbed.evidence.programs import DNS_PORT, PASTA, ROOTLESSPORT, SLIRP, is_pasta
from testbed.model import Address, bracketed
from testbed.predict import pasta
from testbed.predict.disposition import Ending
from testbed.predict.multipath import travel
from testbed.predict.prediction import Disposition, Step, StepKind

#: What connect(2) on the host says at once. libslirp makes a "network unreachable" of it, but for this one.
_AT_ONCE: Final = frozenset({Disposition.NO_ROUTE, Disposition.ROUTE_FORBIDS, Disposition.NO_SOURCE})
_LOOPBACK: Final = "127.0.0.1"

Travelled = tuple[Ending, tuple[Step, ...]]


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
    if ending.end is Disposition.LEFT and ending.link is not None:
        if ending.link.holder == SLIRP:
            taken = _by_slirp(evidence, ending, ending.link, protocol)
        elif is_pasta(ending.link.holder):
            taken = _by_pasta(evidence, ending, ending.link, protocol)
    elif ending.end is Disposition.ACCEPTED and protocol is Protocol.TCP:
        taken = _by_forwarder(evidence, ending)
    return (ending, steps) if taken is None else (taken[0], (*steps, *taken[1]))


# --- out of the container ---------------------------------------------------------------------------------------------


def _by_slirp(evidence: Evidence, ending: Ending, link: Link, protocol: Protocol) -> Travelled | None:
    """slirp4netns connects in the host's namespace; None where that is not in the picture."""
    here = evidence.namespaces[ending.namespace]
    host = _host_of(evidence, here)
    if host is None:
        return None
    to, port = ending.packet.destination, ending.packet.destination_port or 0
    own = _own_names(here, link)
    if own is not None and to == own.host and not link.host_loopback:
        return _closed_loopback(ending, here, link)
    goal: Address | None = to
    if own is not None and to == own.host:
        goal = type(to)(_LOOPBACK)
    elif own is not None and to == own.resolver and port == DNS_PORT:
        goal = next(iter(host.names.nameservers), None)
    elif _is_inside(here, link, to):
        goal = None
    if goal is None:
        why = f"{to} is beyond {link.name} of {here.label}, and what {SLIRP} does with it is not modelled"
        return replace(ending, end=Disposition.UNKNOWN, why=why), ()
    onward, steps = _onward(evidence, ending, host, SLIRP, protocol, goal)
    return _handed_on(onward, host.namespace), steps


def _by_pasta(evidence: Evidence, ending: Ending, link: Link, protocol: Protocol) -> Travelled | None:
    """pasta connects in the host's namespace; None where that is not in the picture, or whom it calls is not known."""
    here = evidence.namespaces[ending.namespace]
    host = _host_of(evidence, here)
    if host is None:
        return None
    to, port = ending.packet.destination, ending.packet.destination_port or 0
    goal = pasta.goal(here, link, to, port, next(iter(host.names.nameservers), None))
    if goal is None:
        return None
    onward, steps = _onward(evidence, ending, host, PASTA, protocol, goal)
    return pasta.handed_on(onward, protocol), steps


def _onward(
    evidence: Evidence, ending: Ending, host: HostFacts, program: str, protocol: Protocol, goal: Address
) -> Travelled:
    """The connection that a program makes on the host, in the place of whoever dialled by the interface it holds."""
    here, there = evidence.namespaces[ending.namespace], evidence.namespaces[host.namespace]
    port, name = ending.packet.destination_port or 0, ending.link.name if ending.link else ""
    text = f"{program} takes it and connects to {bracketed(str(goal))}:{port} from {there.label}"
    taken = Step(StepKind.RELAY, there.key, there.label, text, f"{name} of {here.label} is held by {program}")
    onward, steps = connect(evidence, there.key, protocol, goal, port)
    return onward, (taken, *steps)


def _closed_loopback(ending: Ending, here: Namespace, link: Link) -> Travelled:
    to = ending.packet.destination
    if link.host_loopback is None:
        why = f"{to} is the host's loopback for {here.label}, and whether {SLIRP} lets it in is not known"
        return replace(ending, end=Disposition.UNKNOWN, why=why), ()
    why = f"{to} is the host's loopback for {here.label}, which {SLIRP} keeps closed (allow_host_loopback=false)"
    step = Step(StepKind.RELAY, here.key, here.label, f"{SLIRP} takes it and refuses: {why}", f"{link.name} {SLIRP}")
    return replace(ending, end=Disposition.RELAY_REFUSES, why=why, errno=errno.ENETUNREACH), (step,)


def _handed_on(onward: Ending, host: str) -> Ending:
    """What the container hears of what happens to slirp4netns's connection: resets, and what fails at once.

    :param host: the key of the namespace that slirp4netns lives in
    """
    if onward.errno is None or onward.back:
        return onward
    if onward.end in _AT_ONCE and onward.namespace == host:
        number = onward.errno if onward.errno == errno.EHOSTUNREACH else errno.ENETUNREACH
        return replace(onward, errno=number)
    if onward.end is Disposition.NO_LISTENER or _resets(onward):
        return onward
    why = f"{onward.why}; {SLIRP} hands on only a reset, so that the container hears nothing"
    return replace(onward, why=why, errno=None)


def _resets(onward: Ending) -> bool:
    """Whether a firewall rule answers with a reset, and not by ICMP."""
    rule = onward.by.rule if onward.by else None
    return rule is not None and any(a.act is Act.REJECT and a.argument == "tcp-reset" for a in rule.actions)


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


def _by_forwarder(evidence: Evidence, ending: Ending) -> Travelled | None:
    """Who listens for a published port accepts first, and connects to the container then."""
    who = ending.listener.process.name if ending.listener and ending.listener.process else ""
    if is_pasta(who):
        program, called = PASTA, _called_by_pasta
    elif who.startswith(ROOTLESSPORT):
        program, called = ROOTLESSPORT, _called_by_rootlessport
    elif who == SLIRP:
        why = f"{ending.why} for a container, and what it does when that cannot be reached is not modelled"
        return replace(ending, end=Disposition.UNKNOWN, why=why), ()
    else:
        return None
    ways = list(_behind(evidence, ending, program, called))
    if not ways:
        why = f"{ending.why}, and the container that it does so for is not in the picture"
        return replace(ending, end=Disposition.UNKNOWN, why=why), ()
    if len({onward.end for onward, _ in ways}) > 1:
        why = f"{ending.why}, for one of several addresses of the container, which do not end alike"
        return replace(ending, end=Disposition.UNKNOWN, why=why), ()
    onward, steps = ways[0]
    if program == PASTA and (unclear := _not_local(evidence, ending, onward)):
        return replace(ending, end=Disposition.UNKNOWN, why=f"{ending.why}, and {unclear}"), steps
    return _behind_forwarder(ending, onward), steps


def _behind_forwarder(ending: Ending, onward: Ending) -> Ending:
    """What the caller sees of the second connection."""
    if onward.end in (Disposition.ACCEPTED, Disposition.HELD):
        return onward
    if onward.end is Disposition.NO_LISTENER:
        return replace(ending, end=Disposition.RELAY_CLOSES, why=f"{ending.why}, and closes it again: {onward.why}")
    return replace(
        ending, end=Disposition.UNKNOWN, why=f"{ending.why}, and what it does then is not modelled: {onward.why}"
    )


def _not_local(evidence: Evidence, ending: Ending, onward: Ending) -> str:
    """Why the container's own connection to itself does not stand for pasta's; empty where it does.

    A caller on the loopback pasta calls for from inside, and any other one by a packet that comes in by its interface.
    """
    if ending.packet.destination.version != 4:
        return f"what {PASTA} does with IPv6 is not modelled"
    if ending.packet.source.is_loopback or not evidence.namespaces[onward.namespace].firewall.chains:
        return ""
    return f"what the firewall rules of {evidence.namespaces[onward.namespace].label} do then is not modelled"


def _behind(
    evidence: Evidence, ending: Ending, program: str, called: Callable[[Namespace], list[Address]]
) -> Iterator[Travelled]:
    """The program's own connection, to each container that it may be for.

    :param called: the addresses of a container that the program may call
    """
    hosts = {host.key for host in evidence.hosts if host.namespace == ending.namespace}
    assert ending.listener is not None
    bound, port = ending.listener.address, ending.listener.port
    for container in evidence.containers:
        there = evidence.namespaces.get(container.namespace or "")
        if container.host not in hosts or there is None or there.key == ending.namespace:
            continue
        for published in container.published:
            wanted = published.host_address
            if published.protocol != Protocol.TCP or published.host_port != port:
                continue
            if wanted and not bound.is_unspecified and wanted != str(bound):
                continue
            text = f"{program} takes it and connects to port {published.container_port} in {there.label}"
            row = f"{port}->{published.container_port}/tcp {container.name}"
            taken = Step(StepKind.RELAY, there.key, there.label, text, row)
            for address in called(there):
                onward, steps = connect(evidence, there.key, Protocol.TCP, address, published.container_port)
                yield onward, (taken, *steps)


def _called_by_rootlessport(there: Namespace) -> list[Address]:
    """It calls the container from its own IPv4 address to that same one, whichever was dialled outside."""
    return [row.address.ip for row in there.addresses if row.address.version == 4 and row.scope == "global"]


def _called_by_pasta(there: Namespace) -> list[Address]:
    """It calls the address that it gave the container; none where it holds no interface of that one."""
    link = pasta.held_link(there)
    own = pasta.own_address(there, link) if link else None
    return [own] if own else []
