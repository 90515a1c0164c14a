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
    """Exactly this cause is named, with a sentence, evidence and a cure; with the cure the same attempt connects."""
    with made.make(stage) as broken:
        told = stage.why_pasted(broken.pasted) if broken.pasted else stage.why(broken.place, broken.target)
        explained = told.explanation
        assert (explained.verdict, explained.cause) == (Conclusion.EXPLAINED, made.cause), explained.sentence
        assert explained.diagnosis is not None
        assert explained.diagnosis.rows
        assert explained.diagnosis.cures
        if broken.cure_runs_on:
            stage.run(explained.diagnosis.cures[0].command, on=broken.cure_runs_on)
        if broken.cure is not None:
            broken.cure()
        if broken.cure is not None or broken.cure_runs_on:
            cured = stage.why(broken.cured_place or broken.place, broken.cured_target or broken.target, seconds=5.0)
            after = cured.explanation
            assert after.verdict is Conclusion.CONNECTS, (after.sentence, explained.diagnosis.cures)
            assert after.observation is not None
            assert after.observation.outcome is Outcome.CONNECTED
