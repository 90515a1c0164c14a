"""From a pasted error to a case: where it was said, and what it stands for. Pure."""

from __future__ import annotations

from dataclasses import replace

from testbed.evidence import Attempt, Evidence, Namespace, Place
from testbed.explain import above_tcp, naming
from testbed.explain.binding import diagnose
from testbed.explain.case import Case
from testbed.explain.choice import chosen
from testbed.explain.client_texts.said import Client, Pasted
from testbed.explain.codes import Cause
from testbed.explain.explain import agree, explain
from testbed.explain.explanation import Conclusion, Diagnosis, Explanation
from testbed.model import Observation, Outcome, Target
from testbed.predict import Prediction, predict
from testbed.predict.unresolved import NotRunning, question_of

#: What an attempt ends in that has got through TLS.
_BEYOND_TLS = (Outcome.CONNECTED, Outcome.HTTP_STATUS)


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
    if pasted.address is not None and prediction.address is not None and pasted.address != prediction.address:
        return False
    asked = question_of(prediction.ending)
    if pasted.resolver is not None and (asked is None or asked.resolver != pasted.resolver):
        return False
    connected = prediction.outcome is Outcome.CONNECTED and above_tcp.fails_above_tcp(_observation(pasted, "", ""))
    return connected or prediction.outcome in outcomes(pasted) or agree(prediction, _observation(pasted, "", ""))


def explain_pasted(
    evidence: Evidence, pasted: Pasted, attempt: Attempt, seen: Observation | None = None
) -> Explanation:
    """Explain a pasted error.

    :param attempt: where it was said, and what was tried there
    :param seen: what trying it again has just shown; None where it was not tried
    """
    prediction = predict(evidence, attempt)
    said = _observation(pasted, attempt.place.name, str(attempt.target))
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
    warnings = [*told.warnings, *([pasted.hint] if pasted.hint else [])]
    if seen is not None and seen.outcome not in outcomes(pasted):
        warnings.insert(
            0, f"What you pasted was {pasted.outcome}; trying it now gives {seen.outcome}: this is about now."
        )
    return replace(told, warnings=tuple(warnings))


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
