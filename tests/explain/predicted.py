"""One attempt of a rootless container's, held against its prediction."""

from __future__ import annotations

from testbed.diagnose import Told
from truth.faults.rootless import Rootless


def as_predicted(mine: Rootless, place: str, target: str, *, seconds: float = 1.5) -> Told:
    """Try once; what is seen is what was predicted."""
    told = mine.stage.why(place, target, seconds=seconds)
    predicted, seen = told.explanation.prediction, told.explanation.observation
    assert predicted is not None
    assert seen is not None
    assert (predicted.outcome, predicted.errno) == (seen.outcome, seen.errno), predicted.why
    return told
