"""What a run prints for people: figures, what was not tried or checked and why, and all that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.table import Table

from testbed.report.console import make, plain
from truth.confusion import Named, as_table

#: Figures that are counts by some word, and how many of them are shown; the others stand in ``--json``.
_COUNTED: Final = {
    "outcomes": 20,
    "why_inconclusive": 5,
    "sentences": 5,
    "cures_not_tried": 10,
    "sentences_not_checked": 10,
}


def show(figures: Mapping[str, object], wrong: Iterable[str], named: Sequence[Named]) -> None:
    """Print figures as a table, then what is wrong, a line each, then the faults of the catalogue.

    :param figures: as ``--json`` has them
    """
    console = make()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in figures.items():
        if isinstance(value, int | float):
            table.add_row(name.replace("_", " "), str(value))
    console.print(table)
    for name, most in _COUNTED.items():
        counts = figures.get(name)
        for word, count in list(counts.items())[:most] if isinstance(counts, Mapping) else ():
            console.print(plain(f"{name.replace('_', ' ')}: {count} {word}"))
    for line in wrong:
        console.print(plain(f"✗ {line}", "red"))
    if named:
        console.print(as_table(named))
    for one in named:
        if not one.right:
            console.print(plain(f"✗ {one.fault} made {one.made}, and {one.named} was named", "red"))
