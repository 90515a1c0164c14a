"""Predicting again with something changed: what shows that a remedy cures, and that evidence is needed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from testbed.change import Change, ImpossibleChangeError, apply, apply_all
from testbed.evidence import Attempt, Evidence, Place
from testbed.explain.case import Case
from testbed.explain.explanation import Remedy, Row
from testbed.model import Outcome, Target
from testbed.predict import Prediction, predict
from testbed.predict.ending import LaterFiltered, Left

#: Predictions for one explanation at the most: some 50 ms.
MOST: int = 200


@dataclass(slots=True)
class Counterfactuals:
    """Predictions about one case with something changed. Not a value: it counts, and remembers."""

    case: Case
    made: int = 0
    """How many predictions were made."""
    _known: dict[tuple[tuple[Change, ...], Target | None], Case | None] = field(default_factory=dict)

    def after(self, changes: tuple[Change, ...], target: Target | None = None) -> Case | None:
        """The case as it would be after changes; None where they are impossible, or too much was predicted already.

        :param target: the target that is tried then; by default the case's own
        """
        key = (changes, target)
        if key not in self._known:
            self._known[key] = self._predicted(changes, target)
        return self._known[key]

    def cures(self, remedy: Remedy) -> bool:
        """Tell if an attempt is predicted to connect after a remedy, to somebody who can be heard."""
        after = self.after(remedy.changes, remedy.target)
        if after is None or isinstance(after.prediction.ending, LaterFiltered):
            return False
        return after.prediction.outcome is Outcome.CONNECTED

    def leads_out(self, remedy: Remedy) -> bool:
        """Tell if a packet that was stopped in the picture leaves it after a remedy: more than that nobody can predict.

        Only where the way that it failed on is the one that is repaired: another target proves nothing then.
        """
        if remedy.target is not None or isinstance(self.case.prediction.ending, Left):
            return False
        after = self.after(remedy.changes)
        return after is not None and isinstance(after.prediction.ending, Left) and not after.prediction.ending.back

    def has(self, row: Row) -> bool:
        """Tell if a row is of this picture: what takes it out can be made on it."""
        if row.removal is None:
            return True
        try:
            apply(row.removal, self.case.evidence)
        except ImpossibleChangeError:
            return False
        return True

    def needs(self, row: Row, remedy: Remedy) -> bool:
        """Tell if a diagnosis needs a row: without it the attempt would end otherwise, or the remedy would not cure.

        A row that is no part of the picture, such as the words of a client, is needed.
        """
        if row.removal is None:
            return True
        without = self.after((row.removal,))
        if without is None or _differs(without.prediction, self.case.prediction):
            return True
        both = replace(remedy, changes=(row.removal, *remedy.changes))
        return not (self.cures(both) or self.leads_out(both))

    def _predicted(self, changes: tuple[Change, ...], target: Target | None) -> Case | None:
        if self.made >= MOST:
            return None
        try:
            evidence = apply_all(changes, self.case.evidence)
        except ImpossibleChangeError:
            return None
        place = same_place(evidence, self.case.place)
        if place is None:
            return None
        self.made += 1
        attempt = Attempt(place, target or self.case.attempt.target)
        return replace(self.case, evidence=evidence, attempt=attempt, prediction=predict(evidence, attempt))


def same_place(evidence: Evidence, place: Place) -> Place | None:
    """The place of another picture that a place is; None where it is gone from that one."""
    host = next((host for host in evidence.hosts if host.key == place.host.key), None)
    if host is None or place.container is None:
        return Place(host) if host else None
    identity = (place.container.host, place.container.id)
    container = next((c for c in evidence.containers if (c.host, c.id) == identity), None)
    return Place(host, container) if container else None


def _differs(one: Prediction, other: Prediction) -> bool:
    """Tell if two predictions differ in what decides."""
    return (one.outcome, one.errno, one.address, one.why) != (other.outcome, other.errno, other.address, other.why)
