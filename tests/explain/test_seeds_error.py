"""The seeds' own error, on the running scenario: what it means, who listens instead, and what to change."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from testbed.diagnose import Told, why, why_pasted
from testbed.explain.codes import Cause
from testbed.model import Target
from testbed.readers.sources import of_host
from testbed.readers.take import Source
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import URL

PASTED = f'Get "{URL}": dial tcp 10.88.0.1:19001: connect: connection refused'


@pytest.fixture
def sources(portainer_lab: PortainerLab) -> Iterator[list[Source]]:
    """The lab's hosts, with a forward by ssh on the laptop's loopback only."""
    with portainer_lab.forward(bind="127.0.0.1", via="openssh"):
        yield [of_host(host) for host in portainer_lab.hosts.values()]


def by_name(sources: list[Source]) -> Told:
    """``testbed explain --from portainer URL``."""
    return why(sources, "portainer", Target.parse(URL))


def by_url(sources: list[Source]) -> Told:
    """``testbed explain 'Get "https://...": dial tcp ...'``."""
    return why_pasted(sources, PASTED)


def by_dial(sources: list[Source]) -> Told:
    """``testbed explain 'dial tcp ...'``: the agent's host has a 10.88.0.1 too."""
    return why_pasted(sources, PASTED.split(": ", 1)[1])


@pytest.mark.parametrize("ask", [by_name, by_url, by_dial])
def test_the_seeds_error_reads_like_a_sentence(sources: list[Source], ask: object) -> None:
    """This name is the host's own address on podman0, and only 127.0.0.1 is listened on, by ssh, at this port."""
    assert callable(ask)
    told: Told = ask(sources)
    explained = told.explanation
    assert (told.place.name, explained.cause) == ("portainer", Cause.LOOPBACK_ONLY)
    assert "10.88.0.1" in explained.sentence
    assert "is laptop's own address on podman0" in explained.sentence
    assert "on port 19001 there only 127.0.0.1:19001 is listened on, by ssh (pid " in explained.sentence


def test_the_cures_are_the_bridge_first_and_everywhere_second(sources: list[Source]) -> None:
    """The ssh command that binds the bridge's address, for that network only, and the one that the LAN reaches too."""
    diagnosis = by_name(sources).explanation.diagnosis
    assert diagnosis is not None
    bridge, everywhere = diagnosis.cures
    for cure, address in ((bridge, "10.88.0.1"), (everywhere, "0.0.0.0")):
        end, again = cure.command.splitlines()
        assert re.fullmatch(r"kill \d+", end)
        assert again.startswith(f"ssh -L {address}:19001:127.0.0.1:19001 ")
    assert "LAN" not in bridge.exposes
    assert bridge.exposes.startswith("the containers of the network podman")
    assert "the LAN on " in everywhere.exposes


def test_a_listener_that_is_no_ssh_is_named_with_the_address(portainer_lab: PortainerLab) -> None:
    """A forward by paramiko has no command line to show: the process is named, and where it should listen."""
    with portainer_lab.forward(bind="127.0.0.1", via="paramiko"):
        diagnosis = by_name([of_host(host) for host in portainer_lab.hosts.values()]).explanation.diagnosis
    assert diagnosis is not None
    assert diagnosis.cause is Cause.LOOPBACK_ONLY
    assert diagnosis.cures[0].command == "10.88.0.1:19001"
    assert "ssh" not in diagnosis.cures[0].text
