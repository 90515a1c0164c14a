"""What random worlds once showed to be predicted wrongly (``make truth``) is predicted as it was seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.evidence import Attempt, codec
from testbed.model import Observation, Outcome, Phase, Target
from testbed.predict import predict
from truth.cells import Cell
from truth.saved import EVIDENCE, SEEN

FOLDER = Path(__file__).with_name("recorded") / "disagreements"
NAMES = sorted(path.name.removesuffix(SEEN) for path in FOLDER.glob(f"*{SEEN}"))


def test_there_are_some() -> None:
    """Each has both of its files."""
    assert NAMES
    assert sorted(path.name.removesuffix(EVIDENCE) for path in FOLDER.glob(f"*{EVIDENCE}")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_disagreement_is_none_any_more(name: str) -> None:
    """From the picture of that world the outcome and errno that the kernel showed in it are predicted."""
    seen = json.loads((FOLDER / f"{name}{SEEN}").read_text())
    place, target = seen["place"], Target.parse(seen["target"])
    evidence = codec.read(FOLDER / f"{name}{EVIDENCE}")
    predicted = predict(evidence, Attempt(evidence.place(place), target))
    # In which phase it ended is not recorded, and not compared.
    observed = Observation(place, str(target), Outcome(seen["outcome"]), Phase.CONNECT, seen["errno"], "", 0.0, "")
    assert Cell(place, str(target), predicted, observed).agrees, (predicted, seen)
