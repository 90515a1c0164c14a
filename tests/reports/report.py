"""The form of a report: somebody's failure, how it is built anew, and what has to be said of it. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from testbed.model import Outcome
from tests.reports.site import Site


class Step(Protocol):
    """Something that is done on a site."""

    def do(self, site: Site) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to connect from a place."""

    place: str
    """A host or container of the site, as ``--from`` takes it."""
    target: str
    """A URL or host:port."""


@dataclass(frozen=True, slots=True)
class Cured:
    """A cure that may be printed, and its deed: after it the attempt connects."""

    says: tuple[str, ...]
    """Words that such a cure has in its text or its command, all of them."""
    by: tuple[Step, ...] = ()
    """Its deed: done where what is printed has no change of the picture, and otherwise only to show that it cures."""
    again: Attempt | None = None
    """What connects after it; by default the attempt itself."""


@dataclass(frozen=True, slots=True)
class Report:
    """One failure of somebody's."""

    reference: str
    """``repository#number`` of a public report; empty for a failure of our own, or a form of one that is public."""
    title: str
    """The failure as who has it sees it."""
    truth: str
    """The cause, in a sentence."""
    steps: Sequence[Step]
    """How it is built on a fresh site."""
    attempt: Attempt
    seen: Outcome | None
    """How the attempt really ends: the guard that what is built is what was reported. None where nothing is tried."""
    causes: tuple[str, ...] = ()
    """The codes that are right, any of them; empty where it connects, or where nobody can tell."""
    either: tuple[str, ...] = ()
    """Instead of those: the codes of which each is said and none is claimed, as only what was meant tells."""
    says: tuple[str, ...] = ()
    """Words that are in the sentence, in what would decide, or in a warning."""
    never: tuple[str, ...] = ()
    """Words that are nowhere in the explanation, as they are false of this site."""
    cures: tuple[Cured, ...] = ()
    """The cures that are right. The first one printed is one of them, and is applied. Empty: none may be printed."""
    alive: tuple[Attempt, ...] = ()
    """What connects all the while: the program that the attempt is meant for listens."""
    closed: tuple[Attempt, ...] = ()
    """What does not connect after the cure: it exposes nothing there."""
    pasted: str = ""
    """The words of a client, in place of the target; the attempt then is what they are about."""
    asks: tuple[str, ...] = ()
    """Words of what is asked back where something is missing in the text that was pasted; nothing is explained then."""
    shown: bool = True
    """False where what is installed here cannot build it."""
    connects: bool = False
    """True where the attempt connects, and what has to be said is to whom."""
