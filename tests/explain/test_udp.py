"""What is predicted of a datagram of UDP is what the kernel makes of it, and an explanation goes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from testbed.explain.codes import Cause
from testbed.explain.explanation import Conclusion, Explanation
from testbed.images import ImageStore
from testbed.model import Outcome
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

#: Where the port of ``web`` is published, and the address of podman0 (Podman's default network).
PUBLISHED = 5353
GATEWAY = "10.88.0.1"
#: Where nobody listens, and where somebody does for TCP.
NOBODYS, OF_TCP = PORT + 1, PORT + 2


@pytest.fixture(scope="module")
def stage(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """``web`` says back what it gets on a port that is published for UDP; ``client`` is beside it."""
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage:
        stage.container("web", f"--publish={PUBLISHED}:{PORT}/udp", f"--publish={PUBLISHED + 1}:{NOBODYS}/udp")
        stage.container("client")
        stage.listen("web", deed="echo")
        stage.listen("web", port=OF_TCP)
        yield stage


def explained(stage: Stage, place: str, target: str) -> Explanation:
    """Explain one datagram; what is seen of it is what was predicted."""
    told = stage.why(place, target).explanation
    predicted, seen = told.prediction, told.observation
    assert predicted is not None
    assert seen is not None
    assert (predicted.outcome, predicted.errno) == (seen.outcome, seen.errno), predicted.why
    return told


def address(stage: Stage, name: str) -> str:
    """A container's address."""
    return stage.podman("inspect", "--format={{.NetworkSettings.IPAddress}}", name).strip()


@contextmanager
def rule(stage: Stage, place: str, words: str) -> Iterator[None]:
    """A rule of iptables for a while."""
    stage.run(f"iptables -I {words}", on=place)
    try:
        yield
    finally:
        stage.run(f"iptables -D {words}", on=place)


@pytest.mark.parametrize(
    ("place", "host"), [(HOST, "127.0.0.1"), (HOST, HOST_LAN), (NEIGHBOUR, HOST_LAN), ("client", GATEWAY)]
)
def test_published_port_of_udp_is_reached(stage: Stage, place: str, host: str) -> None:
    """Netavark translates datagrams as it does connections, and the answer comes back."""
    assert explained(stage, place, f"udp://{host}:{PUBLISHED}").verdict is Conclusion.CONNECTS


def test_published_port_of_udp_behind_which_nobody_is(stage: Stage) -> None:
    """The container's kernel answers by ICMP, and it is heard through the translation."""
    told = explained(stage, NEIGHBOUR, f"udp://{HOST_LAN}:{PUBLISHED + 1}")
    assert told.observation is not None
    assert told.observation.outcome is Outcome.REFUSED


@pytest.mark.parametrize(("port", "cause"), [(NOBODYS, Cause.NOBODY_LISTENS), (OF_TCP, Cause.UDP_NOT_TCP)])
def test_port_that_takes_no_datagrams(stage: Stage, port: int, cause: Cause) -> None:
    """Nobody listens, or somebody for TCP: each is refused, and told apart."""
    assert explained(stage, "client", f"udp://{address(stage, 'web')}:{port}").cause is cause


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("DROP", Outcome.NO_ANSWER),
        ("REJECT", Outcome.REFUSED),
        ("REJECT --reject-with icmp-host-prohibited", Outcome.HOST_UNREACHABLE),
        ("REJECT --reject-with icmp-net-unreachable", Outcome.NETWORK_UNREACHABLE),
    ],
)
def test_what_a_firewall_answers(stage: Stage, words: str, outcome: Outcome) -> None:
    """Each ICMP error is heard of by its errno, also those that a plain socket is not told."""
    target = f"udp://{address(stage, 'web')}:{PORT}"
    assert explained(stage, "client", target).verdict is Conclusion.CONNECTS
    with rule(stage, "web", f"INPUT -p udp --dport {PORT} -j {words}"):
        told = explained(stage, "client", target)
    assert (told.verdict, told.observation and told.observation.outcome) == (Conclusion.EXPLAINED, outcome)


def test_answer_that_is_dropped_is_silence(stage: Stage) -> None:
    """The program gets the datagram, and its answer is lost: the same silence, and the rule is named."""
    with rule(stage, "web", f"OUTPUT -p udp --sport {PORT} -j DROP"):
        told = explained(stage, "client", f"udp://{address(stage, 'web')}:{PORT}")
    assert (told.observation and told.observation.outcome, told.cause) == (Outcome.NO_ANSWER, Cause.ANSWER_BLOCKED)


def test_program_that_says_nothing_is_no_failure(stage: Stage) -> None:
    """A socket takes the datagram, and silence is not held against it."""
    silent = stage.listen("web", port=PORT + 3, deed="udp")
    try:
        told = stage.why("client", f"udp://{address(stage, 'web')}:{PORT + 3}").explanation
    finally:
        stage.stop(silent)
    assert (told.verdict, told.observation and told.observation.outcome) == (Conclusion.CONNECTS, Outcome.NO_ANSWER)


def test_resolver_answers_its_question(stage: Stage) -> None:
    """On port 53 a question is asked, which the resolver of the host answers."""
    resolver = next(iter(stage.why(HOST, "udp://127.0.0.1:1").place.names.nameservers))
    told = explained(stage, HOST, f"udp://{resolver}:53")
    assert (told.verdict, told.observation and told.observation.outcome) == (Conclusion.CONNECTS, Outcome.CONNECTED)
