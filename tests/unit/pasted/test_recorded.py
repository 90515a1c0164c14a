"""Texts that people pasted into public reports: each is read whole, but for what it does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.explain.pasted import read
from tests.unit.pasted.texts import CLOSED, NO_NAME, REFUSED, TIMED_OUT, UNRESOLVED

CASES: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "recorded" / "pasted.json").read_text(encoding="utf-8")
)
OUTCOMES: Final = {"refused": REFUSED, "timed-out": TIMED_OUT, "closed": CLOSED, "no-name": NO_NAME}
#: Whose port the report has elsewhere: telnet does not print it.
WITHOUT_PORT: Final = ("telnet",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_text_of_a_report_says_its_outcome(case: dict[str, Any]) -> None:
    """The outcome is read; where the client prints the same for several, all of them are said."""
    said = read(case["text"])
    outcomes = set(said.possible or (said.outcome,))
    if case["out"] == "several":
        assert len(outcomes) > 1
    elif case["out"] == "name-fail":
        assert outcomes <= UNRESOLVED
    else:
        assert outcomes == OUTCOMES[case["out"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_text_of_a_report_says_its_place_and_no_other(case: dict[str, Any]) -> None:
    """Host, address and port are what the report says they are, and none is made up where it has none."""
    said = read(case["text"])
    host = said.target.host if said.target else said.name or None
    address = str(said.address) if said.address else None
    assert (host or address, address) == (case["host"] or case["addr"], case["addr"])
    assert said.port == (None if case["id"] in WITHOUT_PORT else case["port"])
