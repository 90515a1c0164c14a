"""Resolving a name at a place: its hosts file, then its resolvers, as the C library asks them. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from testbed.evidence import Container, Evidence, HostFacts, Namespace, Place, Protocol, RouteKind
from testbed.evidence.programs import AARDVARK, DNS_PORT
from testbed.model import Address
from testbed.predict.ending import Accepted, Left
from testbed.predict.routing import choose
from testbed.predict.steps import NameLookup, Step
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import (
    AnswerUnknown,
    NameNotFound,
    Question,
    QuestionLeft,
    QuestionUnknown,
    ResolverFailed,
    Unresolved,
)
from testbed.predict.userspace_proxy import connect

_PODMAN_DOMAIN = ".dns.podman"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A name's addresses in the order in which they are tried, or why it has none."""

    addresses: tuple[Address, ...]
    failure: Unresolved | None = None
    steps: tuple[Step, ...] = ()


def resolve(evidence: Evidence, place: Place, here: Namespace, host: str) -> Resolved:
    """Resolve a name, or an address, which is itself.

    :param here: the namespace of the place
    """
    try:
        return Resolved((ipaddress.ip_address(host),))
    except ValueError:
        pass
    found = place.names.hosts.lookup(host)
    if found:
        return Resolved(_ordered(here, found), steps=(NameLookup(here, place.name, host, found, None),))
    return _ask(evidence, place, here, host)


def _ask(evidence: Evidence, place: Place, here: Namespace, host: str) -> Resolved:
    steps: list[Step] = []
    lost: Question | None = None
    for server in place.names.nameservers:
        ending, way = connect(evidence, here.key, Protocol.UDP, server, DNS_PORT)
        steps += way
        if not isinstance(ending, Accepted):
            lost = lost or Question(server, ending)
            continue
        known = _known_to(evidence, place, ending, host)
        if known is None:
            return Resolved((), AnswerUnknown(host, place.name, server, ending), tuple(steps))
        if known:
            steps.append(NameLookup(here, place.name, host, known, server))
            return Resolved(_ordered(here, known), steps=tuple(steps))
        return Resolved((), NameNotFound(host, place.name, server, ending), tuple(steps))
    return Resolved((), _unanswered(host, place.name, lost), tuple(steps))


def _unanswered(host: str, place: str, lost: Question | None) -> Unresolved:
    if lost is not None and isinstance(lost.ending, Unknown):
        return QuestionUnknown(host, place, lost)
    if lost is not None and isinstance(lost.ending, Left):
        return QuestionLeft(host, place, lost)
    return ResolverFailed(host, place, lost)


def _known_to(evidence: Evidence, place: Place, reached: Accepted, host: str) -> tuple[Address, ...] | None:
    """The answer of a resolver that was reached: addresses, none, or None where that is not known."""
    name = host.rstrip(".").lower()
    process = reached.listener.process
    if process is not None and process.name == AARDVARK:
        found = _containers_addresses(evidence, place.container, name.removesuffix(_PODMAN_DOMAIN))
        if found:
            return found
    elif not any(_serves(host, reached) for host in evidence.hosts):
        return None
    return _zone(place.host, name)


def _serves(host: HostFacts, reached: Accepted) -> bool:
    """Tell if the socket that was reached is the resolver of the host's own resolv.conf, and its zone is known."""
    own = reached.namespace.key == host.namespace and reached.destination in host.names.nameservers
    return own and host.zone is not None


def _zone(facts: HostFacts, name: str) -> tuple[Address, ...] | None:
    return None if facts.zone is None else facts.zone.get(name, ())


def _containers_addresses(evidence: Evidence, asking: Container | None, name: str) -> tuple[Address, ...]:
    """The addresses that aardvark-dns has for a name: containers on the asking one's networks, by name, id or alias."""
    if asking is None:
        return ()
    shared = {a.network for a in asking.attachments}
    found: list[Address] = []
    for container in evidence.containers:
        if container.host != asking.host or container.state != "running":
            continue
        for attachment in container.attachments:
            called = {container.name.lower(), container.id[:12], *(alias.lower() for alias in attachment.aliases)}
            if attachment.network in shared and name in called:
                found += attachment.addresses
    return tuple(found)


def _ordered(here: Namespace, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """RFC 6724, 6: rule 1 puts what cannot be reached from here last, rule 6 puts IPv6 before IPv4."""
    if not addresses[1:]:
        return addresses
    return tuple(
        sorted(
            addresses,
            key=lambda a: (choose(here, a).kind not in (RouteKind.UNICAST, RouteKind.LOCAL), -a.version),
        )
    )
