"""Expectations of a run and what was observed, as values; comparing the two is all the judgement there is.

A report is of scenes, each with checks, and of a matrix of cells where the scenario has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from testbed.bind import Bind
from testbed.model import Observation, Outcome
from testbed.predict import Prediction


@dataclass(frozen=True, slots=True)
class Check:
    """A claim, and whether it was borne out."""

    text: str
    """The claim, as a sentence."""
    ok: bool
    seen: str = ""
    """The finding in words, where that says more than yes or no."""
    expected: str = ""
    """The outcome, or the client's exact words, where the claim is about an observation."""
    observed: Observation | None = None
    """The observation that it is about, if it is about one."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One part of a story: what was claimed, and a picture of it."""

    title: str
    checks: tuple[Check, ...]
    picture: tuple[str, ...] = ()
    """Lines of plain text, at most 100 wide."""
    remark: str = ""
    """The conclusion for the reader."""

    @property
    def ok(self) -> bool:
        """True where everything that it claims was seen."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class ClientCheck:
    """A cell through the real client in the container, by its exact words."""

    expected: str
    """Empty where it must connect."""
    observed: Observation

    @property
    def ok(self) -> bool:
        """Whether it said exactly what it should."""
        return self.observed.text == self.expected and (self.observed.outcome is Outcome.CONNECTED) == (
            not self.expected
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One vantage, bind and target."""

    vantage: str
    bind: Bind
    """The bind address of the tunnel, or that there is none."""
    target: str
    expected: Prediction
    observed: Observation
    control: Observation | None = None
    """For a refused cell: the same listener answering somebody in the same moment. Without it a refusal proves little.
    Where there is no tunnel, and so no listener, the agent behind it answering on its own machine."""
    client: ClientCheck | None = None

    @property
    def needs_control(self) -> bool:
        """Whether the observation is worth something only beside a control."""
        return self.observed.outcome is Outcome.REFUSED

    @property
    def ok(self) -> bool:
        """Whether everything is as expected: outcome, errno and words, a control that connected, the real client."""
        seen = self.observed
        return (
            (seen.outcome, seen.errno, seen.text, seen.phase)
            == (self.expected.outcome, self.expected.errno, self.expected.text, self.expected.phase)
            and (not self.needs_control or (self.control is not None and self.control.outcome is Outcome.CONNECTED))
            and (self.client is None or self.client.ok)
        )


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a matrix: each bind, vantage and target is to be tried together once."""

    binds: tuple[Bind, ...]
    vantages: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of cells that there are to be."""
        return len(self.binds) * len(self.vantages) * len(self.targets)


#: A part of a story as it is told: a scene, the axes of its matrix before the first cell, a cell.
Event: TypeAlias = Scene | Axes | Cell


@dataclass(frozen=True, slots=True)
class Matrix:
    """The cells that were filled, beside the axes that say which there were to be."""

    axes: Axes
    cells: tuple[Cell, ...]

    @property
    def holes(self) -> int:
        """The number of cells that were to be filled and were not: errors, not gaps."""
        filled = {(cell.bind, cell.vantage, cell.target) for cell in self.cells}
        return sum(cell not in filled for cell in product(self.axes.binds, self.axes.vantages, self.axes.targets))

    @property
    def wrong(self) -> tuple[Cell, ...]:
        """The cells that are not as expected."""
        return tuple(cell for cell in self.cells if not cell.ok)

    @property
    def ok(self) -> bool:
        """True where every cell is as expected, and none is missing."""
        return not self.wrong and not self.holes


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run of a scenario saw."""

    scenario: str
    options: Mapping[str, str]
    """The options that were given, by name, as they are written on the command line."""
    seconds: float
    ready_seconds: float
    """From nothing to everything up, images aside."""
    scenes: tuple[Scene, ...]
    matrix: Matrix | None = None

    @property
    def ok(self) -> bool:
        """True where every scene and cell is as claimed, none is missing, and there was a scene."""
        return bool(self.scenes) and all(scene.ok for scene in self.scenes) and (self.matrix is None or self.matrix.ok)
