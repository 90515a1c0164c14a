"""The printed cures of a world's failures: each one is done for real, has to connect, and opens what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from testbed.change import ImpossibleChangeError
from testbed.change.listening import Listen, Rebind, StartProgram, StopListening
from testbed.errors import Error, UsageError
from testbed.evidence import Attempt, Evidence
from testbed.explain.explain import explain
from testbed.explain.explanation import Cure, Explanation
from testbed.model import Observation, Outcome, Scheme, Target
from testbed.names import Naming
from testbed.predict import predict
from testbed.predict.ending import Taken
from testbed.probe import Vantage
from truth.build import Built
from truth.cells import Cell
from truth.deeds import NotDoneError, perform
from truth.opened import Opened, Reach, service, wrongly_said

#: Failures of one world that are explained at the most.
_EXPLAINED: Final = 12
#: A first SYN that is lost, as to a hardware address that has changed, is sent again after a second (RFC 6298, 2).
_SECONDS: Final = 2.5
#: The changes of programs alone: the world is as before once its programs listen as before.
_OF_PROGRAMS: Final = (Rebind, Listen, StartProgram, StopListening)


@dataclass(frozen=True, slots=True)
class Explained:
    """A failure of a world, and what is said of it."""

    evidence: Evidence
    attempt: Attempt
    seen: Observation
    told: Explanation

    @property
    def cures(self) -> tuple[Cure, ...]:
        """The cures that are printed, of every cause that it may be."""
        found = (self.told.diagnosis,) if self.told.diagnosis else self.told.alternatives
        return tuple(cure for diagnosis in found for cure in diagnosis.cures)


@dataclass(frozen=True, slots=True)
class Tried:
    """One cure, and what it did."""

    place: str
    target: str
    cause: str
    cure: Cure
    wrong: str = ""
    """What is wrong with it, as a sentence; empty where nothing is."""
    not_tried: str = ""
    """Why it was not tried, as half a sentence; empty where it was."""

    @property
    def kind(self) -> str:
        """The cause and the kinds of its changes, by which cures are counted."""
        return f"{self.cause}: {kinds(self.cure)}"


def kinds(cure: Cure) -> str:
    """The kinds of a cure's changes, in order."""
    names = [type(change).__name__ for change in cure.changes]
    return " + ".join([*names, *(["another target"] if cure.target else [])]) or "nothing"


def harmless(cure: Cure) -> bool:
    """Tell if a world can be as before after a cure."""
    return all(isinstance(change, _OF_PROGRAMS) for change in cure.changes)


def explained(built: Built, seen: Iterable[Cell], random: Random) -> tuple[Explained, ...]:
    """Some failures of a world, of kinds as different as can be, tried once more and explained.

    :param seen: its cells
    """
    failing = [cell for cell in seen if cell.agrees and _shows(cell)]
    random.shuffle(failing)
    chosen: dict[tuple[object, ...], Cell] = {}
    for cell in failing:
        there = cell.predicted.namespace
        chosen.setdefault((type(cell.predicted.ending), there.label if there else None), cell)
    some = [*chosen.values(), *(cell for cell in failing if cell not in chosen.values())][:_EXPLAINED]
    return tuple(again(built, cell.place, Target.parse(cell.target)) for cell in some)


def _shows(cell: Cell) -> bool:
    """Tell if a cell is a failure whose cure can be seen to cure: no datagram is answered here."""
    silent = Target.parse(cell.target).scheme is Scheme.UDP
    return not silent and not cell.inconclusive and cell.observed.outcome is not Outcome.CONNECTED


def again(built: Built, place: str, target: Target) -> Explained:
    """Try once, and explain what is seen."""
    evidence = built.picture()
    attempt = Attempt(evidence.place(place), target)
    seen = _connect(built, evidence, attempt)
    return Explained(evidence, attempt, seen, explain(evidence, attempt, seen))


def tried(built: Built, case: Explained, cure: Cure, cause: str) -> Tried:
    """Do what a cure says, and look at what that does."""
    place, target = case.attempt.place.name, str(case.attempt.target)
    if not cure.changes and cure.target is None:
        return Tried(place, target, cause, cure, not_tried="it says in words alone what is to be done")
    try:
        perform(built, case.evidence, cure.changes)
        evidence = built.picture()
        wrong = _wrong(built, case, cure, evidence)
    except (NotDoneError, UsageError) as exc:
        return Tried(place, target, cause, cure, not_tried=str(exc))
    except (Error, ImpossibleChangeError) as exc:
        return Tried(place, target, cause, cure, wrong=f"It cannot be done: {exc}.")
    return Tried(place, target, cause, cure, wrong)


def _wrong(built: Built, case: Explained, cure: Cure, evidence: Evidence) -> str:
    attempt = Attempt(evidence.place(case.attempt.place.name), cure.target or case.attempt.target)
    seen = _connect(built, evidence, attempt)
    after = predict(evidence, attempt)
    if seen.outcome is not Outcome.CONNECTED:
        expected = f"the picture taken then says {after.outcome}: {after.why}"
        return f"It does not connect but is {seen.outcome}; {expected}."
    if not cure.changes or not isinstance(after.ending, Taken):
        return ""
    return wrongly_said(cure, _opened(built, case, evidence, attempt, after.ending))


def _opened(built: Built, case: Explained, evidence: Evidence, attempt: Attempt, ending: Taken) -> Opened:
    """Who reaches a service by some address of the world after a cure, as the kernel has it, and did not before.

    What is predicted to connect is tried; that what is not does not is what the cells of worlds show.
    """
    there = service(ending, (attempt.target.port, ending.listener.port))
    addresses = built.targets()
    before = there.reached(case.evidence, built.places, addresses)
    after = there.reached(evidence, built.places, addresses)
    known = {one.place for one in before}
    open_now = {one.place for one in after - before if _reaches(built, evidence, one)}
    commands = "\n".join((*built.world.host_commands, *(command for _, command in built.world.box_commands)))
    new = frozenset(open_now - known)
    return Opened(case.evidence, evidence, attempt, there, new, frozenset(open_now), commands)


def _reaches(built: Built, evidence: Evidence, one: Reach) -> bool:
    attempt = Attempt(evidence.place(one.place), Target(Scheme.TCP, one.address, one.port))
    return _connect(built, evidence, attempt).outcome is Outcome.CONNECTED


def _connect(built: Built, evidence: Evidence, attempt: Attempt) -> Observation:
    name = attempt.place.name
    vantage = Vantage(name, built.places[name], Naming(evidence.place(name).names))
    return vantage.connect(attempt.target, seconds=_SECONDS)
