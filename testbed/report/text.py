"""A report for people: the story as it happens, the matrix, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from testbed.bind import described
from testbed.model import Observation, Outcome
from testbed.report.console import plain
from testbed.report.outcome_words import SHORT
from testbed.results import Cell, Report, Step

_GOOD: Final = "✓"
_BAD: Final = "✗"
_STYLES: Final = {Outcome.CONNECTED: "green", Outcome.REFUSED: "yellow"}


def step(console: Console, number: int, done: Step) -> None:
    """One step: what was tried, what came back, what follows."""
    mark = Text(f"{_GOOD if done.ok else _BAD} ", style="bold green" if done.ok else "bold red")
    console.print(Text.assemble(mark, plain(f"{number}. {done.title}", "bold")))
    console.print(_under(_words(done.observed), _STYLES.get(done.observed.outcome, "")))
    if not done.ok:
        console.print(_under(f"expected: {done.expected}", "red"))
        console.print(_under(f"by hand:  {done.observed.command}"))
    if done.remark:
        console.print(_under(done.remark, "dim"))


def _under(text: str, style: str = "") -> Padding:
    return Padding(plain(text, style), (0, 0, 0, 5), expand=False)


def matrix(console: Console, cells: Sequence[Cell], targets: Sequence[str]) -> None:
    """A table for each bind address: vantages down, targets across."""
    for bind, group in groupby(cells, key=lambda cell: cell.bind):
        table = Table(title=described(bind), title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("from \\ to")
        for target in targets:
            table.add_column(target)
        for vantage, row in groupby(group, key=lambda cell: cell.vantage):
            by_target = {cell.target: cell for cell in row}
            table.add_row(vantage, *(_mark(by_target.get(target)) for target in targets))
        console.print(table)


def verdict(console: Console, report: Report) -> None:
    """What is wrong, with expected, observed and the command to repeat it; then one line that says it all."""
    for cell in report.wrong:
        console.print(plain(difference(cell), "red"))
    connected = sum(cell.observed.outcome is Outcome.CONNECTED for cell in report.cells)
    refused = [cell for cell in report.cells if cell.needs_control]
    controlled = sum(cell.control is not None and cell.control.outcome is Outcome.CONNECTED for cell in refused)
    beside = "each" if controlled == len(refused) else f"{controlled} of them"
    failed = [done for done in report.steps if not done.ok]
    if failed:
        console.print(plain(f"{_BAD} {len(failed)} of {len(report.steps)} steps differ, see above", "bold red"))
    clients = sum(cell.client is not None for cell in report.cells)
    console.print(
        plain(
            f"{_GOOD if report.ok else _BAD} {len(report.cells) - len(report.wrong)} of {report.expected_cells} cells "
            f"as expected: {connected} connect, {len(refused)} are refused, {beside} beside a control that connected, "
            f"{len(report.cells) - connected - len(refused)} have no way there; {clients} also through the real "
            f"client, word for word. Ready in {report.ready_seconds:.1f} s, all in {report.seconds:.1f} s.",
            "bold green" if report.ok else "bold red",
        )
    )


def difference(cell: Cell) -> str:
    """One wrong cell: expected, observed, and what repeats it by hand."""
    lines = [f"{_BAD} {cell.vantage} to {cell.target}, {described(cell.bind)}"]
    if (cell.observed.outcome, cell.observed.errno, cell.observed.text) != (
        cell.expected.outcome,
        cell.expected.errno,
        cell.expected.text,
    ):
        lines += [
            f"    expected: {cell.expected.outcome} {cell.expected.text} ({cell.expected.why})",
            f"    observed: {_words(cell.observed)}",
            f"    by hand:  {cell.observed.command}",
        ]
    if cell.client is not None and not cell.client.ok:
        lines += [
            f"    real client, expected: {cell.client.expected or Outcome.CONNECTED}",
            f"    real client, observed: {_words(cell.client.observed)}",
            f"    by hand:  {cell.client.observed.command}",
        ]
    if cell.needs_control and (cell.control is None or cell.control.outcome is not Outcome.CONNECTED):
        seen = "none was made" if cell.control is None else _words(cell.control)
        lines.append(f"    its control, which must connect: {seen}")
    return "\n".join(lines)


def differences(cells: Iterable[Cell]) -> str:
    """All wrong cells of some."""
    return "\n".join(difference(cell) for cell in cells if not cell.ok)


def _words(seen: Observation) -> str:
    if seen.outcome is not Outcome.CONNECTED:
        return seen.text or str(seen.outcome)
    if seen.answer is None:
        return "connected"
    who = f" by {seen.answer.server}" if seen.answer.server else ""
    status = f", answered {seen.answer.status}" if seen.answer.status else ""
    return f"connected to {seen.answer.peer}{status}{who}, in {seen.seconds * 1000:.0f} ms"


def _mark(cell: Cell | None) -> Text:
    if cell is None:
        return Text("hole", style="bold red")
    word = SHORT[cell.observed.outcome]
    if cell.ok:
        return Text(word, style=_STYLES.get(cell.observed.outcome, "dim"))
    return Text(f"{_BAD} {word}", style="bold red")
