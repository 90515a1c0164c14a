"""Texts that people pasted into public reports: each is read whole, but for what it does not have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.errors import UsageError
from testbed.explain.pasted import read
from tests.unit.pasted.texts import (
    CLOSED,
    LOST,
    NO_HOST,
    NO_NAME,
    NO_NETWORK,
    NO_RESOLVER,
    REFUSED,
    RESET,
    TIMED_OUT,
    TLS,
    UNRESOLVED,
)

_RECORDED: Final = Path(__file__).parents[1] / "recorded"
#: The given ones, and more of the same families: what each must say was written down before it was read.
_ALL: Final[list[dict[str, Any]]] = [
    case
    for name in ("pasted.json", "public-texts.json")
    for case in json.loads((_RECORDED / name).read_text(encoding="utf-8"))
]
CASES: Final = [case for case in _ALL if case["out"] != "none"]
#: Logs in which nobody failed to connect.
OTHERS: Final = [case for case in _ALL if case["out"] == "none"]
OUTCOMES: Final = {
    "refused": REFUSED,
    "timed-out": TIMED_OUT,
    "closed": CLOSED,
    "reset": RESET,
    "no-host": NO_HOST,
    "no-network": NO_NETWORK,
    "no-name": NO_NAME,
    "no-resolver": NO_RESOLVER,
    "tls": TLS,
}
#: Where the client may print one of two: either, or both.
EITHER: Final = {"name-fail": UNRESOLVED, "lost": LOST}
#: Whose port the report has elsewhere: telnet does not print it.
WITHOUT_PORT: Final = ("telnet",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_text_of_a_report_says_its_outcome(case: dict[str, Any]) -> None:
    """The outcome is read; where the client prints the same for several, all of them are said."""
    said = read(case["text"])
    outcomes = set(said.possible or (said.outcome,))
    if case["out"] == "several":
        assert len(outcomes) > 1
    elif case["out"] in EITHER:
        assert outcomes <= EITHER[case["out"]]
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


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case["id"])
def test_log_without_a_failed_connection_is_refused(case: dict[str, Any]) -> None:
    """Source lines and times of day make no failure of a log that has none."""
    with pytest.raises(UsageError, match="no error of a client"):
        read(case["text"])
