"""The Portainer-like agent (images/agent)."""

from __future__ import annotations

from typing import Final

from testbed.containers.container import HostContainer
from testbed.host.protocol import Host
from testbed.model import Outcome, Scheme, Target
from testbed.waiting import wait_for

#: AGENT_PORT's default (portainer/agent, agent.go).
AGENT_PORT: Final = 9001


class AgentContainer(HostContainer):
    """An agent on podman0, published on one address of its host as ``podman run -p`` does."""

    def __init__(
        self, host: Host, image: str, name: str = "agent", *, host_address: str, host_port: int, by_hand: str = ""
    ) -> None:
        super().__init__(host, image, name, by_hand=by_hand)
        self.on("podman").publish(AGENT_PORT, host_address=host_address, host_port=host_port)

    def await_ready(self) -> None:
        """Wait until it answers its own namespace: it makes its certificate first, and the port is published before."""
        vantage, target = self.vantage(), Target(Scheme.HTTPS, "127.0.0.1", AGENT_PORT, "/ping")
        wait_for(
            lambda: vantage.connect(target).outcome is Outcome.CONNECTED,
            f"the agent {self.name!r} to answer",
            state=lambda: vantage.connect(target).text,
        )
