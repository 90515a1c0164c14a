"""testcontainers classes on a host's own Podman, one for each role."""

from testbed.containers.agent import AgentContainer
from testbed.containers.configure import configured, secret_file
from testbed.containers.container import HostContainer
from testbed.containers.ledger import LedgerContainer
from testbed.containers.portainer import PortainerContainer
from testbed.containers.sshd import SshdContainer

__all__ = [
    "AgentContainer",
    "HostContainer",
    "LedgerContainer",
    "PortainerContainer",
    "SshdContainer",
    "configured",
    "secret_file",
]
