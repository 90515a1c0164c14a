"""The switch scenario: what podman0 does with a frame, and that it does nothing more."""

from testbed.scenarios.switch.lab import SwitchLab
from testbed.scenarios.switch.story import scenes
from testbed.scenarios.switch.topology import TOPOLOGY

__all__ = ["TOPOLOGY", "SwitchLab", "scenes"]
