"""What is predicted of rootless Podman's network is what the kernel, slirp4netns and rootlessport do."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from testbed.explain.explanation import Conclusion
from testbed.images import ImageStore
from testbed.model import Outcome
from testbed.predict import Disposition, StepKind
from tests.explain.predicted import as_predicted
from tests.unit.predicted import question
from truth.faults.fault import PODMAN_5
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

#: An address that no host here has (RFC 5737, TEST-NET-1).
ELSEWHERE = "192.0.2.1"
PLACES = ["default", "bridged"]
PUBLISHED = 8080


@pytest.fixture(scope="module")
def mine(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Rootless]:
    """A user's containers ``default``, ``opened`` to the host's loopback, and ``bridged``, which publishes a port."""
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage, rootless(stage) as mine:
        mine.container("default")
        mine.container("opened", "--network=slirp4netns:allow_host_loopback=true")
        mine.container("bridged", "--network=podman", f"--publish={PUBLISHED}:{PORT}")
        stage.listen(NEIGHBOUR)
        stage.listen(HOST, HOST_LAN, PORT)
        stage.listen(HOST, "127.0.0.1", PORT + 1)
        yield mine


as_predicted_quickly = partial(as_predicted, seconds=0.7)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("", Outcome.CONNECTED),
        ("REJECT --reject-with tcp-reset", Outcome.REFUSED),
        ("REJECT --reject-with icmp-port-unreachable", Outcome.TIMED_OUT),
        ("REJECT --reject-with icmp-host-prohibited", Outcome.TIMED_OUT),
        ("DROP", Outcome.TIMED_OUT),
    ],
)
@pytest.mark.parametrize(
    ("on", "address"), [(NEIGHBOUR, NEIGHBOUR_LAN), (HOST, HOST_LAN)], ids=["a neighbour", "the host"]
)
def test_what_a_firewall_answers(
    mine: Rootless, place: str, rule: str, outcome: Outcome, on: str, address: str
) -> None:
    """Of a firewall's answers a container hears a reset, and everything else as silence."""
    match = f"-p tcp -d {address} --dport {PORT}"
    if rule:
        mine.stage.run(f"iptables -I INPUT {match} -j {rule}", on=on)
    try:
        seen = as_predicted_quickly(mine, place, f"{address}:{PORT}").explanation.observation
    finally:
        if rule:
            mine.stage.run(f"iptables -D INPUT {match} -j {rule}", on=on)
    assert seen is not None
    assert seen.outcome is outcome


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("unreachable", errno.EHOSTUNREACH),
        ("prohibit", errno.ENETUNREACH),
        ("blackhole", errno.ENETUNREACH),
        ("", errno.ENETUNREACH),
    ],
)
def test_what_the_hosts_routes_refuse(mine: Rootless, place: str, kind: str, number: int) -> None:
    """What the host's own connect() refuses at once a container hears, as one of two errors."""
    if kind:
        mine.stage.run(f"ip route add {kind} {ELSEWHERE}")
    try:
        seen = as_predicted_quickly(mine, place, f"{ELSEWHERE}:{PORT}").explanation.observation
    finally:
        if kind:
            mine.stage.run(f"ip route del {kind} {ELSEWHERE}")
    assert seen is not None
    assert seen.errno == number


@pytest.mark.parametrize(
    ("place", "target", "outcome"),
    [
        ("default", f"host.containers.internal:{PORT}", Outcome.CONNECTED),
        ("bridged", f"host.containers.internal:{PORT}", Outcome.CONNECTED),
        ("default", f"host.containers.internal:{PORT + 1}", Outcome.REFUSED),
        ("default", f"10.0.2.2:{PORT + 1}", Outcome.NETWORK_UNREACHABLE),
        ("bridged", f"10.0.2.2:{PORT + 1}", Outcome.NETWORK_UNREACHABLE),
        ("opened", f"10.0.2.2:{PORT + 1}", Outcome.CONNECTED),
        ("opened", f"10.0.2.2:{PORT}", Outcome.REFUSED),
        ("bridged", f"10.88.0.1:{PORT}", Outcome.REFUSED),
        (HOST, f"10.88.0.1:{PORT}", Outcome.NETWORK_UNREACHABLE),
    ],
)
def test_what_is_reached_of_the_host(mine: Rootless, place: str, target: str, outcome: Outcome) -> None:
    """The host's own address by name; its loopback only where it was opened; 10.88.0.1 is not the host."""
    seen = as_predicted_quickly(mine, place, target).explanation.observation
    assert seen is not None
    assert seen.outcome is outcome


@pytest.mark.parametrize("place", [HOST, NEIGHBOUR, "default", "bridged"])
def test_a_published_port_accepts_whatever_is_behind(mine: Rootless, place: str) -> None:
    """rootlessport accepts where nobody listens behind it: predicted, seen, and explained all the same."""
    address = {HOST: "127.0.0.1", NEIGHBOUR: HOST_LAN}.get(place, "host.containers.internal")
    told = as_predicted_quickly(mine, place, f"{address}:{PUBLISHED}")
    assert told.explanation.verdict is Conclusion.EXPLAINED
    predicted = told.explanation.prediction
    assert predicted is not None
    assert predicted.disposition is Disposition.RELAY_CLOSES


@pytest.mark.parametrize("place", [HOST, NEIGHBOUR, "default", "bridged"])
def test_a_published_port_leads_into_the_container(mine: Rootless, place: str) -> None:
    """Where somebody listens behind rootlessport the walk ends at that listener, and so does the attempt."""
    address = {HOST: "127.0.0.1", NEIGHBOUR: HOST_LAN}.get(place, "host.containers.internal")
    listening = mine.stage.listen("bridged")
    try:
        told = as_predicted_quickly(mine, place, f"http://{address}:{PUBLISHED}/")
    finally:
        mine.stage.stop(listening)
    predicted = told.explanation.prediction
    assert predicted is not None
    assert predicted.listener is not None
    assert (predicted.listener.port, predicted.disposition) == (PORT, Disposition.ACCEPTED)
    assert any(step.kind is StepKind.RELAY for step in predicted.steps)


def test_the_ipv6_loopback_of_a_published_port(mine: Rootless) -> None:
    """rootlessport listens on both families, and calls by IPv4 whichever was dialled."""
    listening = mine.stage.listen("bridged")
    try:
        as_predicted_quickly(mine, HOST, f"http://[::1]:{PUBLISHED}/")
    finally:
        mine.stage.stop(listening)


@pytest.mark.parametrize("place", PLACES)
def test_a_name_is_asked_of_the_hosts_resolver(mine: Rootless, place: str) -> None:
    """10.0.2.3 is slirp4netns's way to the host's resolver, which does not know the name."""
    told = as_predicted_quickly(mine, place, f"nowhere.example:{PORT}")
    predicted = told.explanation.prediction
    assert predicted is not None
    assert predicted.outcome is Outcome.NAME_NOT_FOUND
    # Podman 4 gives a bridge's container the host's own resolver, Podman 5 the one of the rootless-netns.
    inside = place == "default" or PODMAN_5
    assert str(question(predicted).resolver) == ("10.0.2.3" if inside else "203.0.113.253")
