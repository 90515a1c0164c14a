"""The switch scenario: what podman0 does with a frame, and that it does nothing more."""

from __future__ import annotations

from typing import Final

from testbed.scenarios.scenario import Reference, Scenario

SCENARIO: Final = Scenario(
    name="switch",
    summary="what podman0 does with a frame, port by port",
    topology=Reference("testbed.scenarios.switch.topology", "TOPOLOGY"),
    story=Reference("testbed.scenarios.switch.story", "scenes"),
    lab=Reference("testbed.scenarios.switch.lab", "SwitchLab"),
)
