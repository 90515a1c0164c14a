"""The verdict of a report, for people: what is wrong, and one line that says it all."""

from __future__ import annotations

from rich.console import Console

from testbed.model import Outcome
from testbed.report.console import plain
from testbed.report.matrix import difference
from testbed.report.words import BAD, GOOD, verdict_style
from testbed.results import Matrix, Report


def verdict(console: Console, report: Report) -> None:
    """Print each wrong cell, how many claims of the scenes held, and of a matrix how its cells ended.

    The last line begins with the mark of the whole report.
    """
    if report.matrix is None:
        took = f"in {report.seconds:.1f} s (ready after {report.ready_seconds:.1f} s)"
        _line(console, report.ok, f"{_claims(report)} {took}")
        return
    for cell in report.matrix.wrong:
        console.print(plain(difference(cell), "red"))
    _line(console, all(scene.ok for scene in report.scenes), _claims(report))
    took = f"Ready in {report.ready_seconds:.1f} s, all in {report.seconds:.1f} s."
    _line(console, report.ok, f"{_cells(report.matrix)} {took}")


def _line(console: Console, ok: bool, words: str) -> None:
    console.print(plain(f"{GOOD if ok else BAD} {words}", verdict_style(ok)))


def _claims(report: Report) -> str:
    checks = [check for scene in report.scenes for check in scene.checks]
    good = sum(check.ok for check in checks)
    return f"{good} of {len(checks)} claims of {len(report.scenes)} scenes seen on the kernel"


def _cells(matrix: Matrix) -> str:
    cells = matrix.cells
    connected = sum(cell.observed.outcome is Outcome.CONNECTED for cell in cells)
    refused = [cell for cell in cells if cell.needs_control]
    controlled = sum(cell.control is not None and cell.control.outcome is Outcome.CONNECTED for cell in refused)
    beside = "each" if controlled == len(refused) else f"{controlled} of them"
    clients = sum(cell.client is not None for cell in cells)
    return (
        f"{len(cells) - len(matrix.wrong)} of {matrix.axes.size} cells as expected: {connected} connect, "
        f"{len(refused)} are refused, {beside} beside a control that connected, "
        f"{len(cells) - connected - len(refused)} have no way there; {clients} also through the real client, word for "
        "word."
    )
