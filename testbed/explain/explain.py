"""Prediction and observation together: the cause, or why it cannot be told. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import Attempt, Evidence, Rule
from testbed.explain import (
    above_tcp,
    filtering,
    listening,
    naming,
    proxying,
    publishing,
    rootless,
    routing,
    stale,
)
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case
from testbed.explain.explanation import Conclusion, Diagnosis, Explanation, Undecided
from testbed.model import Observation, Outcome, Phase
from testbed.predict import Disposition, Prediction, predict
from testbed.predict.ending import Accepted, Filtered, Held, Left, NoNeighbour, RelayCloses
from testbed.predict.unknown import NotHandedOn, OfRule, Unknown
from testbed.predict.unresolved import NotRunning

#: Imported for the diagnoses that they register.
REGISTERED: Final = (filtering, listening, naming, publishing, routing, stale)
#: What the picture cannot decide: the observation may.
_OPEN: Final = (Disposition.UNKNOWN, Disposition.LEFT)


def explain(evidence: Evidence, attempt: Attempt, seen: Observation | None = None) -> Explanation:
    """Say why an attempt ends as it does.

    :param seen: what was really seen; None explains the prediction alone
    """
    case = Case(evidence, attempt, predict(evidence, attempt), seen)
    ending = case.prediction.ending
    if isinstance(ending, NotRunning) and case.place.container is not None:
        return _explained(case, publishing.not_running(case, case.place.container))
    if seen is None:
        return _by_prediction(case)
    undecided = ending.disposition in _OPEN
    if undecided or isinstance(ending, Accepted | Held):
        if seen.outcome is Outcome.CONNECTED and not isinstance(ending, Held):
            return _connects(case)
        if above_tcp.fails_above_tcp(seen):
            found = publishing.rules_lost(ending, case) if isinstance(ending, Held) else above_tcp.failed(case, seen)
            return _explained(case, found) if isinstance(found, Diagnosis) else _cannot_tell(case, found)
    if undecided:
        return _by_observation(case, seen)
    return _by_prediction(case) if agree(case.prediction, seen) else _cannot_tell(case)


def _by_prediction(case: Case) -> Explanation:
    ending = case.prediction.ending
    if isinstance(ending, Accepted) and case.prediction.outcome is Outcome.CONNECTED:
        return _connects(case)
    found = rootless.diagnose(case) or diagnose(ending, case)
    return _explained(case, found) if found else _cannot_tell(case)


def _by_observation(case: Case, seen: Observation) -> Explanation:
    """The picture does not decide; some observations speak for themselves all the same."""
    if seen.outcome in (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED):
        found = naming.not_found(case) if seen.outcome is Outcome.NAME_NOT_FOUND else naming.resolver_taken(case)
        if found:
            return _explained(case, found)
    if found := rootless.diagnose(case):
        return _explained(case, found)
    return _cannot_tell(case)


def agree(predicted: Prediction, seen: Observation) -> bool:
    """Whether what was seen is what was predicted, as far as the observer's patience lets it be seen."""
    if isinstance(predicted.ending, NoNeighbour) and seen.outcome is Outcome.TIMED_OUT:
        # The kernel needs three seconds to say so, and does not ask at all while it has the MAC address of whoever had
        # that address before: what it then sends is for nobody, and no error comes of it (arp(7)).
        return seen.phase is Phase.CONNECT
    if isinstance(predicted.ending, RelayCloses) and seen.outcome in (Outcome.CLOSED, Outcome.RESET):
        return predicted.phase is seen.phase
    if predicted.withheld and seen.outcome is Outcome.TIMED_OUT:
        return seen.phase is Phase.CONNECT
    return (predicted.outcome, predicted.errno) == (seen.outcome, seen.errno) or (
        predicted.outcome is seen.outcome is Outcome.TIMED_OUT
    )


def _connects(case: Case) -> Explanation:
    astray = proxying.astray(case)
    if astray is not None:
        return _explained(case, astray)
    seen = case.observation
    if seen is not None:
        who = f", answered by {seen.answer.server or seen.answer.peer}" if seen.answer else ""
        sentence = f"{case.place.name} connects to {case.said}{who}."
    else:
        sentence = f"{case.place.name} should connect to {case.said}: {case.prediction.why}."
    warnings: tuple[str, ...] = ()
    proxy = proxying.proxy_of(case)
    if proxy is not None:
        warnings = (f"Clients in {case.place.name} go by way of the proxy {proxy}; this was tried directly.",)
    return Explanation(Conclusion.CONNECTS, sentence, None, case.prediction, seen, warnings=warnings)


def _explained(case: Case, diagnosis: Diagnosis) -> Explanation:
    warnings = (*diagnosis.warnings, *rootless.warnings(case))
    return Explanation(
        Conclusion.EXPLAINED, diagnosis.sentence, diagnosis, case.prediction, case.observation, warnings=warnings
    )


def _cannot_tell(case: Case, between: Undecided | None = None) -> Explanation:
    predicted, seen = case.prediction, case.observation
    if between is not None:
        sentence, decide = between.sentence, between.decide
    elif seen is None:
        sentence = f"It cannot be told: {predicted.why}."
        decide = "Try it: leave out --no-attempt."
        if case.place.namespace is None:
            decide = f"Whether {case.place.name} still runs, and is yours: podman ps (and sudo podman ps)"
        if isinstance(predicted.ending, NotRunning):
            decide = f"Start {case.place.name}, and try again."
    elif predicted.disposition in _OPEN:
        sentence = f"It cannot be told why it was {seen.outcome}: {predicted.why}."
        decide = _decide(case)
    else:
        sentence = (
            f"It cannot be told: by what can be seen it should be {predicted.outcome} ({predicted.why}), and it was "
            f"{seen.outcome}{f' ({seen.text})' if seen.text else ''}."
        )
        decide = _decide(case)
    return Explanation(Conclusion.CANNOT_TELL, sentence, None, predicted, seen, decide=decide)


def _decide(case: Case) -> str:
    """The one observation that would decide."""
    ending = case.walked
    here = ending.namespace.label if ending else case.place.name
    rule = _rule(case)
    if rule is not None:
        return f"Whether the counter of this rule on {here} rises with the attempt: {rule.text}"
    if isinstance(ending, Left):
        link = ending.link.name if ending.link else "that interface"
        return f"What tcpdump sees on {link} of {here}: tcpdump -ni {link} host {ending.destination}"
    return f"What tcpdump sees on {here} while it is tried: tcpdump -ni any port {case.port}"


def _rule(case: Case) -> Rule | None:
    """The firewall rule that decides, or may; None where it is none, or a chain's policy."""
    ending = case.walked
    if isinstance(ending, Unknown) and isinstance(ending.reason, NotHandedOn):
        ending = ending.reason.onward
    match ending:
        case Filtered(verdict=verdict) | Unknown(reason=OfRule(verdict=verdict)):
            return verdict.rule
    return None
