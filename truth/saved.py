"""A disagreement as files: the picture, and what was seen in it. Each becomes a unit test by being there.

``python -m truth.saved FOLDER`` brings the pictures of a folder to the present version of their format.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from testbed.evidence import Evidence, codec
from truth.cells import Cell
from truth.cures import Explained, Tried
from truth.sentences import Judged
from truth.worlds import World

EVIDENCE: Final = ".evidence.json"
SEEN: Final = ".seen.json"


def save(folder: Path, evidence: Evidence, world: World, cell: Cell, name: str) -> None:
    """Write both files.

    :param name: what both are called, such as the seed
    """
    folder.mkdir(parents=True, exist_ok=True)
    codec.write(folder / f"{name}{EVIDENCE}", evidence)
    seen = {
        "place": cell.place,
        "target": cell.target,
        "outcome": cell.observed.outcome,
        "errno": cell.observed.errno,
        "predicted_then": cell.predicted.outcome,
        "why_then": cell.predicted.why,
        "world": repr(world),
    }
    (folder / f"{name}{SEEN}").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def save_cure(folder: Path, case: Explained, one: Tried, world: World, name: str) -> None:
    """Write the picture of a failure, and a cure that was printed for it and is wrong.

    :param world: the smallest one that showed it
    :param name: what both files are called, such as the seed
    """
    said = {
        "cause": one.cause,
        "cure": one.cure.text,
        "command": one.cure.command,
        "exposes": one.cure.exposes,
        "wrong": one.wrong,
        "world": repr(world),
    }
    _save_explained(folder, case, said, name)


def save_sentence(folder: Path, case: Explained, one: Judged, name: str) -> None:
    """Write the picture of a failure, and a sentence that was said of it and is false.

    :param name: what both files are called, such as the seed
    """
    said = {"what": one.statement.what, "where": one.statement.where, "text": one.text}
    _save_explained(folder, case, said, name)


def _save_explained(folder: Path, case: Explained, said: dict[str, str], name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    codec.write(folder / f"{name}{EVIDENCE}", case.evidence)
    seen = {
        "place": case.attempt.place.name,
        "target": str(case.attempt.target),
        "outcome": case.seen.outcome,
        "errno": case.seen.errno,
        "phase": case.seen.phase,
        **said,
    }
    (folder / f"{name}{SEEN}").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")


def bring(folder: Path) -> None:
    """Write each picture of a folder anew, in the present version.

    :raises UsageError: one of them cannot be read
    """
    for path in sorted(folder.glob(f"*{EVIDENCE}")):
        codec.write(path, codec.read(path))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        bring(Path(name))
