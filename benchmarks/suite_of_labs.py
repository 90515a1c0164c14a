"""What ``parallel`` runs under pytest: as many tests as BENCH_LABS says, each with a whole lab of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from testbed.model import Outcome
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import PODMAN0, URL


@pytest.mark.parametrize("number", range(int(os.environ.get("BENCH_LABS", "1"))))
def test_portainer_connects(make_portainer_lab: Callable[[], PortainerLab], number: int) -> None:
    """A lab is made, the cure works there, and it is ended."""
    del number
    lab = make_portainer_lab()
    with lab.forward(PODMAN0):
        assert lab.portainer.connect(URL).outcome is Outcome.CONNECTED
