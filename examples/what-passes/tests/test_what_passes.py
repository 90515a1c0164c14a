"""The first word between a host and a container."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from testbed.containers import HostContainer
from testbed.evidence import Neighbour
from testbed.frames import BROADCAST, Capture, FdbRow
from testbed.host import PrivateHost
from testbed.model import Outcome
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage


@pytest.fixture
def alice(private_host: PrivateHost, testbed_image: Callable[[str], str]) -> HostContainer:
    """A container that only is there, on podman0."""
    container = HostContainer(private_host, testbed_image("base"), "alice").on("podman", "10.88.0.5")
    return container.with_command(["sleep", "infinity"]).start()


def knock(host: PrivateHost) -> None:
    """A port that nobody listens on: the answer is a reset, and both ends have spoken."""
    assert Vantage.on(host).connect("tcp://10.88.0.5:80").outcome is Outcome.REFUSED


@pytest.mark.usefixtures("alice")
def test_the_question_goes_to_everybody_and_the_answer_to_one(
    private_host: PrivateHost, frames: Callable[..., Capture]
) -> None:
    """Who has 10.88.0.5 is asked of all (RFC 826); whoever has it tells the one who asked."""
    seen = frames((private_host.net, "podman0"), wanted=lambda frame: frame.arp)
    knock(private_host)
    question, answer = seen.until(lambda so_far: so_far[:2] if len(so_far) > 1 else None, "a question and its answer")
    assert question.destination == BROADCAST
    assert answer.destination == question.source
    assert answer.arp is not None
    assert str(answer.arp.sender) == "10.88.0.5"


@pytest.mark.usefixtures("alice")
def test_the_bridge_learns_where_the_container_is(
    private_host: PrivateHost,
    fdb: Callable[[NetworkNamespace, str], tuple[FdbRow, ...]],
    neighbours: Callable[[NetworkNamespace], tuple[Neighbour, ...]],
) -> None:
    """Her answer came in by one port, and from then on that port leads to her."""
    knock(private_host)
    (mac,) = (one.mac for one in neighbours(private_host.net) if str(one.address) == "10.88.0.5")
    assert mac in {row.mac for row in fdb(private_host.net, "podman0") if row.learned}


def test_each_end_knows_the_other(
    private_host: PrivateHost, alice: HostContainer, neighbours: Callable[[NetworkNamespace], tuple[Neighbour, ...]]
) -> None:
    """The question told the container who asks, so that it need not ask in turn."""
    knock(private_host)
    assert "10.88.0.1" in {str(one.address) for one in neighbours(alice.net) if one.mac}
    assert "10.88.0.5" in {str(one.address) for one in neighbours(private_host.net) if one.mac}
