"""What is predicted where a rootless helper takes ports, has ended or shadows a LAN is what it does (not pasta)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from testbed.explain.codes import Cause
from testbed.images import ImageStore
from testbed.model import Outcome
from testbed.predict.rootless import InsideSubnet
from tests.explain.predicted import as_predicted
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

#: Published by slirp4netns's own port handler, and by rootlessport for the default network and for a bridge.
BY_SLIRP, BY_ROOTLESSPORT, OF_BRIDGE = 8080, 8081, 8082
#: The subnet of slirp4netns (slirp4netns(1), --cidr), on the LAN.
SHADOWED = "10.0.2.78"
#: Kills processes. A pidfd is readable when all threads have ended (pidfd_open(2)), and before that the kernel closes
#: what they had open (kernel/exit.c, do_exit); to look at that is not ours where the process cannot be traced.
_END = """
import os, select, signal, sys
pidfds = [os.pidfd_open(int(pid)) for pid in sys.argv[1:]]
for pidfd in pidfds:
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
while pidfds:
    ended, _, _ = select.select(pidfds, [], [])
    pidfds = [pidfd for pidfd in pidfds if pidfd not in ended]
"""


@pytest.fixture(scope="module")
def mine(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Rootless]:
    """``own`` and ``plain`` are on the default network, ``bridged`` is on a bridge; each publishes TCP and UDP."""
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage, rootless(stage) as mine:
        options = {
            "own": ("--network=slirp4netns:port_handler=slirp4netns", BY_SLIRP),
            "plain": ("--network=slirp4netns", BY_ROOTLESSPORT),
            "bridged": ("--network=podman", OF_BRIDGE),
        }
        for name, (network, port) in options.items():
            mine.container(name, network, f"--publish={port}:{PORT}", f"--publish={port}:{PORT}/udp")
        stage.run(f"ip address add {SHADOWED}/24 dev lan0", on=NEIGHBOUR)
        stage.run("ip address add 10.0.2.77/24 dev lan0")
        stage.listen(NEIGHBOUR)
        yield mine


@contextmanager
def listening(mine: Rootless, place: str, address: str, deed: str) -> Iterator[None]:
    """A program for a while; none where it has no address."""
    if not address:
        yield
        return
    program = mine.stage.listen(place, address, deed=deed)
    try:
        yield
    finally:
        mine.stage.stop(program)


@pytest.mark.parametrize("place", [HOST, NEIGHBOUR])
@pytest.mark.parametrize(
    ("bound", "outcomes"),
    [
        ("0.0.0.0", {Outcome.CONNECTED}),
        ("127.0.0.1", {Outcome.CLOSED, Outcome.RESET}),
        ("", {Outcome.CLOSED, Outcome.RESET}),
    ],
    ids=["all", "loopback", "nobody"],
)
def test_port_handler_of_slirp(mine: Rootless, place: str, bound: str, outcomes: set[Outcome]) -> None:
    """It accepts whatever the container does, and closes where that refuses."""
    with listening(mine, "own", bound, "http"):
        told = mine.stage.why(place, f"http://{HOST_LAN}:{BY_SLIRP}/").explanation
    assert told.prediction is not None
    assert told.observation is not None
    assert {told.prediction.outcome, told.observation.outcome} <= outcomes


@pytest.mark.parametrize("name", ["own", "plain", "bridged"])
@pytest.mark.parametrize(("bound", "outcome"), [("0.0.0.0", Outcome.CONNECTED), ("127.0.0.1", Outcome.NO_ANSWER)])
def test_published_port_of_udp(mine: Rootless, name: str, bound: str, outcome: Outcome) -> None:
    """Datagrams are handed on too, and where nobody takes them in the container nothing comes back."""
    port = {"own": BY_SLIRP, "plain": BY_ROOTLESSPORT, "bridged": OF_BRIDGE}[name]
    with listening(mine, name, bound, "echo"):
        told = as_predicted(mine, NEIGHBOUR, f"udp://{HOST_LAN}:{port}")
    assert told.explanation.observation is not None
    assert told.explanation.observation.outcome is outcome


@pytest.mark.parametrize("place", ["plain", "bridged"])
@pytest.mark.parametrize(
    ("words", "number"),
    [("", errno.ECONNREFUSED), ("REJECT --reject-with icmp-host-prohibited", errno.EHOSTUNREACH)],
    ids=["nobody", "REJECT"],
)
def test_icmp_errors_of_datagrams_are_handed_on(mine: Rootless, place: str, words: str, number: int) -> None:
    """What slirp4netns hears of its own datagram the container hears too, unlike with TCP."""
    match = f"INPUT -p udp --dport {PORT} -j {words}"
    if words:
        mine.stage.run(f"iptables -I {match}", on=NEIGHBOUR)
    try:
        told = as_predicted(mine, place, f"udp://{NEIGHBOUR_LAN}:{PORT}")
    finally:
        if words:
            mine.stage.run(f"iptables -D {match}", on=NEIGHBOUR)
    assert told.explanation.observation is not None
    assert told.explanation.observation.errno == number


@pytest.mark.parametrize("kind", ["unreachable", "prohibit"])
def test_datagrams_that_the_host_may_not_send(mine: Rootless, kind: str) -> None:
    """Whatever sendto() says on the host is "network unreachable" inside."""
    mine.stage.run(f"ip route add {kind} 192.0.2.1")
    try:
        told = mine.stage.why("plain", f"udp://192.0.2.1:{PORT}").explanation
    finally:
        mine.stage.run(f"ip route del {kind} 192.0.2.1")
    assert told.prediction is not None
    assert told.observation is not None
    assert (told.prediction.errno, told.observation.errno) == (errno.ENETUNREACH, errno.ENETUNREACH)


@pytest.mark.parametrize("place", ["plain", "bridged"])
@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_lan_with_the_subnet_of_slirp_is_out_of_reach(mine: Rootless, place: str, scheme: str) -> None:
    """The host reaches the machine; a container asks slirp4netns's own segment for it, in vain, for three seconds."""
    assert as_predicted(mine, HOST, f"tcp://{SHADOWED}:{PORT}").explanation.cause is None
    told = mine.stage.why(place, f"{scheme}://{SHADOWED}:{PORT}", seconds=5.0).explanation
    assert told.prediction is not None
    assert told.observation is not None
    assert (told.prediction.errno, told.observation.errno) == (errno.EHOSTUNREACH, errno.EHOSTUNREACH)
    assert isinstance(told.prediction.ending, InsideSubnet)


