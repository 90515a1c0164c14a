"""What a name means at a place: its hosts file, then its resolvers, as the C library asks them. Pure."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, replace

from testbed.evidence import Container, Evidence, HostFacts, Place, Protocol, RouteKind
from testbed.evidence.programs import AARDVARK, DNS_PORT
from testbed.model import Address, Outcome, Phase
from testbed.predict.disposition import Ending
from testbed.predict.prediction import Disposition, Prediction, Step, StepKind
from testbed.predict.routing import choose
from testbed.predict.userspace_proxy import connect

_PODMAN_DOMAIN = ".dns.podman"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A name's addresses in the order in which they are tried, or the prediction that it has none."""

    addresses: tuple[Address, ...]
    failure: Prediction | None = None
    steps: tuple[Step, ...] = ()


def resolve(evidence: Evidence, place: Place, host: str) -> Resolved:
    """Resolve a name, or an address, which is itself."""
    assert place.namespace is not None
    try:
        return Resolved((ipaddress.ip_address(host),))
    except ValueError:
        pass
    found = place.names.hosts.lookup(host)
    if found:
        step = _step(
            evidence, place, f"{host} is {_list(found)}, by the hosts file of {place.name}", f"{found[0]} {host}"
        )
        return Resolved(_ordered(evidence, place, found), steps=(step,))
    return _ask(evidence, place, host)


def _ask(evidence: Evidence, place: Place, host: str) -> Resolved:
    steps: list[Step] = []
    lost: Ending | None = None
    lost_at: Address | None = None
    for server in place.names.nameservers:
        assert place.namespace is not None
        ending, way = connect(evidence, place.namespace, Protocol.UDP, server, DNS_PORT)
        steps += way
        if ending.end is not Disposition.ACCEPTED:
            if lost is None:
                lost, lost_at = ending, server
            continue
        known = _known_to(evidence, place, ending, host)
        if known is None:
            text = f"{host} is not in the hosts file of {place.name}, and what the resolver {server} says is not known"
            return Resolved((), _failure(Outcome.INCONCLUSIVE, Disposition.UNKNOWN, text, server, ending), tuple(steps))
        if known:
            steps.append(_step(evidence, place, f"{host} is {_list(known)}, by the resolver {server}", str(server)))
            return Resolved(_ordered(evidence, place, known), steps=tuple(steps))
        text = f"{host} is not in the hosts file of {place.name}, and the resolver {server} does not know it"
        return Resolved(
            (), _failure(Outcome.NAME_NOT_FOUND, Disposition.NAME_NOT_FOUND, text, server, ending), tuple(steps)
        )
    text = f"{host} is not in the hosts file of {place.name}, and "
    text += f"no resolver answers: {lost.why}" if lost else "it has no resolver to ask"
    if lost is not None and lost.end in (Disposition.UNKNOWN, Disposition.LEFT):
        return Resolved((), _failure(Outcome.INCONCLUSIVE, lost.end, text, lost_at, lost), tuple(steps))
    return Resolved(
        (), _failure(Outcome.RESOLVER_FAILED, Disposition.RESOLVER_FAILED, text, lost_at, lost), tuple(steps)
    )


def _known_to(evidence: Evidence, place: Place, reached: Ending, host: str) -> tuple[Address, ...] | None:
    """What a resolver that was reached says: addresses, none, or None where that is not known."""
    name = host.rstrip(".").lower()
    process = reached.listener.process if reached.listener else None
    if process is not None and process.name == AARDVARK:
        found = _containers_addresses(evidence, place.container, name.removesuffix(_PODMAN_DOMAIN))
        if found:
            return found
    elif not any(_serves(host, reached) for host in evidence.hosts):
        return None
    return _zone(place.host, name)


def _serves(host: HostFacts, reached: Ending) -> bool:
    """Whether what was reached is the resolver that a host's zone is of: the one that its own resolv.conf names."""
    own = reached.namespace == host.namespace and reached.packet.destination in host.names.nameservers
    return own and host.zone is not None


def _zone(facts: HostFacts, name: str) -> tuple[Address, ...] | None:
    return None if facts.zone is None else facts.zone.get(name, ())


def _containers_addresses(evidence: Evidence, asking: Container | None, name: str) -> tuple[Address, ...]:
    """What aardvark-dns says of a name: containers on the asking one's networks, by name, id or alias."""
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


def _ordered(evidence: Evidence, place: Place, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """RFC 6724, 6: rule 1 puts what cannot be reached from here last, rule 6 puts IPv6 before IPv4."""
    if not addresses[1:]:
        return addresses
    assert place.namespace is not None
    here = evidence.namespaces[place.namespace]
    return tuple(
        sorted(
            addresses,
            key=lambda a: (choose(here, a).kind not in (RouteKind.UNICAST, RouteKind.LOCAL), -a.version),
        )
    )


def _failure(outcome: Outcome, end: Disposition, why: str, server: Address | None, ending: Ending | None) -> Prediction:
    number = {Outcome.NAME_NOT_FOUND: socket.EAI_NONAME, Outcome.RESOLVER_FAILED: socket.EAI_AGAIN}.get(outcome)
    text = {
        Outcome.NAME_NOT_FOUND: f"[Errno {number}] Name or service not known",
        Outcome.RESOLVER_FAILED: f"[Errno {number}] Temporary failure in name resolution",
    }.get(outcome, "")
    made = Prediction(outcome, Phase.RESOLVE, number, text, why, end=end, resolver=server)
    if ending is None:
        return made
    return replace(
        made,
        namespace=ending.namespace,
        back=ending.back,
        destination=ending.packet.destination,
        port=DNS_PORT,
        listener=ending.listener,
        rule=ending.by.rule if ending.by else None,
        chain=ending.by.chain if ending.by else None,
        hook=ending.by.hook if ending.by else None,
        link=ending.link,
        path=ending.path,
        resolver_end=ending.end,
    )


def _step(evidence: Evidence, place: Place, text: str, row: str) -> Step:
    assert place.namespace is not None
    return Step(StepKind.RESOLVE, place.namespace, evidence.namespaces[place.namespace].label, text, row)


def _list(addresses: tuple[Address, ...]) -> str:
    return " and ".join(map(str, addresses))
