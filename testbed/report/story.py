"""A scene of a story, for people, as it happens."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from testbed.report.console import plain
from testbed.report.words import STYLES, mark, observed
from testbed.results import Check, Scene


def scene(console: Console, number: int, shown: Scene) -> None:
    """Print one scene: its title, its picture, each claim with what was seen, and what follows."""
    console.print(Text.assemble(mark(shown.ok), plain(f" {number}. {shown.title}", "bold")))
    for line in shown.picture:
        _under(console, plain(line, "cyan"), 7)
    for check in shown.checks:
        _check(console, check)
    if shown.remark:
        _under(console, plain(shown.remark, "dim"), 5)


def _check(console: Console, check: Check) -> None:
    said = f"{check.text}: {check.seen}" if check.seen else check.text
    _under(console, Text.assemble(mark(check.ok), plain(f" {said}")), 5)
    if check.observed is None:
        return
    # On a line of its own: the words of a client are compared, and copied, whole.
    _under(console, plain(observed(check.observed), STYLES.get(check.observed.outcome, "")), 7)
    if not check.ok:
        _under(console, plain(f"expected: {check.expected}", "red"), 7)
        _under(console, plain(f"by hand:  {check.observed.command}"), 7)


def _under(console: Console, text: Text, columns: int) -> None:
    """Indented, and folded to a terminal's width."""
    console.print(Padding(text, (0, 0, 0, columns), expand=False))
