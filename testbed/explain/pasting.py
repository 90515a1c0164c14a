"""From a pasted error to a case: where it was said, and what it stands for. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.evidence import Attempt, Container, Evidence, Namespace, Place, Protocol
from testbed.explain import above_tcp, naming
from testbed.explain.binding import diagnose
from testbed.explain.case import Case, at
from testbed.explain.choice import chosen
from testbed.explain.client_texts.said import Client, Pasted
from testbed.explain.codes import Cause
from testbed.explain.explain import agree, explain
from testbed.explain.explanation import Conclusion, Diagnosis, Explanation
from testbed.model import Observation, Outcome, Scheme, Target
from testbed.predict import Prediction, predict
from testbed.predict.unresolved import NotRunning, question_of

#: How an attempt ends that never had an address.
UNRESOLVED: Final = frozenset({Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED})
#: Stands where a port must, and none is asked for.
_ANY_PORT: Final = 80
#: What an attempt ends in that has got through TLS.
_BEYOND_TLS: Final = (Outcome.CONNECTED, Outcome.HTTP_STATUS)


def subject(evidence: Evidence, pasted: Pasted) -> Target | None:
    """The target of a text; for a name that was not resolved, the name with a port of ours.

    A lookup has no port (RFC 1035), and the walk ends with it, so that the port decides nothing. It is the one on which
    the container of that name listens, for cures that name it. None where the text has no place, or where there are
    several such ports.
    """
    if pasted.target is not None or not pasted.name or not is_about_name(pasted):
        return pasted.target
    meant = [c for c in evidence.containers if pasted.name.lower() in _names(c) and c.namespace is not None]
    ports = {
        entry.port
        for container in meant
        for entry in evidence.namespaces[container.namespace or ""].listeners
        if entry.protocol is Protocol.TCP and not entry.address.is_loopback
    }
    if len(ports) > 1:
        return None
    return Target(Scheme.TCP, pasted.name, ports.pop() if ports else _ANY_PORT)


def is_about_name(pasted: Pasted) -> bool:
    """Tell if a text says nothing but that a name was not resolved."""
    return set(outcomes(pasted)) <= UNRESOLVED


def _names(container: Container) -> set[str]:
    aliases = (alias for attachment in container.attachments for alias in attachment.aliases)
    return {container.name.lower(), container.id[:12], *map(str.lower, aliases)}


def places(evidence: Evidence, pasted: Pasted, target: Target) -> tuple[Place, ...]:
    """The containers, then hosts, from which an attempt would end as the text says."""
    return tuple(
        place
        for place in evidence.places()
        if place.namespace is not None
        and (place.container is None or place.container.state == "running")
        and _fits(predict(evidence, Attempt(place, target)), pasted)
    )


def likeliest(evidence: Evidence, pasted: Pasted, target: Target) -> tuple[Place, ...]:
    """Of the places from which it would end like that, those that speak for themselves.

    nginx speaks where it listens; that nobody listens at all says less than that somebody listens elsewhere; nobody
    means a container to call the port that it publishes itself; and an address is mostly dialled by those on its
    network.
    """
    if pasted.ended and (ended := _ended(evidence, pasted)):
        return ended
    doubts = [(place, _doubts(evidence, pasted, Attempt(place, target))) for place in places(evidence, pasted, target)]
    least = min((doubt for _, doubt in doubts), default=None)
    return tuple(place for place, doubt in doubts if doubt == least)


def _ended(evidence: Evidence, pasted: Pasted) -> tuple[Place, ...]:
    """The containers that ended in failure, and did not know the name."""
    return tuple(
        place
        for place in evidence.places()
        if place.container is not None
        and place.container.state == "exited"
        and place.container.exit_code
        and not place.names.hosts.lookup(pasted.name)
    )


def _doubts(evidence: Evidence, pasted: Pasted, attempt: Attempt) -> tuple[bool, bool, bool, bool]:
    place, target = attempt.place, attempt.target
    container = place.container
    address = pasted.address or predict(evidence, attempt).address
    near = container is not None and any(
        network.host == container.host
        and attachment.network == network.name
        and address is not None
        and address in subnet
        for network in evidence.networks
        for attachment in container.attachments
        for subnet in network.subnets
    )
    return (
        pasted.client is Client.NGINX and not _listens(evidence.namespaces.get(place.namespace or ""), "nginx"),
        explain_pasted(evidence, pasted, attempt).cause is Cause.NOBODY_LISTENS,
        container is not None and any(port.host_port == target.port for port in container.published),
        not near,
    )


def _listens(here: Namespace | None, program: str) -> bool:
    return here is not None and any(entry.process and entry.process.name == program for entry in here.listeners)


def outcomes(pasted: Pasted) -> tuple[Outcome, ...]:
    """What the text may stand for."""
    return pasted.possible or (pasted.outcome,)


def _fits(prediction: Prediction, pasted: Pasted) -> bool:
    if not _same_address(prediction, pasted):
        return False
    # Of a name's addresses the text is about the one that it names.
    prediction = (prediction.at(pasted.address) if pasted.address else None) or prediction
    asked = question_of(prediction.ending)
    if pasted.resolver is not None and (asked is None or asked.resolver != pasted.resolver):
        return False
    connected = prediction.outcome is Outcome.CONNECTED and above_tcp.fails_above_tcp(_observation(pasted, "", ""))
    return connected or prediction.outcome in outcomes(pasted) or agree(prediction, _observation(pasted, "", ""))


def _same_address(prediction: Prediction, pasted: Pasted) -> bool:
    """Tell if the address that is predicted was dialled, as far as both are known."""
    if pasted.address is None or prediction.address is None:
        return True
    predicted = {prediction.address, *(one.address for one in prediction.tried)}
    if not predicted.isdisjoint((pasted.address, *pasted.also)):
        return True
    # RFC 6761, 6.3: localhost is 127.0.0.1 and ::1, and a client says the one that it tried last.
    by_name = pasted.target is not None and pasted.target.host.rstrip(".").lower() == "localhost"
    return by_name and pasted.address.is_loopback and prediction.address.is_loopback


def _two_places(evidence: Evidence, pasted: Pasted, prediction: Prediction, place: Place) -> str:
    """Where the text dialled another place than the attempt would now; empty where it is one."""
    target = pasted.target
    if target is None or pasted.address is None or pasted.code is Cause.PROXY:
        return ""
    if pasted.port is not None and pasted.port != target.port:
        return f"The text names two places: {target} was asked for, and {at(pasted.address, pasted.port)} was dialled."
    if _same_address(prediction, pasted):
        return ""
    who = evidence.spelled(place)
    return (
        f"The text names two places: {target} was asked for, and {pasted.address} was dialled; from {who} "
        f"{target.host} is {prediction.address} now. This is about now."
    )


def explain_pasted(
    evidence: Evidence, pasted: Pasted, attempt: Attempt, seen: Observation | None = None
) -> Explanation:
    """Explain a pasted error.

    :param attempt: where it was said, and what was tried there
    :param seen: what trying it again has just shown; None where it was not tried
    """
    prediction = predict(evidence, attempt)
    asked = pasted.name if _has_no_port(pasted) else str(attempt.target)
    said = _observation(pasted, attempt.place.name, asked)
    if said.outcome is Outcome.TLS_FAILED and (seen is None or seen.outcome in _BEYOND_TLS):
        # The user's client need not verify as the attempt does: where that one gets through TLS his words stand.
        return explain(evidence, attempt, said)
    if pasted.ended and isinstance(prediction.ending, NotRunning):
        case = Case(evidence, attempt, prediction, said)
        if unknown := _unknown_at_start(case):
            hints = (*unknown.warnings, pasted.hint)
            return Explanation(Conclusion.EXPLAINED, unknown.sentence, unknown, prediction, said, warnings=hints)
    if prediction.outcome in outcomes(pasted):
        # The words alone stand for several outcomes; the picture says which of them it is.
        said = replace(said, outcome=prediction.outcome, errno=prediction.errno, phase=prediction.phase)
    told = explain(evidence, attempt, said if seen is None else seen)
    two = _two_places(evidence, pasted, prediction, attempt.place)
    warnings = [*([two] if two else []), *told.warnings, *([pasted.hint] if pasted.hint else [])]
    if seen is not None and seen.outcome not in outcomes(pasted):
        warnings.insert(
            0, f"What you pasted was {pasted.outcome}; trying it now gives {seen.outcome}: this is about now."
        )
    # Without a port there is no listener to ask for, only whoever is to have the name.
    decide = told.decide
    if decide and _has_no_port(pasted) and prediction.outcome in outcomes(pasted):
        decide = f"Who is to be called {pasted.name}: podman ps, and podman network inspect"
    return replace(told, warnings=tuple(warnings), decide=decide)


def _has_no_port(pasted: Pasted) -> bool:
    return pasted.target is None and is_about_name(pasted)


def _unknown_at_start(case: Case) -> Diagnosis | None:
    """The cause of a program that ended as it started, over a name: one that is cured where that program is started."""
    return next(iter(chosen(case, naming.unknown_at_start)), None)


def explain_binding(evidence: Evidence, pasted: Pasted, namespace: str) -> Explanation | None:
    """Explain the words of a program that could not listen; None where they are about something else."""
    found = diagnose(evidence, pasted, evidence.namespaces[namespace])
    if found is None:
        return None
    return Explanation(Conclusion.EXPLAINED, found.sentence, found, None, None, warnings=found.warnings)


def _observation(pasted: Pasted, place: str, target: str) -> Observation:
    return Observation(
        vantage=place,
        target=target,
        outcome=pasted.outcome,
        phase=pasted.phase,
        errno=pasted.errno,
        text=pasted.text,
        seconds=0.0,
        command="",
        peer=pasted.address,
    )
