"""Each cause of the catalogue, made on a real lab: it is named, and no other; its cure is applied, and it connects."""

from __future__ import annotations

import pytest

from testbed.explain.explanation import Conclusion
from testbed.model import Outcome
from truth.faults.all_faults import FAULTS
from truth.faults.fault import Fault
from truth.faults.stage import Stage


@pytest.mark.parametrize("made", FAULTS, ids=[f"{f.cause}-{f.name}" for f in FAULTS])
def test_a_fault_is_named_and_its_cure_works(stage: Stage, made: Fault) -> None:
    """Exactly this cause is named, with a sentence, evidence and a cure; with the cure the same attempt connects.

    Where only what was meant tells it from another one, both are named. Of what goes on inside a program that accepted
    there is no cure to give: it is said where to look.
    """
    with made.make(stage) as broken:
        told = stage.why_pasted(broken.pasted) if broken.pasted else stage.why(broken.place, broken.target)
        explained = told.explanation
        named = {one.cause: one for one in (explained.diagnosis, *explained.alternatives) if one}
        assert made.cause in named, explained.sentence
        assert len(named) == 1 or made.told_by_what_was_meant, explained.sentence
        diagnosis = named[made.cause]
        assert diagnosis.rows
        assert diagnosis.cures or explained.decide
        if broken.cure_runs_on:
            by_command = [cure for cure in diagnosis.cures if "..." not in cure.command and cure.target is None]
            cure = by_command[0]
            stage.run(cure.command, on=broken.cure_runs_on)
        if broken.cure_connects is not None:
            broken.cure_connects(diagnosis.cures)
        if broken.cure is not None:
            broken.cure()
        if broken.cure is not None or broken.cure_runs_on:
            place, target = broken.cured_place or broken.place, broken.cured_target or broken.target
            cured = stage.why(place, target, seconds=5.0, client=broken.cured_as)
            after = cured.explanation
            assert after.verdict is Conclusion.CONNECTS, (after.sentence, diagnosis.cures)
            assert after.observation is not None
            assert after.observation.outcome is Outcome.CONNECTED
