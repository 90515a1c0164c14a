"""The namespaces scenario: one machine, one port on many 127.0.0.1, and the rooms that keep them apart."""

from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.story import scenes
from testbed.scenarios.namespaces.topology import TOPOLOGY

__all__ = ["TOPOLOGY", "NamespacesLab", "scenes"]
