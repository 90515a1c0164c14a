"""What a run was expected to show and what it showed, as values; comparing the two is all the judgement there is."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.bind import Bind
from testbed.model import Observation, Outcome
from testbed.predict import Prediction


@dataclass(frozen=True, slots=True)
class ClientCheck:
    """The same cell through the real client in the container, by its exact words."""

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
    """What the tunnel is bound to, or that there is none."""
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
class Step:
    """One sentence of the story, what was expected of it and what was seen."""

    title: str
    expected: str
    """The outcome, or the client's exact words."""
    observed: Observation
    ok: bool
    remark: str = ""
    """What follows from it, for the one who reads."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run saw."""

    scenario: str
    seconds: float
    ready_seconds: float
    """From nothing to everything up, images aside."""
    steps: tuple[Step, ...]
    cells: tuple[Cell, ...]
    expected_cells: int

    @property
    def holes(self) -> int:
        """Cells that were to be filled and were not: errors, not gaps."""
        return self.expected_cells - len(self.cells)

    @property
    def wrong(self) -> tuple[Cell, ...]:
        """The cells that are not as expected."""
        return tuple(cell for cell in self.cells if not cell.ok)

    @property
    def ok(self) -> bool:
        """Whether every step and every cell is as expected, and none is missing."""
        return not self.wrong and not self.holes and all(step.ok for step in self.steps)


@dataclass(frozen=True, slots=True)
class Check:
    """A claim, and whether the kernel bore it out."""

    text: str
    """The claim, as a sentence."""
    ok: bool
    seen: str = ""
    """What was seen, where that says more than yes or no."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One part of a story that is told by what the kernel did: what was claimed, and a picture of it."""

    title: str
    checks: tuple[Check, ...]
    picture: tuple[str, ...] = ()
    """Lines of plain text, at most 100 wide."""
    remark: str = ""
    """What follows from it, for the one who reads."""

    @property
    def ok(self) -> bool:
        """Whether everything that it claims was seen."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that one run of scenes saw."""

    scenario: str
    seconds: float
    ready_seconds: float
    """From nothing to everything up, images aside."""
    scenes: tuple[Scene, ...]

    @property
    def ok(self) -> bool:
        """Whether every scene was as claimed, and there was one."""
        return bool(self.scenes) and all(scene.ok for scene in self.scenes)
