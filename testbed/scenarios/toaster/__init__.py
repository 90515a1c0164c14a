"""The toaster scenario: one click of Jack's, followed through the shop and back."""

from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.story import scenes
from testbed.scenarios.toaster.topology import TOPOLOGY

__all__ = ["TOPOLOGY", "ToasterLab", "scenes"]
