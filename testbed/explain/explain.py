"""Prediction and observation together: the cause, or why it cannot be told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from testbed.evidence import Attempt, Evidence, Rule
from testbed.evidence.programs import DNS_PORT
from testbed.explain import (
    above_tcp,
    addresses,
    altering,
    duplicates,
    filtering,
    forwarding,
    listening,
    naming,
    neighbours,
    not_running,
    proxying,
    published_rules,
    rootless,
    rootless_helpers,
    rootless_ports,
    routing,
    searching,
    untranslated,
    ways,
)
from testbed.explain.by_ending import propose
from testbed.explain.case import Case
from testbed.explain.choice import chosen
from testbed.explain.explanation import Conclusion, Diagnosis, Explanation, Proposal, Undecided
from testbed.explain.rows import rows_of_walk
from testbed.explain.sentences import continued
from testbed.model import Observation, Outcome, Phase
from testbed.predict import Disposition, Prediction
from testbed.predict.ending import (
    Accepted,
    Ending,
    Filtered,
    Held,
    Left,
    NeighbourFiltered,
    NoListener,
    NoNeighbour,
    PacketEnding,
    RelayCloses,
    Taken,
)
from testbed.predict.unknown import NotHandedOn, OfRule, Unknown
from testbed.predict.unresolved import NotRunning, ResolverFailed, question_of
from testbed.predict.wording import why

#: Imported for the proposals that they register.
REGISTERED: Final = (
    filtering,
    forwarding,
    listening,
    naming,
    neighbours,
    not_running,
    published_rules,
    rootless_helpers,
    rootless_ports,
    routing,
    untranslated,
)
#: What the picture cannot decide: the observation may.
_OPEN: Final = (Disposition.UNKNOWN, Disposition.LEFT)
#: Nothing was heard.
_SILENT: Final = (Outcome.TIMED_OUT, Outcome.NO_ANSWER)
_NO_FAILURE: Final = (
    "Silence is no failure of UDP: a service may say nothing to what it does not understand. Ask it by its own client."
)


def proposals(case: Case) -> Iterator[Proposal]:
    """All causes that a case may have, by each address that the client would try; the prediction decides among them."""
    for one in addresses.by_address(case):
        yield from _by_one_address(one)


def _by_one_address(case: Case) -> Iterator[Proposal]:
    ending = case.prediction.ending
    yield from rootless.proposals(case)
    yield from _behind_a_lost_answer(ending, case)
    yield from propose(ending, case)
    yield from _of_the_question(ending, case)
    yield from ways.proposals(case)
    yield from altering.proposals(case)
    yield from searching.proposals(case)


def _behind_a_lost_answer(ending: Ending, case: Case) -> Iterator[Proposal]:
    """A refusal or an error that was lost on its way back: what it was about, and that the caller cannot hear of it."""
    if isinstance(ending, PacketEnding) and ending.there is not None and not isinstance(ending.there, Taken):
        lost = f"The answer that says so does not come back, so that it looks like a dropped packet: {why(ending)}."
        for proposal in propose(ending.there, case):
            yield replace(proposal, warnings=(*proposal.warnings, lost))


def _of_the_question(ending: Ending, case: Case) -> Iterator[Proposal]:
    """The way of the question for a name fails as any other does."""
    question = question_of(ending)
    if question is not None and isinstance(ending, ResolverFailed) and not isinstance(question.ending, NoListener):
        cannot = f"{case.place.name} cannot ask its resolver {question.resolver} for {case.attempt.target.host}"
        for proposal in propose(question.ending, case):
            if not proposal.meant:
                yield replace(proposal, sentence=f"{cannot}: {continued(proposal.sentence)}")


def explain(evidence: Evidence, attempt: Attempt, seen: Observation | None = None) -> Explanation:
    """Say why an attempt ends as it does.

    :param seen: what was really seen; None explains the prediction alone
    """
    case = Case(evidence, attempt, addresses.of_the_peer(evidence, attempt, seen), seen)
    ending = case.prediction.ending
    if seen is None or isinstance(ending, NotRunning):
        return _by_prediction(case)
    undecided = ending.disposition in _OPEN
    if undecided or isinstance(ending, Accepted | Held):
        if _arrived(ending, seen):
            return _connects(case)
        if above_tcp.fails_above_tcp(seen):
            return _above_tcp(case, seen)
    if undecided:
        return _by_observation(case, seen)
    return _by_prediction(case) if agree(case.prediction, seen) else _cannot_tell(case)


def _arrived(ending: Ending, seen: Observation) -> bool:
    """Tell if what was tried was seen to arrive, or is predicted to where UDP lets nobody see it."""
    if seen.outcome is Outcome.NO_ANSWER:
        return isinstance(ending, Accepted)
    return seen.outcome is Outcome.CONNECTED and not isinstance(ending, Held)


def _above_tcp(case: Case, seen: Observation) -> Explanation:
    if isinstance(case.prediction.ending, Held):
        return _by_prediction(case)
    found = above_tcp.failed(case, seen)
    return _explained(case, found) if isinstance(found, Diagnosis) else _cannot_tell(case, found)


def _by_prediction(case: Case) -> Explanation:
    ending = case.prediction.ending
    if isinstance(ending, Accepted) and case.prediction.outcome is Outcome.CONNECTED:
        return _connects(case)
    return _chosen(case, proposals)


def _chosen(case: Case, propose_all: Callable[[Case], Iterable[Proposal]]) -> Explanation:
    """The cause whose change is predicted to cure; several where only what was meant tells; else none."""
    found = chosen(case, propose_all)
    if not found:
        return _cannot_tell(case)
    return _explained(case, found[0]) if len(found) == 1 else _either(case, found)


def _either(case: Case, found: tuple[Diagnosis, ...]) -> Explanation:
    """Several causes, each of which cures, and none of which the picture shows to be the one."""
    whole = " Or: ".join(dict.fromkeys(one.sentence for one in found))
    return Explanation(
        Conclusion.CANNOT_TELL,
        f"One of these, and only what was meant tells which. {whole}",
        None,
        case.prediction,
        case.observation,
        decide=" or ".join(one.meant for one in found if one.meant),
        warnings=tuple(dict.fromkeys(warning for one in found for warning in one.warnings)),
        alternatives=found,
    )


def _by_observation(case: Case, seen: Observation) -> Explanation:
    """The picture does not decide; some observations speak for themselves all the same."""
    if seen.outcome is Outcome.NAME_NOT_FOUND:
        return _chosen(case, naming.not_found)
    if seen.outcome is Outcome.RESOLVER_FAILED:
        return _chosen(case, naming.resolver_taken)
    return _chosen(case, _beside_the_ending)


def _beside_the_ending(case: Case) -> Iterator[Proposal]:
    """Causes that do not rest on how it ends: where that is not known."""
    yield from duplicates.proposals(case)
    yield from rootless.proposals(case)
    yield from ways.proposals(case)


def agree(predicted: Prediction, seen: Observation) -> bool:
    """Whether what was seen is what was predicted, as far as the observer's patience lets it be seen."""
    if isinstance(predicted.ending, NoNeighbour | NeighbourFiltered) and seen.outcome in _SILENT:
        # The kernel needs three seconds to say so, and does not ask at all while it has the MAC address of whoever had
        # that address before: what it then sends is for nobody, and no error comes of it (arp(7)).
        return seen.phase is Phase.CONNECT
    if isinstance(predicted.ending, RelayCloses) and seen.outcome in (Outcome.CLOSED, Outcome.RESET):
        return predicted.phase is seen.phase
    if predicted.withheld and seen.outcome in _SILENT:
        return seen.phase is Phase.CONNECT
    return (predicted.outcome, predicted.errno) == (seen.outcome, seen.errno) or (
        predicted.outcome is seen.outcome is Outcome.TIMED_OUT
    )


