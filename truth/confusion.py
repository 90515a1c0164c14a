"""The catalogue's confusion table: each fault made once on hosts of its own, and the cause that was named for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from testbed.errors import Error
from testbed.report.console import plain
from truth.faults.all_faults import FAULTS
from truth.faults.fault import Fault
from truth.faults.stage import Stage


@dataclass(frozen=True, slots=True)
class Named:
    """What was named where a cause was made."""

    made: str
    named: str
    """The cause, or the verdict where there is none; of a fault that could not be made, why."""
    fault: str

    @property
    def right(self) -> bool:
        """Whether the one is the other."""
        return self.made == self.named


def confusion(
    *, image: str, image_store: Path, say: Callable[[str], None], faults: Sequence[Fault] = FAULTS
) -> tuple[Named, ...]:
    """Make each fault once, and explain it.

    :param image: an image whose containers only idle
    :param say: told which one is being made, a line at a time
    """
    found = []
    for number, made in enumerate(faults, 1):
        say(f"fault {number} of {len(faults)}: {made.cause}")
        found.append(Named(made.cause, _named(made, image, image_store), made.name))
    return tuple(found)


def _named(made: Fault, image: str, image_store: Path) -> str:
    try:
        with Stage(image=image, image_store=image_store) as stage, made.make(stage) as broken:
            told = stage.why_pasted(broken.pasted) if broken.pasted else stage.why(broken.place, broken.target)
    except Error as exc:
        return f"not made: {exc}"
    explained = told.explanation
    if made.told_by_what_was_meant and made.cause in {one.cause for one in explained.alternatives}:
        return str(made.cause)
    return str(explained.cause or explained.verdict)


def as_table(found: Iterable[Named]) -> Table:
    """Causes made by causes named. Only pairs that were seen: all others are none."""
    counted = Counter((one.made, one.named, one.right) for one in found)
    shown = Table("made", "named", "faults", pad_edge=False)
    for (made, named, right), count in counted.items():
        shown.add_row(*(plain(word, "" if right else "red") for word in (made, named, str(count))))
    return shown
