"""The expectation of the Portainer matrix against cells written out by hand; no lab is needed for either."""

from __future__ import annotations

import pytest

from testbed.bind import addresses, parse
from testbed.hosts_file import HostsFile
from testbed.model import Outcome
from testbed.scenarios.portainer import expectation
from testbed.scenarios.portainer.topology import PORT
from tests.scenarios.cells_by_hand import BY_HAND

_LOCALHOST = "127.0.0.1 localhost\n::1 localhost\n"
_NAME = "host.containers.internal\n"


@pytest.fixture(scope="module")
def hosts() -> dict[str, HostsFile]:
    """The hosts files as Podman's rule has them (containers/common libnetwork/etchosts/ip.go): the gateway of the
    container's network, without one the host's first address.
    """
    lines = {
        "laptop": "",
        "neighbour": "",
        "portainer": f"10.88.0.1 {_NAME}",
        "sidecar": f"10.88.0.1 {_NAME}",
        "second": f"10.89.0.1 {_NAME}",
        "inner": f"10.89.1.1 {_NAME}",
        "hostnet": f"203.0.113.10 {_NAME}",
        "nonet": f"203.0.113.10 {_NAME}",
    }
    return {name: HostsFile.parse(_LOCALHOST + line) for name, line in lines.items()}


@pytest.mark.parametrize(
    ("bind", "vantage", "target", "outcome", "reason"), BY_HAND, ids=[f"{b}-{v}-{t}" for b, v, t, _, _ in BY_HAND]
)
def test_a_cell_is_predicted_as_written_by_hand(
    hosts: dict[str, HostsFile], bind: str, vantage: str, target: str, outcome: Outcome, reason: str
) -> None:
    """The pure function gives the outcome that the hand-written table gives."""
    bound = addresses(parse(bind), hosts["laptop"])
    assert expectation.expected(expectation.evidence(bound, hosts), vantage, target).outcome is outcome, reason


def test_the_seeds_words_follow_from_the_prediction(hosts: dict[str, HostsFile]) -> None:
    """What the real client must say for the seed's cell is the seed's line, byte for byte."""
    here = expectation.evidence(addresses(parse("127.0.0.1"), hosts["laptop"]), hosts)
    prediction = expectation.expected(here, "portainer", "host.containers.internal")
    assert expectation.client_words(prediction, "host.containers.internal", "203.0.113.253") == (
        f'Get "https://host.containers.internal:{PORT}/ping": dial tcp 10.88.0.1:{PORT}: connect: connection refused'
    )


def test_a_wildcard_of_one_family_does_not_listen_on_the_other(hosts: dict[str, HostsFile]) -> None:
    """The prediction keeps 0.0.0.0 and :: apart: neither answers the other's loopback."""
    for bind, target in (("0.0.0.0", "::1"), ("::", "127.0.0.1")):
        here = expectation.evidence(addresses(parse(bind), hosts["laptop"]), hosts)
        assert expectation.expected(here, "laptop", target).outcome is Outcome.REFUSED


def test_a_host_that_resolves_nothing_says_so(hosts: dict[str, HostsFile]) -> None:
    """Without a resolver an unknown name is no "no such name" but a resolver that failed."""
    here = expectation.evidence((), hosts, laptop_resolves=False)
    seen = expectation.expected(here, "laptop", "host.containers.internal")
    assert seen.outcome is Outcome.RESOLVER_FAILED
