"""A disagreement as files: the picture, and what was seen in it. Each becomes a unit test by being there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from testbed.evidence import Evidence, codec
from truth.cells import Cell
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