def _connects(case: Case) -> Explanation:
    astray = proxying.astray(case)
    if astray is not None:
        return _explained(case, astray)
    seen = case.observation
    silent = seen is not None and seen.outcome is Outcome.NO_ANSWER
    if silent:
        sentence = (
            f"A datagram from {case.place.name} to {case.said} arrives: {case.prediction.why}. Nothing came back."
        )
    elif seen is not None:
        who = f", answered by {seen.answer.server or seen.answer.peer}" if seen.answer else ""
        sentence = f"{case.place.name} connects to {case.said}{who}."
    else:
        sentence = f"{case.place.name} should connect to {case.said}: {case.prediction.why}."
    silence = (_NO_FAILURE,) if silent else ()
    warnings = (*silence, *addresses.warnings(case), *searching.warnings(case))
    proxy = proxying.proxy_of(case)
    if proxy is not None:
        warnings = (*warnings, f"Clients in {case.place.name} go by way of the proxy {proxy}; this was tried directly.")
    return Explanation(Conclusion.CONNECTS, sentence, None, case.prediction, seen, warnings=warnings)


def _explained(case: Case, diagnosis: Diagnosis) -> Explanation:
    case = addresses.of_the_cure(case, diagnosis)
    warnings = (*diagnosis.warnings, *rootless.warnings(case), *addresses.warnings(case))
    return Explanation(
        Conclusion.EXPLAINED,
        diagnosis.sentence,
        diagnosis,
        case.prediction,
        case.observation,
        decide=diagnosis.decide,
        warnings=warnings,
    )


