"""The marks and words that every report for people shares."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from testbed.model import Observation, Outcome

GOOD: Final = "✓"
BAD: Final = "✗"
#: How an outcome is coloured; the others are not.
STYLES: Final = {Outcome.CONNECTED: "green", Outcome.REFUSED: "yellow"}


def mark(ok: bool) -> Text:
    """Return the mark of what is as claimed, or is not."""
    return Text(GOOD if ok else BAD, style=verdict_style(ok))


def verdict_style(ok: bool) -> str:
    """Return how a mark, and the line of a verdict, is coloured."""
    return "bold green" if ok else "bold red"


def observed(seen: Observation) -> str:
    """Say in one line what an attempt saw: the client's own words where it failed, else who answered."""
    if seen.outcome is not Outcome.CONNECTED:
        return seen.text or str(seen.outcome)
    if seen.answer is None:
        return "connected"
    who = f" by {seen.answer.server}" if seen.answer.server else ""
    status = f", answered {seen.answer.status}" if seen.answer.status else ""
    return f"connected to {seen.answer.peer}{status}{who}, in {seen.seconds * 1000:.0f} ms"
