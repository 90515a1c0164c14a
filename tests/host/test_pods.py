"""Pods, members, and containers in somebody else's network namespace: how they are read, named and reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from testbed.errors import CommandError
from testbed.evidence import Container, Evidence, Protocol, Published
from testbed.explain.explanation import Conclusion
from testbed.images import ImageStore
from testbed.readers.take import take
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

OUTSIDE = 8080


@pytest.fixture(scope="module")
def stage(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """A pod ``group`` of ``web`` and ``side`` that publishes a port; ``guest`` in a namespace that somebody made."""
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage:
        infra = [f"--infra-image={image}", "--infra-command=sleep infinity"]
        ports = [f"--publish={OUTSIDE}:{PORT}", f"--publish={OUTSIDE}:{PORT}/udp"]
        stage.podman("pod", "create", "--name=group", *ports, *infra)
        for name in ("web", "side"):
            stage.podman("run", "-d", "--pod=group", f"--name={name}", image, "sleep", "infinity")
        stage.run("ip netns add made")
        stage.container("guest", network="ns:/run/netns/made")
        stage.listen("web")
        yield stage


@pytest.fixture
def picture(stage: Stage) -> Evidence:
    """What is seen of it."""
    return take(stage.sources)


def named(picture: Evidence, name: str) -> Container:
    """The container that a word means."""
    found = picture.place(name).container
    assert found is not None
    return found


def test_a_pods_namespace_is_its_infra_containers_and_its_members(picture: Evidence) -> None:
    """All have one network namespace, which people call by the pod's name."""
    group, web, side = (named(picture, name) for name in ("group", "web", "side"))
    assert (group.infra, web.infra, group.pod, web.pod) == (True, False, "group", "group")
    assert group.namespace is not None
    assert {group.namespace, web.namespace, side.namespace} == {group.namespace}
    assert picture.namespaces[group.namespace].label == "group"


def test_a_pods_addresses_and_published_ports_are_its_members(picture: Evidence) -> None:
    """Podman tells of a member what its infra container has."""
    group, web = named(picture, "group"), named(picture, "web")
    assert group.published == tuple(Published(p, PORT, OUTSIDE, "") for p in (Protocol.TCP, Protocol.UDP))
    assert (web.attachments, web.published) == (group.attachments, group.published)
    assert group.attachments


def test_podman_gives_no_container_the_name_of_a_pod(stage: Stage) -> None:
    """A word that means a pod means no container."""
    with pytest.raises(CommandError, match="pod already exists"):
        stage.container("group")


def test_a_container_in_a_namespace_that_somebody_made(stage: Stage, picture: Evidence) -> None:
    """It is found there by its process, whatever Podman knows of that."""
    guest = named(picture, "guest")
    assert (guest.mode, guest.attachments) == ("ns:/run/netns/made", ())
    assert guest.namespace is not None
    inode = stage.run("stat -L -c %i /run/netns/made").strip()
    assert guest.namespace == f"net:[{inode}]"


@pytest.mark.parametrize(
    ("place", "target"),
    [
        (HOST, f"http://127.0.0.1:{OUTSIDE}/"),
        (NEIGHBOUR, f"http://{HOST_LAN}:{OUTSIDE}/"),
        ("side", f"http://web:{PORT}/"),
        ("group", f"http://side:{PORT}/"),
        ("group", f"http://group:{PORT}/"),
    ],
)
def test_what_reaches_a_pod(stage: Stage, place: str, target: str) -> None:
    """By its published port from outside; inside a member's name is 127.0.0.1, and the pod's its address."""
    told = stage.why(place, target).explanation
    assert told.verdict is Conclusion.CONNECTS, told.sentence
