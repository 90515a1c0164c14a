"""``testbed explain`` of a machine's own Podman, on a private host that is the machine: as its root, and as a user."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from testbed.diagnose import why
from testbed.explain.codes import Cause
from testbed.images import ImageStore
from testbed.model import Target
from testbed.readers.sources import of_host
from tests.explain.own_cli import OwnCli
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, NEIGHBOUR_LAN, PORT, Stage

_BY_NAME = f"http://host.containers.internal:{PORT}/"
_TO_HOST = f"http://127.0.0.1:{PORT}/"


@pytest.fixture(scope="module")
def stage(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """A host whose loopback is listened on, with root's containers web1, web2 and ``stopped``, and a pod."""
    with Stage(image=testbed_image("base"), image_store=testbed_image_store.storage) as stage:
        stage.listen(HOST, "127.0.0.1")
        stage.container("web1")
        stage.container("web2")
        stage.container("stopped", f"--publish=9090:{PORT}")
        stage.podman("stop", "--time=0", "stopped")
        stage.podman(
            "pod",
            "create",
            "--name=pod",
            f"--infra-image={stage.image}",
            "--infra-command=sleep infinity",
            "-p=9191:80",
        )
        yield stage


@pytest.fixture(scope="module")
def cli(stage: Stage) -> OwnCli:
    """The command on that host."""
    return OwnCli(stage.host)


@pytest.fixture(scope="module")
def mine(stage: Stage) -> Iterator[Rootless]:
    """An ordinary user on it, with the containers ``client`` and ``bridged``."""
    with rootless(stage) as mine:
        mine.container("client")
        mine.container("bridged", "--network=podman", f"--publish=8080:{PORT}")
        yield mine


# As root


def test_root_is_told_the_cause(cli: OwnCli) -> None:
    """The cause and who listens are named, with the status of an explained failure."""
    said = cli("explain", "--host", "--from", "web1", "--json", _BY_NAME)
    assert (said.status, said.cause) == (1, "loopback-only")
    assert "python3" in said.out


def test_what_connects_has_status_0(cli: OwnCli) -> None:
    """From the host itself it connects, and nothing is to be explained."""
    said = cli("explain", "--host", "--from", "host", _TO_HOST)
    assert (said.status, said.out.split(" ", 1)[0]) == (0, "✓")


def test_what_leaves_the_machine_cannot_be_told(cli: OwnCli) -> None:
    """The neighbour is not on this machine: why it refuses is not to be seen from here, and that is said."""
    said = cli("explain", "--host", "--from", "web1", f"{NEIGHBOUR_LAN}:{PORT}")
    assert (said.status, said.out.split(" ", 1)[0]) == (2, "?")


def test_an_unknown_name_is_answered_with_those_that_there_are(cli: OwnCli) -> None:
    """In no lab and not on the machine: one line, and what there is instead."""
    said = cli("explain", "--from", "nobody", _TO_HOST)
    *_, line = said.err.splitlines()
    assert (said.status, said.out) == (3, "")
    assert line.startswith("testbed: there is no container or host 'nobody' here; there are:")
    assert "web1, web2, box" in line


def test_first_letters_that_two_have_are_not_enough(cli: OwnCli) -> None:
    """Both are named, to be typed so."""
    said = cli("explain", "--host", "--from", "web", _TO_HOST)
    assert said.status == 3
    assert "testbed: 'web' may be any of web1, web2: give one of these" in said.err
    for name in ("web1", "web2"):
        assert cli("explain", "--host", "--from", name, "--json", _BY_NAME).cause == "loopback-only"


def test_first_letters_are_enough_for_one(cli: OwnCli) -> None:
    """A container may be called by what only its name begins with."""
    assert cli("explain", "--host", "--from", "stop", "--json", _TO_HOST).cause == "container-not-running"


@pytest.mark.parametrize(
    ("place", "target"), [("stopped", _TO_HOST), ("host", "http://127.0.0.1:9090/")], ids=["from it", "to its port"]
)
def test_a_stopped_container_is_named(cli: OwnCli, place: str, target: str) -> None:
    """Whether it is where the attempt starts or where it leads, that it does not run is the cause."""
    said = cli("explain", "--host", "--from", place, "--json", target)
    assert (said.status, said.cause) == (1, "container-not-running")


def test_members_of_a_pod_share_their_loopback(cli: OwnCli, stage: Stage) -> None:
    """A member reaches what another one listens with on 127.0.0.1, in the namespace of the pod's first container."""
    for name in ("one", "two"):
        stage.podman("run", "-d", "--pod=pod", f"--name={name}", stage.image, "sleep", "infinity")
    refused = cli("explain", "--host", "--from", "two", "--json", "127.0.0.1:81")
    listening = stage.listen("one", "127.0.0.1", 81)
    try:
        connected = cli("explain", "--host", "--from", "two", "--json", "127.0.0.1:81")
    finally:
        stage.stop(listening)
        stage.podman("rm", "--force", "--time=0", "one", "two")
    assert (refused.status, connected.status) == (1, 0), refused.out + connected.out


# As an ordinary user


@pytest.mark.parametrize("place", ["client", "bridged"])
def test_a_user_is_told_the_cause(cli: OwnCli, mine: Rootless, place: str) -> None:
    """Its process joins the namespaces of the user's Podman, and names what only rootless Podman has."""
    said = cli("explain", "--host", "--from", place, "--json", _BY_NAME, user=mine.user)
    assert (said.status, said.cause) == (1, "rootless-host-loopback")


