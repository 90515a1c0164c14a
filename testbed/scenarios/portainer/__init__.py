"""The Portainer scenario: an SSH tunnel bound where a container cannot reach it."""

from __future__ import annotations

from typing import Final

from testbed import bind
from testbed.bind import Bind
from testbed.scenarios.portainer.topology import PORT
from testbed.scenarios.scenario import Local, Option, Reference, Scenario

BIND: Final[Option[Bind]] = Option(
    name="bind",
    metavar="ADDR",
    help=(
        "What the tunnel is bound to: 127.0.0.1, localhost, ::, '*' for every address, 'none' for no tunnel, ... "
        "Without it 'run' tells the whole story and tries nine of them."
    ),
    parse=bind.parse,
    text=bind.text,
    default=bind.parse("127.0.0.1"),
)

SCENARIO: Final = Scenario(
    name="portainer",
    summary="a tunnel bound where a container cannot reach it, its cures, and every bind address",
    topology=Reference("testbed.scenarios.portainer.topology", "TOPOLOGY"),
    story=Reference("testbed.scenarios.portainer.story", "tell"),
    lab=Reference("testbed.scenarios.portainer.lab", "PortainerLab"),
    options=(BIND,),
    local=Local("laptop", (PORT,)),
    fixtures="testbed.scenarios.portainer.fixtures",
)
