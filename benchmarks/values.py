"""What was measured, and what it was to be. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Unit(StrEnum):
    """What a figure counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    RATE = "/s"
    MEBIBYTES = "MiB"
    TIMES = "x"
    PREDICTIONS = "predictions"


@dataclass(frozen=True, slots=True)
class Series:
    """One thing, measured several times in one run."""

    subject: str
    name: str
    """Its key in the JSON and for targets; unique within the subject."""
    label: str
    """What people read."""
    unit: Unit
    samples: tuple[float, ...]
    base: str | None = None
    """The series of the same subject that it is set against, where it has a ratio."""
    seen: float | None = None
    """The figure seen by hand on two idle cores, before there was any of this (reference/private-host.md)."""

    @property
    def median(self) -> float:
        """The middle sample."""
        return median(self.samples)

    @property
    def low(self) -> float:
        """The least sample."""
        return min(self.samples)

    @property
    def high(self) -> float:
        """The greatest sample."""
        return max(self.samples)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How often a base series goes into another one, both taken in turns in one run."""

    series: str
    base: str
    samples: tuple[float, ...]
    """Round by round: what disturbed one disturbed its neighbour too."""

    @property
    def median(self) -> float:
        """The middle sample."""
        return median(self.samples)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that something is to reach."""

    subject: str
    name: str
    """The series that is judged."""
    label: str
    unit: Unit
    at_most: float | None = None
    at_least: float | None = None
    of_ratio: bool = False
    """Whether the series' ratio to its base is judged, instead of the series."""

    @property
    def limit(self) -> str:
        """The bound, as people write it."""
        sign, bound = ("≤", self.at_most) if self.at_most is not None else ("≥", self.at_least)
        return f"{sign} {bound:,g} {self.unit}"


@dataclass(frozen=True, slots=True)
class TargetResult:
    """A target beside what was measured."""

    target: Target
    measured: float | None
    """The median; None where this run left it out."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where nothing was measured."""
        if self.measured is None:
            return None
        above = self.target.at_least is None or self.measured >= self.target.at_least
        return above and (self.target.at_most is None or self.measured <= self.target.at_most)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured, and what else went on there."""

    cores: int
    cpu: str
    memory: float
    """Mebibytes."""
    distribution: str
    kernel: str
    podman: str
    python: str
    root: bool
    """Whether by the machine's root; else by an ordinary user, in a user namespace."""
    load_before: float
    """The machine's load over the last minute (proc(5), loadavg)."""
    load_after: float


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run measured."""

    machine: Machine
    quick: bool
    seconds: float
    series: tuple[Series, ...]
    verdicts: tuple[TargetResult, ...]


def ratio(series: Series, among: Iterable[Series]) -> Ratio | None:
    """A series against its base, None where it has none."""
    base = next((s for s in among if s.subject == series.subject and s.name == series.base), None)
    if base is None:
        return None
    return Ratio(series.name, base.name, tuple(a / b for a, b in zip(series.samples, base.samples, strict=True)))


def judge(targets: Iterable[Target], among: tuple[Series, ...]) -> tuple[TargetResult, ...]:
    """Each target beside its measured median."""
    return tuple(TargetResult(target, _measured(target, among)) for target in targets)


def _measured(target: Target, among: tuple[Series, ...]) -> float | None:
    found = next((s for s in among if (s.subject, s.name) == (target.subject, target.name)), None)
    if found is None or not target.of_ratio:
        return None if found is None else found.median
    against = ratio(found, among)
    return None if against is None else against.median
