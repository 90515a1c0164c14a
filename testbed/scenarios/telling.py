"""Telling a scenario's story on a lab that is up, and the report that is made of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from testbed.lab import Lab
from testbed.results import Axes, Cell, Event, Matrix, Report, Scene
from testbed.scenarios.scenario import NO_OPTIONS, Options, Scenario


def tell(
    scenario: Scenario,
    lab: Lab,
    options: Options = NO_OPTIONS,
    *,
    ready_seconds: float = 0.0,
    heard: Callable[[Event], None] = lambda event: None,
) -> Report:
    """Tell the whole story.

    :param options: those of the scenario's that were given
    :param ready_seconds: how long the lab took to be ready, for the report
    :param heard: called with each scene and cell as it is seen, and with the axes before the first cell
    :raises Error: something could not be done or seen at all
    """
    start = time.monotonic()
    scenes: list[Scene] = []
    cells: list[Cell] = []
    axes: Axes | None = None
    story = scenario.story.load()
    for event in story(lab, options) if scenario.options else story(lab):
        match event:
            case Scene():
                scenes.append(event)
            case Cell():
                cells.append(event)
            case Axes():
                axes = event
        heard(event)
    return Report(
        scenario=scenario.name,
        options=scenario.written(options),
        seconds=time.monotonic() - start + ready_seconds,
        ready_seconds=ready_seconds,
        scenes=tuple(scenes),
        matrix=None if axes is None else Matrix(axes, tuple(cells)),
    )
