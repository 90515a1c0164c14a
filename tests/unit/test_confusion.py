"""What counts as a wrong cause, and how it is shown."""

from __future__ import annotations

import io

from rich.console import Console

from truth.confusion import Named, as_table

RIGHT = Named("loopback-only", "loopback-only", "one")
WRONG = Named("loopback-only", "not-listening", "other")


def test_a_cause_that_was_not_made_is_wrong() -> None:
    """Only the very cause that was made is right."""
    assert (RIGHT.right, WRONG.right) == (True, False)


def test_pairs_are_counted() -> None:
    """Made and named stand beside how many faults gave that pair."""
    shown = io.StringIO()
    Console(file=shown, width=80).print(as_table([RIGHT, RIGHT, WRONG]))
    rows = [line.strip("│ ").split() for line in shown.getvalue().splitlines() if "loopback-only" in line]
    assert [[word for word in row if word != "│"] for row in rows] == [
        ["loopback-only", "loopback-only", "2"],
        ["loopback-only", "not-listening", "1"],
    ]
