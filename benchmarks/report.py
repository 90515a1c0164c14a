"""A run for people, as tables, and for programs, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.values import Machine, Run, Series, TargetResult, Unit, ratio
from testbed.report.console import plain

_DIGITS: Final = {
    Unit.SECONDS: 3,
    Unit.MILLISECONDS: 3,
    Unit.RATE: 0,
    Unit.MEBIBYTES: 1,
    Unit.TIMES: 2,
    Unit.PREDICTIONS: 0,
}
#: Of what :func:`as_json` returns: raised whenever a key goes, or means something else.
_VERSION: Final = 1
_WORDS: Final = {True: ("met", "green"), False: ("missed", "red"), None: ("not measured", "dim")}


def tables(console: Console, run: Run) -> None:
    """A table for each subject, then the targets."""
    console.print(plain(machine_line(run.machine), "dim"))
    for subject, series in groupby(run.series, key=lambda s: s.subject):
        console.print(_subject(subject, list(series)))
    console.print(_targets(run.verdicts))
    kind = "quick run" if run.quick else "full run"
    console.print(plain(f"{kind}, {run.seconds:.0f} s; medians, and ratios round by round", "dim"))


def machine_line(machine: Machine) -> str:
    """Where it was measured, in one line."""
    who = "root" if machine.root else "an ordinary user"
    return (
        f"{machine.cores} cores ({machine.cpu}), {machine.memory / 1024:.0f} GiB, {machine.distribution}, "
        f"Linux {machine.kernel}, Podman {machine.podman}, Python {machine.python}, as {who}, "
        f"load {machine.load_before:.1f} before and {machine.load_after:.1f} after"
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _subject(subject: str, series: Sequence[Series]) -> Table:
    table = _table(subject, "median", "min", "max", "n", "ratio", "seen by hand")
    for row in series:
        against = ratio(row, series)
        table.add_row(
            row.label,
            _figure(row.median, row.unit),
            _figure(row.low, row.unit),
            _figure(row.high, row.unit),
            str(len(row.samples)),
            "" if against is None else _times(against.median),
            "" if row.seen is None else _figure(row.seen, row.unit),
        )
    return table


def _targets(verdicts: Sequence[TargetResult]) -> Table:
    table = _table("targets", "target", "measured", "")
    for verdict in verdicts:
        word, style = _WORDS[verdict.met]
        measured = "" if verdict.measured is None else _figure(verdict.measured, verdict.target.unit)
        table.add_row(
            f"{verdict.target.subject}: {verdict.target.label}", verdict.target.limit, measured, plain(word, style)
        )
    return table


def _figure(value: float, unit: Unit) -> str:
    return f"{value:,.{_DIGITS[unit]}f} {unit}"


def _times(value: float) -> str:
    return f"{value:.2f} x" if value >= 0.1 else f"1/{1 / value:.0f}"  # noqa: PLR2004 - where a fraction reads better


def as_json(run: Run) -> str:
    """Everything in one object, every sample with it."""
    return json.dumps(
        {
            "version": _VERSION,
            "machine": asdict(run.machine),
            "quick": run.quick,
            "seconds": run.seconds,
            "series": [_series(series, run.series) for series in run.series],
            "targets": [
                {**asdict(verdict.target), "measured": verdict.measured, "met": verdict.met} for verdict in run.verdicts
            ],
        },
        indent=1,
    )


def _series(series: Series, among: Sequence[Series]) -> dict[str, Any]:
    against = ratio(series, among)
    return {
        **asdict(series),
        "median": series.median,
        "min": series.low,
        "max": series.high,
        "ratio": None if against is None else {"median": against.median, "samples": against.samples},
    }