def test_another_subnet_of_slirp_leaves_the_lan_in_reach(mine: Rootless) -> None:
    """The cure that is printed, a container with another --cidr, reaches the machine of the LAN."""
    told = mine.stage.why("plain", f"tcp://{SHADOWED}:{PORT}", seconds=5.0).explanation
    assert told.cause is Cause.SUBNET_SHADOWS
    assert told.diagnosis is not None
    (words,) = (word for word in told.diagnosis.cures[0].command.split() if word.startswith("slirp4netns:"))
    mine.container("moved", f"--network={words}")
    assert as_predicted(mine, "moved", f"tcp://{SHADOWED}:{PORT}").explanation.cause is None


class TestEnded:
    """Each on a laptop of its own: what is ended stays so."""

    @pytest.fixture
    def laptop(self, stage: Stage) -> Iterator[Rootless]:
        """``own`` has slirp4netns's port handler, ``plain`` rootlessport, and so has ``bridged`` on a bridge."""
        with rootless(stage) as mine:
            mine.container("own", "--network=slirp4netns:port_handler=slirp4netns", f"--publish={BY_SLIRP}:{PORT}")
            mine.container("plain", "--network=slirp4netns", f"--publish={BY_ROOTLESSPORT}:{PORT}")
            mine.container("bridged", "--network=podman", f"--publish={OF_BRIDGE}:{PORT}")
            stage.listen(NEIGHBOUR)
            yield mine

    def test_slirp_is_gone(self, laptop: Rootless) -> None:
        """Its interface goes with it: nothing leaves, and its own port handler is gone too."""
        end_all(laptop, "slirp4netns")
        for place in ("own", "plain"):
            told = as_predicted(laptop, place, f"tcp://{NEIGHBOUR_LAN}:{PORT}").explanation
            assert (told.cause, "slirp4netns has ended" in told.sentence) == (Cause.NO_NETWORK, True)
        told = as_predicted(laptop, HOST, f"tcp://127.0.0.1:{BY_SLIRP}").explanation
        assert (told.cause, "the slirp4netns that listened for it has ended" in told.sentence) == (
            Cause.NOBODY_LISTENS,
            True,
        )
        restart(laptop, "plain")
        assert as_predicted(laptop, "plain", f"tcp://{NEIGHBOUR_LAN}:{PORT}").explanation.cause is None

    def test_slirp_of_the_bridges_is_gone(self, laptop: Rootless) -> None:
        """The rootless-netns has no way out, and says so to those on its bridges."""
        end_all(laptop, "slirp4netns")
        told = as_predicted(laptop, "bridged", f"tcp://{NEIGHBOUR_LAN}:{PORT}").explanation
        assert (told.cause, "slirp4netns has ended" in told.sentence) == (Cause.NO_NETWORK, True)
        laptop.podman("stop", "--all", "--time=0")
        laptop.podman("start", "bridged")
        assert as_predicted(laptop, "bridged", f"tcp://{NEIGHBOUR_LAN}:{PORT}").explanation.cause is None

    @pytest.mark.parametrize(("name", "port"), [("plain", BY_ROOTLESSPORT), ("bridged", OF_BRIDGE)])
    def test_rootlessport_is_gone(self, laptop: Rootless, name: str, port: int) -> None:
        """The container listens, and nobody takes its port on the host."""
        laptop.stage.listen(name)
        assert as_predicted(laptop, HOST, f"http://127.0.0.1:{port}/").explanation.cause is None
        end_all(laptop, "rootlessport")
        told = as_predicted(laptop, HOST, f"http://127.0.0.1:{port}/").explanation
        assert (told.cause, "the rootlessport that listened for it has ended" in told.sentence) == (
            Cause.NOBODY_LISTENS,
            True,
        )


def restart(mine: Rootless, name: str) -> None:
    """Restart a container; Podman starts its helpers anew."""
    mine.podman("restart", "--time=0", name)
    mine.stage.adopt(name, mine.user.container(name).pid)


def end_all(mine: Rootless, program: str) -> None:
    """Kill each process of a program on the stage's host, and wait until no socket and no interface is left of it."""
    pids = mine.stage.run(f"pgrep -x {program}").split()
    mine.stage.host.run(["python3", "-c", _END, *pids])
