"""``python -m truth``: random worlds until enough cells are seen; every disagreement shrunk and saved."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.table import Table

from testbed import images
from testbed.cli.progress import status
from testbed.errors import Error
from testbed.images import ImageStore
from testbed.namespaces import become_root
from testbed.report.console import make, plain
from truth.build import Built
from truth.cells import Cell, cells
from truth.saved import save
from truth.worlds import World, worlds

_SAVED: Final = Path(__file__).parents[1] / "tests" / "unit" / "recorded" / "disagreements"
_WORLDS_EACH: Final = 10
_DISAGREED: Final = 1


class _DisagreementError(AssertionError):
    """A cell that was not as predicted; hypothesis shrinks the world that it is in."""


@dataclass
class _Run:
    """What one run has seen so far."""

    wanted: int
    store: ImageStore
    image: str
    cells: int = 0
    worlds: int = 0
    inconclusive: int = 0
    predicting: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    last: tuple[World, Any, Cell] | None = None
    shrinking: bool = False

    def check(self, world: World) -> None:
        """Build a world, try everything in it, and raise for the first disagreement."""
        with Built(world, image=self.image, image_store=self.store.storage) as built:
            evidence, seconds, seen = cells(built)
        wrong = [cell for cell in seen if not cell.agrees and not cell.inconclusive]
        if not self.shrinking:
            self.worlds += 1
            self.cells += len(seen)
            self.predicting += seconds
            self.inconclusive += sum(cell.inconclusive for cell in seen)
            self.outcomes.update(str(cell.observed.outcome) for cell in seen)
            self.unknown.update(cell.predicted.why for cell in seen if cell.inconclusive)
        if wrong:
            self.shrinking = True
            self.last = (world, evidence, wrong[0])
            raise _DisagreementError(f"{wrong[0].place} to {wrong[0].target}")


@click.command(epilog="Exit codes: 0 no disagreement, 1 some, saved below tests/unit/recorded/, 2 cannot run here.")
@click.option("--cells", "wanted", default=20_000, show_default=True, help="How many to see at least.")
@click.option("--seed", "first", default=None, type=int, help="Where to begin; printed, so that a run can be repeated.")
@click.option("--most", default=10, show_default=True, help="Stop after so many disagreements.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def truth(wanted: int, first: int | None, most: int, json_: bool) -> None:
    """Predict and try random worlds on the real kernel, and print how often the two agree."""
    become_root()
    first = int(time.time()) % 1_000_000_000 if first is None else first
    store = ImageStore()
    found: list[str] = []
    start = time.monotonic()
    with status("truth") as say:
        run = _Run(wanted, store, images.ensure(["base"], store=store, say=say)["base"])
        number = first
        while run.cells < wanted and len(found) < most:
            say(f"seed {number}: {run.cells} cells in {run.worlds} worlds, {len(found)} disagreements")
            _explore(run, number, found)
            number += 1
    _report(run, first, found, time.monotonic() - start, json_=json_)
    if found:
        sys.exit(_DISAGREED)


def _explore(run: _Run, number: int, found: list[str]) -> None:
    """Some worlds of one seed; a disagreement is shrunk and saved."""

    @seed(number)
    @settings(
        max_examples=_WORLDS_EACH,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(worlds())
    def explore(world: World) -> None:
        if run.cells < run.wanted or run.shrinking:
            run.check(world)

    run.shrinking = False
    try:
        explore()
    except _DisagreementError:
        assert run.last is not None
        world, evidence, cell = run.last
        found.append(f"{cell.place} to {cell.target}: predicted {cell.predicted.outcome}, seen {cell.observed.outcome}")
        save(_SAVED, evidence, world, cell, number)


def _report(run: _Run, first: int, found: list[str], seconds: float, *, json_: bool) -> None:
    share = run.inconclusive / max(run.cells, 1)
    each = run.predicting / max(run.cells, 1) * 1000
    figures = {
        "seed": first,
        "worlds": run.worlds,
        "cells": run.cells,
        "disagreements": found,
        "inconclusive": run.inconclusive,
        "inconclusive_share": round(share, 5),
        "milliseconds_a_prediction": round(each, 3),
        "seconds": round(seconds, 1),
        "outcomes": dict(run.outcomes.most_common()),
    }
    if json_:
        click.echo(json.dumps(figures, indent=1))
        return
    console = make()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in figures.items():
        if name not in ("disagreements", "outcomes"):
            table.add_row(name.replace("_", " "), str(value))
    for outcome, count in run.outcomes.most_common():
        table.add_row(f"seen: {outcome}", str(count))
    console.print(table)
    for why, count in run.unknown.most_common(5):
        console.print(plain(f"inconclusive {count} times: {why}"))
    for line in found:
        console.print(plain(f"✗ {line}", "red"))


def main() -> None:
    """Run the command line and end the process."""
    try:
        truth(standalone_mode=False, prog_name="python -m truth")
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        make(stderr=True).print(plain("truth: interrupted; nothing is left behind"))
        sys.exit(130)
    except Error as exc:
        make(stderr=True).print(plain(f"truth: {exc}", "red"))
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
