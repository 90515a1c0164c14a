"""Others who reach a service once something is changed: predicted, as the attempt itself is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from testbed.change import ImpossibleChangeError, apply_all
from testbed.evidence import Attempt, Evidence, HostFacts, Namespace, Place, Protocol
from testbed.evidence.beyond import Remote, remotes
from testbed.explain.case import Case
from testbed.explain.counterfactual import Counterfactuals, same_place
from testbed.explain.explanation import Remedy
from testbed.explain.sibling import SIBLING, with_sibling
from testbed.model import Address, Outcome, Scheme, Target
from testbed.predict import predict
from testbed.predict.ending import Taken

#: Places that are asked about one remedy at the most.
_MOST: Final = 8
#: What remotes are called; by the first part of their word.
_REMOTE: Final = {"lan": "the LAN on {0} of {host}", "outside": "what is beyond the router of {host}"}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Those who reach a service after a change, and did not before."""

    size: int
    """How many kinds of places that are; the LAN and what is beyond it count most."""
    text: str
    """Them, in words; empty where there are none."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Places that are alike: containers on one set of networks, or a host."""

    place: Place
    """One of them."""
    words: str


@dataclass(frozen=True, slots=True)
class _Service:
    """A program that an attempt reaches, so that it is known again in a picture where others call it otherwise."""

    namespace: str
    containers: frozenset[tuple[str, str]]
    """The containers that live in the namespace, by host and id; none of a host's own."""
    port: int
    pid: int
    """Its process; 0 where that is not visible."""
    protocol: Protocol
    called: tuple[tuple[Address, int], ...]
    """The address and port by which the attempt reached it; none of a loopback."""


def exposed(trials: Counterfactuals, remedy: Remedy) -> Exposure:
    """Those who reach the service that a remedy leads to, and did not before in any way."""
    after = trials.after(remedy.changes, remedy.target)
    service = _service(after) if after is not None else None
    if after is None or service is None or not remedy.changes:
        return Exposure(0, "")
    before = trials.case
    found = [*_beside_the_caller(trials, service, remedy), *_from_elsewhere(trials, service, after)]
    found += [
        group.words
        for group in _groups(after)
        if _reaches(trials, service, after.evidence, group.place)
        and not _reaches(trials, service, before.evidence, group.place)
    ]
    found = list(dict.fromkeys(found))
    return Exposure(len(found), ", ".join(found))


def _service(case: Case) -> _Service | None:
    ending, called = case.prediction.ending, case.prediction.address
    if not isinstance(ending, Taken):
        return None
    key, process = ending.namespace.key, ending.listener.process
    containers = () if case.is_host(key) else case.containers_in(key)
    by = ((called, case.attempt.target.port),) if called is not None and not called.is_loopback else ()
    return _Service(
        key,
        frozenset((c.host, c.id) for c in containers),
        ending.listener.port,
        process.pid if process else 0,
        case.protocol,
        by,
    )


def _beside_the_caller(trials: Counterfactuals, service: _Service, remedy: Remedy) -> Iterator[str]:
    """Containers on the networks of the caller: one that is added to the picture is asked, as there may be none."""
    case = trials.case
    container = case.place.container
    if container is None or not container.attachments:
        return
    before = with_sibling(case.evidence, container)
    try:
        after = apply_all(remedy.changes, before)
    except ImpossibleChangeError:
        return
    place = next((place for place in after.places() if place.container and place.container.id == SIBLING), None)
    if place is None or not _reaches(trials, service, after, place) or _reaches(trials, service, before, place):
        return
    yield _words(place, sorted(network.name for network in case.networks_of(container)), place.host)


