"""A matrix of cells for people: a table for each bind address, and what is wrong with a cell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from testbed.bind import described
from testbed.model import Outcome
from testbed.report.outcome_words import SHORT
from testbed.report.words import BAD, STYLES, observed
from testbed.results import Cell, Matrix


def tables(console: Console, matrix: Matrix) -> None:
    """Print a table for each bind address: vantages down, targets across."""
    targets = matrix.axes.targets
    for bind, group in groupby(matrix.cells, key=lambda cell: cell.bind):
        table = Table(title=described(bind), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("from \\ to", overflow="fold")
        for target in targets:
            table.add_column(target, overflow="fold")
        for vantage, row in groupby(group, key=lambda cell: cell.vantage):
            by_target = {cell.target: cell for cell in row}
            table.add_row(vantage, *(_word(by_target.get(target)) for target in targets))
        console.print(table)


def difference(cell: Cell) -> str:
    """Describe one wrong cell: expected, observed, and what repeats it by hand."""
    lines = [f"{BAD} {cell.vantage} to {cell.target}, {described(cell.bind)}"]
    if (cell.observed.outcome, cell.observed.errno, cell.observed.text) != (
        cell.expected.outcome,
        cell.expected.errno,
        cell.expected.text,
    ):
        lines += [
            f"    expected: {cell.expected.outcome} {cell.expected.text} ({cell.expected.why})",
            f"    observed: {observed(cell.observed)}",
            f"    by hand:  {cell.observed.command}",
        ]
    if cell.client is not None and not cell.client.ok:
        lines += [
            f"    real client, expected: {cell.client.expected or Outcome.CONNECTED}",
            f"    real client, observed: {observed(cell.client.observed)}",
            f"    by hand:  {cell.client.observed.command}",
        ]
    if cell.needs_control and (cell.control is None or cell.control.outcome is not Outcome.CONNECTED):
        seen = "none was made" if cell.control is None else observed(cell.control)
        lines.append(f"    its control, which must connect: {seen}")
    return "\n".join(lines)


def differences(cells: Iterable[Cell]) -> str:
    """Describe all wrong cells of some."""
    return "\n".join(difference(cell) for cell in cells if not cell.ok)


def _word(cell: Cell | None) -> Text:
    if cell is None:
        return Text("hole", style="bold red")
    word = SHORT[cell.observed.outcome]
    if cell.ok:
        return Text(word, style=STYLES.get(cell.observed.outcome, "dim"))
    return Text(f"{BAD} {word}", style="bold red")
