"""``python -m truth``: random worlds until enough cells are seen; every disagreement shrunk and saved.

And every fault of the catalogue once: the causes that were made by those that were named.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import click
from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.table import Table

from testbed import images
from testbed.cli.ending import run
from testbed.cli.progress import status
from testbed.images import ImageStore
from testbed.namespaces import become_root
from testbed.report.console import make, plain
from truth.build import Built
from truth.cells import Cell, Seen, cells
from truth.confusion import Named, as_table, confusion
from truth.saved import save
from truth.shrink import shrunk
from truth.worlds import World, worlds

_SAVED: Final = Path(__file__).parents[1] / "tests" / "unit" / "recorded" / "disagreements"
_WORLDS_EACH: Final = 10
#: Worlds that are built to make one smaller.
_TRIES: Final = 25
_DISAGREED: Final = 1
#: Of what ``--json`` prints: raised whenever a key goes, or means something else.
_VERSION: Final = 1


@dataclass
class _Run:
    """What one run has seen so far."""

    wanted: int
    store: ImageStore
    image: str
    cells: int = 0
    worlds: int = 0
    inconclusive: int = 0
    asked_again: int = 0
    predicting: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def seen_in(self, world: World) -> Seen:
        """Build a world and try everything in it."""
        with Built(world, image=self.image, image_store=self.store.storage) as built:
            return cells(built)

    def check(self, world: World, number: int) -> None:
        """Count what a world shows; a disagreement is shrunk and saved."""
        shown = self.seen_in(world)
        evidence, seen = shown.evidence, shown.cells
        self.predicting += shown.seconds
        self.asked_again += shown.asked_again
        self.worlds += 1
        self.cells += len(seen)
        self.inconclusive += sum(cell.inconclusive for cell in seen)
        self.outcomes.update(str(cell.observed.outcome) for cell in seen)
        self.unknown.update(cell.predicted.disposition for cell in seen if cell.inconclusive)
        wrong = _wrong(seen)
        if wrong is None:
            return
        smaller = shrunk(world, lambda w: _wrong(self.seen_in(w).cells) is not None, tries=_TRIES)
        again = self.seen_in(smaller)
        found = _wrong(again.cells)
        # What is not seen again is kept as it was.
        world, evidence, cell = (world, evidence, wrong) if found is None else (smaller, again.evidence, found)
        what = f"predicted {cell.predicted.outcome}, seen {cell.observed.outcome}{'' if found else ', once'}"
        self.disagreements.append(f"seed {number}: {cell.place} to {cell.target}: {what}")
        save(_SAVED, evidence, world, cell, f"{number}-{len(self.disagreements)}")


def _wrong(seen: tuple[Cell, ...]) -> Cell | None:
    return next((cell for cell in seen if not cell.agrees and not cell.inconclusive), None)


@click.command(
    epilog="Exit codes: 0 all agree, 1 a disagreement (saved in tests/unit/recorded) or wrong cause, 2 cannot run here."
)
@click.option("--cells", "wanted", default=20_000, show_default=True, help="How many to see at least.")
@click.option("--seed", "first", default=None, type=int, help="Where to begin; printed, so that a run can be repeated.")
@click.option("--most", default=10, show_default=True, help="Stop after so many disagreements.")
@click.option("--faults/--no-faults", default=True, show_default=True, help="Make each fault of the catalogue too.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def truth(wanted: int, first: int | None, most: int, *, faults: bool, json_: bool) -> None:
    """Predict and try random worlds on the real kernel, and print how often the two agree."""
    become_root()
    first = int(time.time()) % 1_000_000_000 if first is None else first
    store = ImageStore()
    start = time.monotonic()
    with status("truth") as say:
        run = _Run(wanted, store, images.ensure(["base"], store=store, say=say)["base"])
        number = first
        while run.cells < wanted and len(run.disagreements) < most:
            say(f"seed {number}: {run.cells} cells in {run.worlds} worlds, {len(run.disagreements)} disagreements")
            _explore(run, number)
            number += 1
        seconds = time.monotonic() - start
        named = confusion(image=run.image, image_store=store.storage, say=say) if faults else ()
    _report(run, first, seconds, named, json_=json_)
    if run.disagreements or not all(one.right for one in named):
        sys.exit(_DISAGREED)


def _explore(run: _Run, number: int) -> None:
    """Some worlds of one seed."""

    @seed(number)
    @settings(
        max_examples=_WORLDS_EACH,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(worlds())
    def explore(world: World) -> None:
        if run.cells < run.wanted:
            run.check(world, number)

    explore()


def _report(run: _Run, first: int, seconds: float, named: tuple[Named, ...], *, json_: bool) -> None:
    share = run.inconclusive / max(run.cells, 1)
    each = run.predicting / max(run.cells, 1) * 1000
    figures = {
        "seed": first,
        "worlds": run.worlds,
        "cells": run.cells,
        "disagreements": run.disagreements,
        "inconclusive": run.inconclusive,
        "inconclusive_share": round(share, 5),
        "asked_again": run.asked_again,
        "milliseconds_a_prediction": round(each, 3),
        "seconds": round(seconds, 1),
        "outcomes": dict(run.outcomes.most_common()),
        "confusion": [asdict(one) for one in named],
    }
    if json_:
        click.echo(json.dumps({"version": _VERSION, **figures}, indent=1))
        return
    console = make()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in figures.items():
        if name not in ("disagreements", "outcomes", "confusion"):
            table.add_row(name.replace("_", " "), str(value))
    for outcome, count in run.outcomes.most_common():
        table.add_row(f"seen: {outcome}", str(count))
    console.print(table)
    for why, count in run.unknown.most_common(5):
        console.print(plain(f"inconclusive {count} times: {why}"))
    for line in run.disagreements:
        console.print(plain(f"✗ {line}", "red"))
    if named:
        console.print(as_table(named))
        for one in named:
            if not one.right:
                console.print(plain(f"✗ {one.fault} made {one.made}, and {one.named} was named", "red"))


if __name__ == "__main__":
    run(truth, "python -m truth")