def test_a_user_is_told_the_cause_on_a_terminal(cli: OwnCli, mine: Rootless) -> None:
    """What shows there that it is at work has a thread, and none may run when the process joins a user namespace."""
    said = cli("explain", "--host", "--from", "client", _BY_NAME, user=mine.user, terminal=True)
    assert said.status == 1
    assert "cause: rootless-host-loopback" in said.out


def test_a_user_is_told_of_a_listener_in_another_container(cli: OwnCli, mine: Rootless) -> None:
    """Listeners inside the user's own containers are seen, with their programs."""
    mine.container("other", "--network=podman")
    listening = mine.stage.listen("other", "127.0.0.1")
    address = mine.podman("inspect", "--format={{.NetworkSettings.Networks.podman.IPAddress}}", "other").strip()
    try:
        said = cli("explain", "--host", "--from", "bridged", "--json", f"{address}:{PORT}", user=mine.user)
    finally:
        mine.stage.stop(listening)
    assert (said.status, said.cause) == (1, "loopback-in-container")


def test_a_user_is_told_what_is_behind_a_published_port(cli: OwnCli, mine: Rootless) -> None:
    """From the host rootlessport accepts, and nobody listens in the container behind."""
    said = cli("explain", "--host", "--from", "host", "--json", "http://127.0.0.1:8080/", user=mine.user)
    assert (said.status, said.cause) == (1, "nobody-listens")


def test_a_user_is_told_what_is_not_seen_in_one_line(cli: OwnCli, mine: Rootless) -> None:
    """The host's firewall and root's containers are root's to see; the answer is given all the same."""
    said = cli("explain", "--host", "--from", "client", _BY_NAME, user=mine.user)
    (line,) = [line for line in said.out.splitlines() if "not seen" in line]
    assert "firewall rules" in line
    assert "root only" in line
    in_json = cli("explain", "--host", "--from", "client", "--json", _BY_NAME, user=mine.user)
    assert [line.split("not seen: ")[1]] == json.loads(in_json.out)["not_seen"]


def test_what_connects_has_status_0_for_a_user_too(cli: OwnCli, mine: Rootless) -> None:
    """The host's resolver listens on an address that a rootless container reaches."""
    said = cli("explain", "--host", "--from", "client", "203.0.113.253:53", user=mine.user)
    assert said.status == 0, said.out


def test_what_leaves_the_machine_cannot_be_told_to_a_user(cli: OwnCli, mine: Rootless) -> None:
    """By way of slirp4netns it leaves the host for a neighbour that is not to be seen."""
    said = cli("explain", "--host", "--from", "client", f"{NEIGHBOUR_LAN}:{PORT}", user=mine.user)
    assert (said.status, said.out.split(" ", 1)[0]) == (2, "?")


def test_roots_containers_are_unknown_to_a_user(cli: OwnCli, mine: Rootless) -> None:
    """A name that only root's Podman knows is answered with the user's own."""
    said = cli("explain", "--host", "--from", "web1", _BY_NAME, user=mine.user)
    assert (said.status, said.out) == (3, "")
    assert "bridged, client" in said.err.splitlines()[-1]


# Machines without


@pytest.fixture
def bare(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """A host where nothing was started yet."""
    with Stage(image=testbed_image("base"), image_store=testbed_image_store.storage) as stage:
        yield stage


def test_a_user_whose_podman_never_ran_is_told_of_the_host(bare: Stage) -> None:
    """The host is explained, what is not seen is said, and Podman's lasting process is not started for it."""
    with rootless(bare) as mine:
        said = OwnCli(bare.host)("explain", "--from", "host", f"127.0.0.1:{PORT}", user=mine.user)
        assert (said.status, said.out[0]) == (1, "✗")
        assert "no container of this user's Podman runs" in said.out
        assert mine.user.pause is None


def test_a_machine_without_containers_has_its_host(bare: Stage) -> None:
    """No container was ever made: the host is the one place, and its name is what is offered."""
    cli = OwnCli(bare.host)
    assert cli("explain", "--from", "host", "--json", f"127.0.0.1:{PORT}").cause == "nobody-listens"
    assert cli("explain", "--from", "web", f"127.0.0.1:{PORT}").err.splitlines()[-1].endswith("there are: box")


def test_a_machine_without_podman_is_told_of_the_host(bare: Stage) -> None:
    """Everything that is not Podman's is explained without it, and that there is none is said."""
    # No programs any more, for this host alone; an ordinary user's host has one of its own in front of the machine's.
    hide = 'for folder in $(echo $PATH | tr : " "); do'
    hide += " if [ -e $folder/podman ]; then mount --bind /dev/null $folder/podman; fi; done"
    bare.run(hide)
    said = OwnCli(bare.host)("explain", "--from", "host", f"127.0.0.1:{PORT}")
    assert said.status == 1
    assert "not seen: there is no Podman on this machine" in said.out


# What changes meanwhile


def test_a_container_that_ends_before_the_attempt_is_told(stage: Stage) -> None:
    """The picture still had it: what is said rests on that alone, and says so."""
    stage.container("brief", "--stop-timeout=0")

    def end_it(line: str) -> None:
        if line.startswith("trying"):
            stage.podman("rm", "--force", "brief")

    told = why([of_host(stage.host)], "brief", Target.parse(_BY_NAME), say=end_it).explanation
    assert (told.cause, told.observation) == (Cause.LOOPBACK_ONLY, None)
    assert "Nothing was tried from brief, so that this rests on the picture alone" in told.warnings[-1]