def _from_elsewhere(trials: Counterfactuals, service: _Service, after: Case) -> Iterator[str]:
    """The host's LANs, and what is beyond its router."""
    end = after.end
    host = next((h for h in after.evidence.hosts if end and end.key in (h.namespace, h.rootless_namespace)), None)
    if host is None and end is not None:
        whose = next((c.host for c in after.containers_in(end.key)), None)
        host = after.evidence.host(whose) if whose else None
    if host is None:
        return
    for one in remotes(after.evidence, host):
        before = next((r for r in remotes(trials.case.evidence, host) if r.word == one.word), None)
        if _reached_by(trials, service, one) and not (before and _reached_by(trials, service, before)):
            yield _REMOTE[one.word.partition(":")[0]].format(one.word.partition(":")[2] or host.name, host=host.name)


def _reached_by(trials: Counterfactuals, service: _Service, remote: Remote) -> bool:
    ports = {service.port, *(port for _, port in service.called), *_published(service, remote.evidence)}
    return any(
        _connects(trials, service, remote.evidence, remote.place, address, port)
        for address in remote.addresses
        for port in sorted(ports)
    )


def _groups(case: Case) -> Iterator[_Group]:
    """Places other than the one that connects: a host, and one container of each set of networks of it."""
    seen: set[tuple[str, frozenset[str]]] = set()
    end = case.end.key if case.end else None
    for place in case.evidence.places()[::-1]:
        if place.namespace in (None, case.place.namespace, end):
            continue
        networks = case.networks_of(place.container) if place.container else ()
        kind = (place.host.key, frozenset(network.name for network in networks))
        if kind in seen or len(seen) >= _MOST:
            continue
        seen.add(kind)
        yield _Group(place, _words(place, sorted(n.name for n in networks), place.host))


def _words(place: Place, networks: list[str], host: HostFacts) -> str:
    if place.container is None:
        return f"{host.name} itself"
    on = f"the network {networks[0]}" if len(networks) == 1 else f"the networks {' and '.join(networks)}"
    return f"the containers of {on}" if networks else place.name


def _reaches(trials: Counterfactuals, service: _Service, evidence: Evidence, place: Place) -> bool:
    """Tell if a place reaches a service of a picture, by whatever address of it."""
    found = same_place(evidence, place)
    if found is None:
        return False
    return any(
        _connects(trials, service, evidence, found, to, port) for to, port in dict.fromkeys(_ways(service, evidence))
    )


def _ways(service: _Service, evidence: Evidence) -> Iterator[tuple[Address, int]]:
    """Addresses and ports by which others may call a service: as it was called, and all of its namespace's own."""
    yield from service.called
    for _, port in service.called:
        for published in _published(service, evidence):
            yield from ((to, published) for to, called in service.called if called == port and published != port)
    for namespace in _homes(service, evidence):
        yield from ((row.address.ip, service.port) for row in namespace.addresses if row.scope == "global")


def _homes(service: _Service, evidence: Evidence) -> Iterator[Namespace]:
    """The namespaces of a picture that a service may be in: that of its container, which a new start changes."""
    keys = {c.namespace for c in evidence.containers if (c.host, c.id) in service.containers}
    for key in keys or {service.namespace}:
        namespace = evidence.namespaces.get(key or "")
        if namespace is not None:
            yield namespace


def _published(service: _Service, evidence: Evidence) -> tuple[int, ...]:
    """The ports of its host that a service is published on."""
    return tuple(
        one.host_port
        for container in evidence.containers
        if (container.host, container.id) in service.containers
        for one in container.published
        if (one.container_port, one.protocol) == (service.port, service.protocol)
    )


def _connects(
    trials: Counterfactuals, service: _Service, evidence: Evidence, place: Place, to: Address, port: int
) -> bool:
    """Tell if an attempt of a place reaches just that service."""
    trials.made += 1
    scheme = Scheme.UDP if service.protocol is Protocol.UDP else Scheme.TCP
    found = predict(evidence, Attempt(place, Target(scheme, str(to), port)))
    ending = found.ending
    if found.outcome is not Outcome.CONNECTED or not isinstance(ending, Taken):
        return False
    process = ending.listener.process
    its = ending.listener.port == service.port or (process is not None and process.pid == service.pid)
    return its and any(ending.namespace.key == home.key for home in _homes(service, evidence))