def _cannot_tell(case: Case, between: Undecided | None = None) -> Explanation:
    predicted, seen = case.prediction, case.observation
    if between is not None:
        sentence, decide = between.sentence, between.decide
    elif case.prediction.disposition not in _OPEN and (seen is None or agree(predicted, seen)):
        return _no_cure(case)
    elif seen is None:
        sentence = f"It cannot be told: {predicted.why}."
        decide = "Try it: leave out --no-attempt."
        if case.place.namespace is None:
            decide = f"Whether {case.place.name} still runs, and is yours: podman ps (and sudo podman ps)"
    elif predicted.disposition in _OPEN:
        said = seen.text if above_tcp.fails_above_tcp(seen) and seen.text != seen.outcome else ""
        what = f"{seen.outcome}{f' ({said})' if said else ''}"
        sentence = f"It cannot be told why it was {what}: {predicted.why}."
        decide = _decide(case)
    else:
        sentence = (
            f"It cannot be told: by what can be seen it should be {predicted.outcome} ({predicted.why}), and it was "
            f"{seen.outcome}{f' ({seen.text})' if seen.text else ''}."
        )
        decide = _decide(case)
    warnings = addresses.warnings(case)
    return Explanation(Conclusion.CANNOT_TELL, sentence, None, predicted, seen, warnings=warnings, decide=decide)


def _no_cure(case: Case) -> Explanation:
    """The fact that decides is known, and nothing that could be changed is predicted to make it connect."""
    return Explanation(
        Conclusion.CANNOT_TELL,
        f"It cannot be told what to change: {case.prediction.why}, and nothing that was tried on the picture makes it "
        "connect.",
        None,
        case.prediction,
        case.observation,
        decide=_meant(case),
        warnings=(*rootless.warnings(case), *addresses.warnings(case)),
        facts=rows_of_walk(case.prediction),
    )


def _meant(case: Case) -> str:
    """The question to ask where the picture has nothing that could have been meant."""
    return f"Who is to answer at {case.said} port {case.attempt.target.port}: podman ps, and ss -ltnp on its host"


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
    looked_up = case.observation is not None and case.observation.phase is Phase.RESOLVE
    port = DNS_PORT if looked_up else case.port
    return f"What tcpdump sees on {here} while it is tried: tcpdump -ni any port {port}"


def _rule(case: Case) -> Rule | None:
    """The firewall rule that decides, or may; None where it is none, or a chain's policy."""
    ending = case.walked
    if isinstance(ending, Unknown) and isinstance(ending.reason, NotHandedOn):
        ending = ending.reason.onward
    match ending:
        case Filtered(verdict=verdict) | Unknown(reason=OfRule(verdict=verdict)):
            return verdict.rule
    return None
