"""What an explanation says. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from testbed.explain.codes import Cause
from testbed.model import Observation
from testbed.predict import Prediction


class Conclusion(StrEnum):
    """What is known in the end; each has its exit code."""

    CONNECTS = "connects"
    EXPLAINED = "explained"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of evidence that an explanation rests on."""

    what: str
    """``listener``, ``rule``, ``route``, ``hosts``, ..."""
    where: str
    """The host or container it was seen in."""
    text: str
    """As its tool prints it, or as near as can be."""


@dataclass(frozen=True, slots=True)
class Cure:
    """Something that makes it work."""

    text: str
    """What it is, in a few words."""
    command: str
    """The command or the line to change; empty where there is none to give."""
    exposes: str = ""
    """Who else can reach what afterwards; empty where nobody can."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A cause, said and proven."""

    cause: Cause
    sentence: str
    rows: tuple[Row, ...] = ()
    cures: tuple[Cure, ...] = ()
    """The one to prefer first."""
    warnings: tuple[str, ...] = ()
    """Where a usual witness misleads."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Several causes that what is known does not tell apart."""

    sentence: str
    """What is known, and the causes that remain."""
    decide: str
    """The one observation that would decide."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an attempt ends as it does."""

    verdict: Conclusion
    sentence: str
    diagnosis: Diagnosis | None
    prediction: Prediction | None
    observation: Observation | None
    decide: str = ""
    """Where it cannot be told: the one observation that would decide it."""
    warnings: tuple[str, ...] = ()

    @property
    def cause(self) -> Cause | None:
        """The cause's code; None where it connects, or cannot be told."""
        return self.diagnosis.cause if self.diagnosis else None
