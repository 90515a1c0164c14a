"""The namespaces scenario: one machine, one port on many 127.0.0.1, and the rooms that keep them apart."""

from __future__ import annotations

from typing import Final

from testbed.scenarios.scenario import Reference, Scenario

SCENARIO: Final = Scenario(
    name="namespaces",
    summary="how one kernel has many 127.0.0.1",
    topology=Reference("testbed.scenarios.namespaces.topology", "TOPOLOGY"),
    story=Reference("testbed.scenarios.namespaces.story", "scenes"),
    lab=Reference("testbed.scenarios.namespaces.lab", "NamespacesLab"),
)
