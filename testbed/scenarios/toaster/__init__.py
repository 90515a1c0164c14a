"""The toaster scenario: one click of Jack's, followed through the shop and back."""

from __future__ import annotations

from typing import Final

from testbed.scenarios.scenario import Reference, Scenario

SCENARIO: Final = Scenario(
    name="toaster",
    summary="one click, through NAT, nginx, a backend and a database, and back",
    topology=Reference("testbed.scenarios.toaster.topology", "TOPOLOGY"),
    story=Reference("testbed.scenarios.toaster.story", "scenes"),
    lab=Reference("testbed.scenarios.toaster.lab", "ToasterLab"),
)
