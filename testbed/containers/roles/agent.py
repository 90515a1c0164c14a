"""The Portainer-like agent (images/agent)."""

from __future__ import annotations

from typing import Final

from testbed.containers.container import HostContainer
from testbed.containers.role import Need, Role
from testbed.model import Outcome, Scheme, Target
from testbed.topology import DEFAULT_NETWORK, AttachmentSpec, ContainerSpec, Publish
from testbed.waiting import wait_for

#: AGENT_PORT's default (portainer/agent, agent.go).
AGENT_PORT: Final = 9001
_LISTENING: Final = ("AGENT_HOST", "AGENT_PORT")


class AgentContainer(HostContainer):
    """An agent, which answers HTTPS on port 9001 of every address of its network namespace."""

    def await_ready(self) -> None:
        """Wait until it answers its own namespace: it makes its certificate first, and the port is published before.

        :raises DeadlineError: it does not answer
        """
        vantage, target = self.vantage(), Target(Scheme.HTTPS, "127.0.0.1", AGENT_PORT, "/ping")
        wait_for(
            lambda: vantage.connect(target).outcome is Outcome.CONNECTED,
            f"the agent {self.name!r} to answer",
            state=lambda: vantage.connect(target).text,
        )


ROLE: Final = Role(
    "agent",
    AgentContainer,
    (
        Need(
            "publish",
            lambda spec: any(published.port == AGENT_PORT for published in spec.publish),
            f"needs its port published, publish=(Publish({AGENT_PORT}, ADDRESS, PORT),): there it is reached",
        ),
        Need(
            "environment",
            lambda spec: not any(name in spec.environment for name in _LISTENING),
            f"takes no {' or '.join(_LISTENING)}: it is waited for on 127.0.0.1:{AGENT_PORT}",
        ),
        Need(
            "command",
            lambda spec: not spec.command,
            "takes none: the agent has no arguments (images/agent/main.go)",
        ),
    ),
    ContainerSpec(
        "host",
        "agent",
        "agent",
        (AttachmentSpec(DEFAULT_NETWORK),),
        publish=(Publish(AGENT_PORT, "127.0.0.1", 19001),),
    ),
)
