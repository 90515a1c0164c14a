"""What an explanation says. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from testbed.change import Change
from testbed.explain.codes import Cause
from testbed.model import Observation, Target
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
    removal: Change | None = field(default=None, compare=False)
    """The change that takes it out of the picture: only what the cause needs is printed. None where it is no part."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that may make it connect; a cure once a prediction has shown that it does."""

    text: str
    """A few words that say it."""
    command: str = ""
    """What is printed where its changes have no command of their own, or a container is made anew; else empty."""
    changes: tuple[Change, ...] = ()
    """All of them are made."""
    target: Target | None = None
    """Another target that the caller is to use; None where it is the same."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A cause that may be the one: it is, where one of its remedies is proven."""

    cause: Cause
    sentence: str
    rows: tuple[Row, ...]
    remedies: tuple[Remedy, ...]
    warnings: tuple[str, ...] = ()
    """Where a usual witness misleads."""
    meant: str = ""
    """The intention that makes it the cause, as half a sentence, where nothing in the picture tells."""


@dataclass(frozen=True, slots=True)
class Cure:
    """Something that makes it work."""

    text: str
    """A few words that say it."""
    command: str
    """The command or the line to change; empty where there is none to give."""
    exposes: str = ""
    """Who else can reach what afterwards; empty where nobody can."""
    changes: tuple[Change, ...] = ()
    """All that was changed in the picture when the prediction showed that it connects; none where none is needed."""
    target: Target | None = None
    """The target that the caller uses then; None where it is the same."""


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
    meant: str = ""
    """The intention that makes it the cause, as half a sentence, where nothing in the picture tells."""
    decide: str = ""
    """Where to look for what no picture shows, such as a program's own log; empty where there is nothing to add."""


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
    """Where it cannot be told, the one observation that would decide it; else as of the diagnosis."""
    warnings: tuple[str, ...] = ()
    alternatives: tuple[Diagnosis, ...] = ()
    """Where it cannot be told because several cures are proven and only what was meant tells: each of them."""
    facts: tuple[Row, ...] = ()
    """Where it cannot be told what cures: the evidence for what decides."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The evidence: of the cause, of each that it may be, or of the fact that decides."""
        if self.diagnosis is not None:
            return self.diagnosis.rows
        return (*(row for one in self.alternatives for row in one.rows), *self.facts)

    @property
    def cause(self) -> Cause | None:
        """The cause's code; None where it connects, or cannot be told."""
        return self.diagnosis.cause if self.diagnosis else None
