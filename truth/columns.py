"""What a run has seen of explanations: cures that were tried, one after the other, and those that were wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from testbed.explain.explanation import Cure
from testbed.model import Target
from truth.build import Built
from truth.cells import Cell
from truth.cures import Explained, Tried, again, explained, harmless, kinds, tried
from truth.saved import save_cure, save_sentence
from truth.sentences import Judgement, judged
from truth.shrink import shrunk
from truth.worlds import World

#: Cures of a world after which it is as before.
_HARMLESS: Final = 4
#: Cures of a world for each of which but the first it is built anew.
_OTHERS: Final = 2
#: Worlds that are built to make one smaller.
_TRIES: Final = 10

_NUMBER: Final = re.compile(r"\d+")

Build = Callable[[World], AbstractContextManager[Built]]


@dataclass(frozen=True, slots=True)
class _Pick:
    """A cure that is to be tried."""

    case: Explained
    cause: str
    cure: Cure

    @property
    def kind(self) -> str:
        return f"{self.cause}: {kinds(self.cure)}"

    def not_again(self) -> Tried:
        place, target = self.case.attempt.place.name, str(self.case.attempt.target)
        return Tried(place, target, self.cause, self.cure, not_tried="in a new world of the kind it is not printed")


@dataclass
class Cures:
    """The cures that a run has tried. Not a value: it counts."""

    build: Build
    folder: Path
    """Where wrong ones are saved."""
    explained: int = 0
    told: int = 0
    """Of those: failures of which a cause was told, or several."""
    tried: Counter[str] = field(default_factory=Counter)
    """By cause and kind."""
    not_tried: Counter[str] = field(default_factory=Counter)
    """By kind and reason."""
    wrong: list[str] = field(default_factory=list)
    _met: Counter[str] = field(default_factory=Counter)
    """By kind: those that were chosen. What was chosen least is chosen next."""

    def in_world(self, built: Built, seen: tuple[Cell, ...], number: int) -> Iterator[Explained]:
        """Explain some failures of a world, and try cures; the world is not as before afterwards.

        :param number: the seed of the world
        :returns: what was explained
        """
        cases = explained(built, seen, Random(number))  # noqa: S311 - it chooses what is tried
        self.explained += len(cases)
        self.told += sum(bool(case.cures) for case in cases)
        picks = sorted(_picks(cases), key=lambda pick: self._met[pick.kind])
        again_and_again = [pick for pick in picks if harmless(pick.cure)][:_HARMLESS]
        others = [pick for pick in picks if not harmless(pick.cure)][:_OTHERS]
        for pick in again_and_again:
            self._note(tried(built, pick.case, pick.cure, pick.cause), pick, built.world, number)
            built.listen()
        for pick in others[:1]:
            self._note(tried(built, pick.case, pick.cure, pick.cause), pick, built.world, number)
        for pick in others[1:]:
            self._note(self._anew(built.world, pick) or pick.not_again(), pick, built.world, number)
        yield from cases

    def figures(self) -> dict[str, object]:
        """What ``--json`` prints of this column."""
        share = self.not_tried.total() / max(self.tried.total() + self.not_tried.total(), 1)
        return {
            "explained": self.explained,
            "explained_with_a_cure": self.told,
            "cures_tried": self.tried.total(),
            "cures_not_tried_share": round(share, 5),
            "cures": dict(self.tried.most_common()),
            "cures_not_tried": dict(self.not_tried.most_common()),
            "cures_wrong": self.wrong,
        }

    def _anew(self, world: World, pick: _Pick) -> Tried | None:
        """Try a cure in a new world of the same kind; None where it is not printed there."""
        with self.build(world) as built:
            place, target = pick.case.attempt.place.name, Target.parse(str(pick.case.attempt.target))
            if place not in built.places:
                return None
            case = again(built, place, target)
            same = (one for one in _picks((case,)) if one.kind == pick.kind)
            found = next(same, None)
            return tried(built, found.case, found.cure, found.cause) if found else None

    def _note(self, one: Tried, pick: _Pick, world: World, number: int) -> None:
        self._met[pick.kind] += 1
        if one.not_tried:
            self.not_tried[f"{one.kind}: {one.not_tried}"] += 1
            return
        self.tried[one.kind] += 1
        if one.wrong:
            self.wrong.append(f"seed {number}: {one.place} to {one.target}, {one.kind}: {one.cure.text}. {one.wrong}")
            smaller = shrunk(world, lambda other: self._is_wrong(other, pick), tries=_TRIES)
            save_cure(self.folder, pick.case, one, smaller, f"{number}-{len(self.wrong)}")

    def _is_wrong(self, world: World, pick: _Pick) -> bool:
        found = self._anew(world, pick)
        return found is not None and bool(found.wrong)


@dataclass
class Sentences:
    """The sentences of explanations, as they were judged. Not a value: it counts."""

    folder: Path
    """Where false ones are saved."""
    judged: Counter[Judgement] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    """Sentences that no pattern reads, with the numbers in them struck out."""
    wrong: list[str] = field(default_factory=list)

    def judge(self, case: Explained, number: int) -> None:
        """Check all that is said of a failure; what is false is saved."""
        for one in judged(case.evidence, case.told, case.attempt.place.name):
            self.judged[one.judgement] += 1
            if one.judgement is Judgement.UNREAD:
                self.unread[f"{one.statement.what}: {_NUMBER.sub('#', one.text)}"] += 1
            if one.judgement is Judgement.FALSE:
                self.wrong.append(f"seed {number}: {case.attempt.place.name} to {case.attempt.target}: {one.text}")
                save_sentence(self.folder, case, one, f"{number}-{len(self.wrong)}")

    def figures(self) -> dict[str, object]:
        """What ``--json`` prints of this column."""
        return {
            "sentences_checked": self.judged[Judgement.TRUE] + self.judged[Judgement.FALSE],
            "sentences": {str(judgement): count for judgement, count in self.judged.most_common()},
            "sentences_not_checked": dict(self.unread.most_common()),
            "sentences_wrong": self.wrong,
        }


def _picks(cases: tuple[Explained, ...]) -> Iterator[_Pick]:
    """The printed cures, one of each kind."""
    known: set[str] = set()
    for case in cases:
        found = (case.told.diagnosis,) if case.told.diagnosis else case.told.alternatives
        for diagnosis in found:
            for cure in diagnosis.cures:
                pick = _Pick(case, str(diagnosis.cause), cure)
                if pick.kind not in known:
                    known.add(pick.kind)
                    yield pick
