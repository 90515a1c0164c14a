"""A port that is published on one address of a machine is reached by that address, and by no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from testbed.lab import Lab
from testbed.model import Outcome
from testbed.topology import AttachmentSpec, CableEndSpec, CableSpec, ContainerSpec, HostSpec, Publish, Topology

SERVER: Final = "198.51.100.2"
TOPOLOGY: Final = Topology(
    hosts=(HostSpec("office"), HostSpec("datacentre")),
    cables=(
        CableSpec(
            CableEndSpec("office", "wan0", "198.51.100.1/24"), CableEndSpec("datacentre", "wan0", f"{SERVER}/24")
        ),
    ),
    containers=(
        ContainerSpec("office", "client", "base", (AttachmentSpec("podman"),), command=("sleep", "infinity")),
        ContainerSpec(
            "datacentre", "server", "agent", (AttachmentSpec("podman"),), publish=(Publish(9001, SERVER, 9001),)
        ),
    ),
)


@pytest.fixture
def lab(make_lab: Callable[[Topology], Lab]) -> Lab:
    """Both machines with their containers, fresh for each test."""
    return make_lab(TOPOLOGY)


def test_a_container_reaches_it_through_both_machines(lab: Lab) -> None:
    """Out by the client's bridge, over the cable, and in by the published port."""
    assert lab.vantage("client").connect(f"https://{SERVER}:9001/ping").outcome is Outcome.CONNECTED


def test_its_own_machine_does_not_reach_it_by_another_address(lab: Lab) -> None:
    """The rule that forwards the port names the one address: on the machine's loopback nobody listens."""
    assert lab.vantage("datacentre").connect("https://127.0.0.1:9001/ping").outcome is Outcome.REFUSED
