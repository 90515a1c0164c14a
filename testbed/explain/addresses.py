"""The addresses of a target's name: which one is explained, and what is to be said of the others. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.evidence import Attempt, Evidence
from testbed.explain.case import Case
from testbed.explain.counterfactual import Counterfactuals
from testbed.explain.explanation import Diagnosis
from testbed.model import Observation, Outcome, Phase
from testbed.predict import Prediction, Tried, predict
from testbed.predict.wording import why

#: Of an attempt that ended in these phases no connection was made.
_BEFORE: Final = (Phase.RESOLVE, Phase.CONNECT)


def of_the_peer(evidence: Evidence, attempt: Attempt, seen: Observation | None) -> Prediction:
    """The prediction of the address that was really reached, else of the one that decides.

    Where nothing connected, and another one of the name's addresses should have, that one decides still.
    """
    predicted = predict(evidence, attempt)
    if seen is None or seen.peer is None or seen.peer == predicted.address:
        return predicted
    reached = predicted.at(seen.peer)
    if reached is None:
        return predict(evidence, attempt, (seen.peer,))
    failed = seen.outcome is not Outcome.CONNECTED and seen.phase in _BEFORE
    otherwise = predicted.outcome in (Outcome.CONNECTED, Outcome.INCONCLUSIVE)
    return predicted if failed and otherwise else reached


def by_address(case: Case) -> Iterator[Case]:
    """The case as decided by each address that a client would try, that of the case itself first."""
    yield case
    for one in _others(case):
        found = case.prediction.at(one.address)
        if found is not None:
            yield replace(case, prediction=found)


def of_the_cure(case: Case, diagnosis: Diagnosis) -> Case:
    """The case as decided by the address that connects once it is cured: the diagnosis is about that.

    A cure by another target says nothing of the addresses of this one.
    """
    cure = next((one for one in diagnosis.cures if one.changes and one.target is None), None)
    if cure is None or not case.prediction.tried[1:]:
        return case
    after = Counterfactuals(case).after(cure.changes)
    address = after.prediction.address if after else None
    found = case.prediction.at(address) if address is not None else None
    return case if found is None else replace(case, prediction=found)


def warnings(case: Case) -> tuple[str, ...]:
    """The ends of the other addresses, where they differ from the end of the one that is explained.

    A client that takes one address alone, or only IPv4 or IPv6, ends as that one does. Where another address answered
    than those that the picture has for the name, that is said.
    """
    host, seen, predicted = case.attempt.target.host, case.observation, case.prediction
    found: list[str] = []
    known = predict(case.evidence, case.attempt).tried if seen is not None and seen.peer is not None else ()
    if seen is not None and known and seen.peer not in {one.address for one in known}:
        picture = " and ".join(str(one.address) for one in known)
        found.append(f"{host} was {seen.peer} as it was tried, and by the picture it is {picture}.")
    for one in _others(case):
        if (one.outcome, one.errno) != (predicted.outcome, predicted.errno) or one.outcome is not Outcome.CONNECTED:
            first = " and is tried first" if one is predicted.tried[0] else ""
            found.append(f"{host} is {one.address} too{first}, {_ends(one)}: {why(one.ending)}.")
    return tuple(found)


def _ends(one: Tried) -> str:
    if one.outcome is Outcome.CONNECTED:
        return "where it connects"
    return "where it cannot be told" if one.outcome is Outcome.INCONCLUSIVE else f"where it is {one.outcome}"


def _others(case: Case) -> tuple[Tried, ...]:
    return tuple(one for one in case.prediction.tried if one.address != case.prediction.address)
