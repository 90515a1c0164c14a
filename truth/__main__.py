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

from testbed import images
from testbed.cli.ending import run
from testbed.cli.progress import status
from testbed.images import ImageStore
from testbed.namespaces import become_root
from truth.build import Built
from truth.cells import Cell, Seen, cells
from truth.columns import Cures, Sentences
from truth.confusion import Named, confusion
from truth.report import show
from truth.saved import save
from truth.shrink import shrunk
from truth.worlds import World, worlds

_RECORDED: Final = Path(__file__).parents[1] / "tests" / "unit" / "recorded"
_SAVED: Final = _RECORDED / "disagreements"
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
    cures: Cures = field(init=False)
    sentences: Sentences = field(default_factory=lambda: Sentences(_RECORDED / "sentences"))

    def __post_init__(self) -> None:
        self.cures = Cures(self.build, _RECORDED / "cures")

    def build(self, world: World) -> Built:
        """Build a world."""
        return Built(world, image=self.image, image_store=self.store.storage)

    def seen_in(self, world: World) -> Seen:
        """Build a world and try everything in it."""
        with self.build(world) as built:
            return cells(built)

    def check(self, world: World, number: int) -> None:
        """Count what a world shows; a disagreement is shrunk and saved."""
        with self.build(world) as built:
            shown = cells(built)
            self._count(shown)
            if _wrong(shown.cells) is None:
                for case in self.cures.in_world(built, shown.cells, number):
                    self.sentences.judge(case, number)
                return
        self._keep(world, shown, number)

    def _count(self, shown: Seen) -> None:
        seen = shown.cells
        self.predicting += shown.seconds
        self.asked_again += shown.asked_again
        self.worlds += 1
        self.cells += len(seen)
        self.inconclusive += sum(cell.inconclusive for cell in seen)
        self.outcomes.update(str(cell.observed.outcome) for cell in seen)
        self.unknown.update(cell.predicted.disposition for cell in seen if cell.inconclusive)

    def _keep(self, world: World, shown: Seen, number: int) -> None:
        """Shrink a world that shows a disagreement, and save that."""
        evidence, wrong = shown.evidence, _wrong(shown.cells)
        smaller = shrunk(world, lambda w: _wrong(self.seen_in(w).cells) is not None, tries=_TRIES)
        again = self.seen_in(smaller)
        found = _wrong(again.cells)
        # What is not seen again is kept as it was.
        world, evidence, cell = (world, evidence, wrong) if found is None else (smaller, again.evidence, found)
        assert cell is not None
        what = f"predicted {cell.predicted.outcome}, seen {cell.observed.outcome}{'' if found else ', once'}"
        self.disagreements.append(f"seed {number}: {cell.place} to {cell.target}: {what}")
        save(_SAVED, evidence, world, cell, f"{number}-{len(self.disagreements)}")

    def figures(self, first: int, seconds: float, named: tuple[Named, ...]) -> dict[str, object]:
        """All that ``--json`` prints but its version.

        :param first: the seed that it began with
        :param seconds: what the worlds took
        """
        return {
            "seed": first,
            "worlds": self.worlds,
            "cells": self.cells,
            "disagreements": self.disagreements,
            "inconclusive": self.inconclusive,
            "inconclusive_share": round(self.inconclusive / max(self.cells, 1), 5),
            "why_inconclusive": dict(self.unknown.most_common()),
            "asked_again": self.asked_again,
            "milliseconds_a_prediction": round(self.predicting / max(self.cells, 1) * 1000, 3),
            "outcomes": dict(self.outcomes.most_common()),
            **self.cures.figures(),
            **self.sentences.figures(),
            "seconds": round(seconds, 1),
            "confusion": [asdict(one) for one in named],
        }

    @property
    def wrong(self) -> int:
        """How much is wrong, in all columns."""
        return len(self.disagreements) + len(self.cures.wrong) + len(self.sentences.wrong)


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
        while run.cells < wanted and run.wrong < most:
            cured = sum(run.cures.tried.values())
            say(f"seed {number}: {run.cells} cells in {run.worlds} worlds, {cured} cures, {run.wrong} wrong")
            _explore(run, number)
            number += 1
        seconds = time.monotonic() - start
        named = confusion(image=run.image, image_store=store.storage, say=say) if faults else ()
    figures = run.figures(first, seconds, named)
    if json_:
        click.echo(json.dumps({"version": _VERSION, **figures}, indent=1))
    else:
        show(figures, (*run.disagreements, *run.cures.wrong, *run.sentences.wrong), named)
    if run.wrong or not all(one.right for one in named):
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


if __name__ == "__main__":
    run(truth, "python -m truth")
