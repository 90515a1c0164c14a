"""Who else reaches a service once something is changed: predicted, as the attempt itself is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from testbed.evidence import Attempt, Evidence, HostFacts, Place
from testbed.evidence.beyond import Remote, remotes
from testbed.explain.case import Case
from testbed.explain.counterfactual import Counterfactuals, same_place
from testbed.explain.explanation import Remedy
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


def exposed(trials: Counterfactuals, remedy: Remedy) -> Exposure:
    """Who reaches the service that a remedy leads to, and did not before."""
    after = trials.after(remedy.changes, remedy.target)
    if after is None or not remedy.changes or not isinstance(after.prediction.ending, Taken):
        return Exposure(0, "")
    before = trials.case
    found = [
        *_beside_the_caller(after, remedy),
        *_from_elsewhere(trials, after),
    ]
    found += [
        group.words
        for group in _groups(after)
        if any(
            _reaches(trials, after.evidence, group.place, to, port)
            and not _reaches(trials, before.evidence, group.place, to, port)
            for to, port in (*_targets(after), *_near(after, group.place))
        )
    ]
    found = list(dict.fromkeys(found))
    return Exposure(len(found), ", ".join(found))


def _beside_the_caller(case: Case, remedy: Remedy) -> Iterator[str]:
    """Those who are where the caller is: they reach what it reaches."""
    container = case.place.container
    if container is not None and remedy.target is None:
        networks = sorted(network.name for network in case.networks_of(container))
        yield _words(case.place, networks, case.place.host) if networks else case.place.name


def _from_elsewhere(trials: Counterfactuals, after: Case) -> Iterator[str]:
    """The host's LANs, and what is beyond its router."""
    end = after.end
    host = next((h for h in after.evidence.hosts if end and end.key in (h.namespace, h.rootless_namespace)), None)
    if host is None and end is not None:
        whose = next((c.host for c in after.containers_in(end.key)), None)
        host = after.evidence.host(whose) if whose else None
    if host is None:
        return
    ports = {port for _, port in _targets(after)}
    for one in remotes(after.evidence, host):
        before = next((r for r in remotes(trials.case.evidence, host) if r.word == one.word), None)
        if any(
            _connects(trials, one, address, port) and not (before and _connects(trials, before, address, port))
            for address in one.addresses
            for port in ports
        ):
            yield _REMOTE[one.word.partition(":")[0]].format(one.word.partition(":")[2] or host.name, host=host.name)


def _connects(trials: Counterfactuals, remote: Remote, to: Address, port: int) -> bool:
    trials.made += 1
    attempt = Attempt(remote.place, Target(_scheme(trials), str(to), port))
    return predict(remote.evidence, attempt).outcome is Outcome.CONNECTED


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


def _targets(case: Case) -> Iterator[tuple[Address, int]]:
    """Addresses and ports by which others may call what was reached: as it was called, and where it listens."""
    ending, called = case.prediction.ending, case.prediction.address
    if called is not None and not called.is_loopback:
        yield called, case.attempt.target.port
    if isinstance(ending, Taken) and (ending.destination, ending.listener.port) != (called, case.attempt.target.port):
        yield ending.destination, ending.listener.port


def _near(case: Case, place: Place) -> Iterator[tuple[Address, int]]:
    """The addresses of whoever was reached that are on a subnet of a place's own: the natural ones to call it by."""
    there, here = case.end, case.evidence.namespaces.get(place.namespace or "")
    ending = case.prediction.ending
    if there is None or here is None or not isinstance(ending, Taken) or not ending.listener.address.is_unspecified:
        return
    subnets = [row.address.network for row in here.addresses if row.scope == "global"]
    for row in there.addresses:
        if row.address.version == ending.destination.version and any(row.address.ip in subnet for subnet in subnets):
            yield row.address.ip, ending.listener.port


def _reaches(trials: Counterfactuals, evidence: Evidence, place: Place, to: Address, port: int) -> bool:
    found = same_place(evidence, place)
    if found is None:
        return False
    trials.made += 1
    return predict(evidence, Attempt(found, Target(_scheme(trials), str(to), port))).outcome is Outcome.CONNECTED


def _scheme(trials: Counterfactuals) -> Scheme:
    """The protocol that was spoken: what is above it does not decide who reaches it."""
    return Scheme.UDP if trials.case.attempt.target.scheme is Scheme.UDP else Scheme.TCP
