"""The scenario's own pytest fixtures, over those of :mod:`testbed.plugin`, which loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import pytest

from testbed.scenarios.portainer import SCENARIO
from testbed.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from testbed.scenarios.portainer.lab import PortainerLab
    from testbed.scenarios.scenario_lab import ScenarioLab


@pytest.fixture
def portainer_lab(shared_lab: Callable[[Scenario], ScenarioLab]) -> Iterator[PortainerLab]:
    """The Portainer scenario, shared by the tests of a session; forwards that a test leaves open are closed."""
    lab = cast("PortainerLab", shared_lab(SCENARIO))
    yield lab
    lab.close_tunnels()


@pytest.fixture
def make_portainer_lab(make_lab: Callable[[Scenario], ScenarioLab]) -> Callable[[], PortainerLab]:
    """Makes fresh Portainer labs, for tests that break something; always of private hosts, and ended with the test."""
    return lambda: cast("PortainerLab", make_lab(SCENARIO))
