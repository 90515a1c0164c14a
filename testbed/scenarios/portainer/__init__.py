"""The Portainer scenario: an SSH tunnel bound where a container cannot reach it."""

from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.run import run

__all__ = ["PortainerLab", "run"]
