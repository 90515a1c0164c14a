"""docs/claims.md: made of its table as it is now, and naming no test that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.claims import PAGE, ROOT, TABLE, Claim, Essay, names_of_tests, page, read

ESSAYS = read(TABLE)
CLAIMS = [claim for essay in ESSAYS for claim in essay.claims]


def test_page_is_what_is_made_of_the_table() -> None:
    """Whoever edits one without the other is told: ``python -m tests.claims``."""
    assert PAGE.read_text(encoding="utf-8") == page(ESSAYS)


@pytest.mark.parametrize("file", sorted({test.partition("::")[0] for claim in CLAIMS for test in claim.tests}))
def test_every_named_test_exists(file: str) -> None:
    """A test that was renamed or removed holds nothing any more."""
    named = {test.partition("::")[2] for claim in CLAIMS for test in claim.tests if test.startswith(f"{file}::")}
    assert named - names_of_tests(ROOT / file) == set()


@pytest.mark.parametrize("number", range(1, len(ESSAYS) + 1))
def test_ids_are_unique_and_in_order(number: int) -> None:
    """An id is its essay's number and a count (with a letter for what is put between two), and they only rise."""
    ids = [claim.id for claim in ESSAYS[number - 1].claims]
    assert [one for one in ids if not re.fullmatch(rf"S{number}-[0-9]{{3}}[a-z]?", one)] == []
    assert ids == sorted(set(ids)) != []


def test_no_test_is_named_twice_for_a_claim() -> None:
    """One name is enough."""
    assert [claim.id for claim in CLAIMS if len(set(claim.tests)) != len(claim.tests)] == []


def test_page_counts_what_is_held() -> None:
    """The line at the top has, for each essay, how many of its claims have a test."""
    essays = (
        Essay("One", (Claim("S1-001", "it floods", ("tests/a.py::test_b",)), Claim("S1-002", "it learns", ()))),
        Essay("Two", (Claim("S2-001", "it routes", ()),)),
    )
    assert "Held: One 1 of 2; Two 0 of 1." in page(essays).splitlines()


def test_row_has_id_claim_tests_and_note() -> None:
    """Several tests stand below one another, a claim without any is not yet held, and a bar ends no cell."""
    held = Claim("S1-001", "A* or a|b", ("tests/a.py::test_b", "tests/a.py::test_c"), "for 300 s")
    rows = page([Essay("One", (held, Claim("S1-002", "it learns", ())))]).splitlines()[-2:]
    assert rows == [
        r"| S1-001 | A\* or a\|b | `tests/a.py::test_b`<br>`tests/a.py::test_c` | for 300 s |",
        "| S1-002 | it learns | not yet |  |",
    ]


def test_tests_below_a_condition_are_found(tmp_path: Path) -> None:
    """Functions of the module and below its ``if`` and ``else`` are tests; inner ones and helpers are none."""
    file = tmp_path / "test_some.py"
    file.write_text(
        "def test_a():\n    def test_inner(): ...\n"
        "if True:\n    def test_b(): ...\nelif False:\n    def test_c(): ...\nelse:\n    def test_d(): ...\n"
        "def helper(): ...\n"
    )
    assert names_of_tests(file) == {"test_a", "test_b", "test_c", "test_d"}
