"""Changes of listeners: bound to another address, started, stopped. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import edited, namespace_of, with_namespace
from testbed.evidence import Evidence, Listener, Namespace, Process, Protocol
from testbed.model import Address, bracketed

#: What listen(2) is given by many programs; anything that lets one connection wait would do.
_BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Rebind(Change):
    """A program listens on another address, or port, than it does."""

    effort = 2

    namespace: str
    """The key of the namespace it listens in."""
    listener: Listener
    """As it listens now."""
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class Listen(Change):
    """A program that runs, and does not listen, listens."""

    effort = 2

    namespace: str
    """The key of the namespace it is to listen in."""
    protocol: Protocol
    address: Address
    port: int
    process: Process


@dataclass(frozen=True, slots=True)
class StartProgram(Change):
    """A program is started that listens, which nothing in the picture shows."""

    effort = 6

    namespace: str
    """The key of the namespace it is to listen in."""
    protocol: Protocol
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class StopListening(Change):
    """A program that listens is ended."""

    effort = 2

    namespace: str
    """The key of the namespace it listens in."""
    listener: Listener


@apply.register
def _rebind(change: Rebind, evidence: Evidence) -> Evidence:
    here = _without(namespace_of(evidence, change.namespace), change.listener)
    moved = replace(change.listener, address=change.address, port=change.port, link=0, queue=0)
    return with_namespace(evidence, _with(here, moved))


@apply.register
def _listen(change: Listen, evidence: Evidence) -> Evidence:
    here = namespace_of(evidence, change.namespace)
    pids = {entry.process.pid for entry in here.listeners if entry.process}
    pids |= {forward.pid for forward in evidence.forwards if forward.namespace == here.key}
    if change.process.pid not in pids:
        raise ImpossibleChangeError(f"{change.process.name} (pid {change.process.pid}) is gone")
    listener = Listener(change.protocol, change.address, change.port, backlog=_BACKLOG, process=change.process)
    return with_namespace(evidence, _with(here, listener))


@apply.register
def _start_program(change: StartProgram, evidence: Evidence) -> Evidence:
    listener = Listener(change.protocol, change.address, change.port, backlog=_BACKLOG)
    return edited(evidence, change.namespace, lambda here: _with(here, listener))


@apply.register
def _stop(change: StopListening, evidence: Evidence) -> Evidence:
    return edited(evidence, change.namespace, lambda here: _without(here, change.listener))


def _without(here: Namespace, listener: Listener) -> Namespace:
    """The namespace without a listener.

    :raises ImpossibleChangeError: it has none like it
    """
    left = tuple(entry for entry in here.listeners if entry != listener)
    if len(left) == len(here.listeners):
        raise ImpossibleChangeError("that listener is gone")
    return replace(here, listeners=left)


def _with(here: Namespace, listener: Listener) -> Namespace:
    """The namespace with one more listener.

    :raises ImpossibleChangeError: bind(2) would fail with EADDRNOTAVAIL or EADDRINUSE
    """
    address, port = listener.address, listener.port
    own = (
        address.is_unspecified or _is_loopback_of(here, address) or any(r.address.ip == address for r in here.addresses)
    )
    if not own and here.sysctls.get(f"ipv{address.version}/ip_nonlocal_bind", "0") != "1":
        raise ImpossibleChangeError(f"{here.label} has no address {address} to listen on")
    for other in here.listeners:
        if other.protocol is listener.protocol and other.port == port and collide(listener, other):
            who = f"{other.process.name} (pid {other.process.pid})" if other.process else "another process"
            taken = f"{bracketed(str(other.address))}:{port}"
            raise ImpossibleChangeError(f"{who} of {here.label} already listens on {taken}")
    return replace(here, listeners=(*here.listeners, listener))


def _is_loopback_of(here: Namespace, address: Address) -> bool:
    """Tell if an address is of 127.0.0.0/8, all of which a namespace with its loopback up has (RFC 6890)."""
    return address.version == 4 and address.is_loopback and any(r.address.ip.is_loopback for r in here.addresses)


def collide(one: Listener, other: Listener) -> bool:
    """Tell if two listeners of one port cannot be at once (net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict).

    Two addresses of one family do when they are the same or either is the wildcard; an IPv6 wildcard takes IPv4 too
    where IPV6_V6ONLY is off (ipv6(7)).
    """
    if one.link and other.link and one.link != other.link:
        return False
    if one.address.version == other.address.version:
        return one.address == other.address or one.address.is_unspecified or other.address.is_unspecified
    of_six = one if one.address.version == 6 else other
    return of_six.address.is_unspecified and not of_six.v6only
