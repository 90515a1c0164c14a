"""Rooms on one kernel: who shares 127.0.0.1 with whom, what is a namespace's own, and how long one lives."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping

import pytest

from testbed.images import ImageStore
from testbed.scenarios.namespaces.changes import CHANGES, felt_by
from testbed.scenarios.namespaces.doors import OPEN_DOOR, SHUT_DOOR, at_kitchen, at_loopback, knock, knock_all, taken
from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.lifetimes import HOLDERS, Life, live, move
from testbed.scenarios.namespaces.rooms import Room, room, rooms, routes
from testbed.scenarios.namespaces.story import scenes
from testbed.scenarios.namespaces.topology import ROOM_OF, neighbours_of


@pytest.fixture(scope="module")
def lab(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[NamespacesLab]:
    """The scenario; whatever a test changes in it is undone."""
    with NamespacesLab(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


@pytest.fixture(scope="module")
def seen(lab: NamespacesLab) -> Mapping[str, Room]:
    """What everybody sees of the own room."""
    return rooms(lab)


@pytest.fixture(scope="module")
def lives(lab: NamespacesLab) -> Mapping[str, Life]:
    """How namespaces lived and ended, by what held them."""
    return live(lab.laptop)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_localhost_is_the_own_room(lab: NamespacesLab, host: str) -> None:
    """The same port on 127.0.0.1 is answered in each room by the doorman of that room, in the same moment."""
    assert knock_all(lab, f"{host}:8080") == at_loopback()


def test_a_listener_on_loopback_is_at_no_other_address(lab: NamespacesLab) -> None:
    """The kitchen's listener on 127.0.0.1 refuses at the kitchen's own address, from wherever there is a way there."""
    assert knock_all(lab, SHUT_DOOR) == at_kitchen(SHUT_DOOR)


def test_a_listener_on_the_bridge_answers_all_who_have_a_way(lab: NamespacesLab) -> None:
    """At the same address a listener that is bound there answers every room but the one without a network."""
    assert knock_all(lab, OPEN_DOOR) == at_kitchen(OPEN_DOOR)


def test_a_shared_namespace_is_one_room(seen: Mapping[str, Room]) -> None:
    """A container in mode container:NAME is in the very namespace of the other one, by its inode."""
    assert seen["lodger"].inode == seen["kitchen"].inode


def test_host_networking_has_no_room_of_its_own(seen: Mapping[str, Room]) -> None:
    """A container with the host's network is in the host's own namespace, by its inode."""
    assert seen["caretaker"].inode == seen["laptop"].inode


def test_every_other_container_has_a_room(seen: Mapping[str, Room]) -> None:
    """Six who sit somewhere are in four namespaces: the laptop's, the kitchen's, the attic's and the hermit's."""
    assert len({room.inode for room in seen.values()}) == 4


def test_no_network_is_only_lo(seen: Mapping[str, Room]) -> None:
    """A container with the network none has the loopback interface and its address, and nothing else."""
    assert (seen["hermit"].interfaces, seen["hermit"].addresses) == (("lo",), ("127.0.0.1",))


@pytest.mark.parametrize(("name", "address"), [("kitchen", "10.88.0.10"), ("attic", "10.88.0.11")])
def test_the_routing_table_of_a_container_has_two_lines(lab: NamespacesLab, name: str, address: str) -> None:
    """A container on podman0 knows its subnet, and sends everything else to the host's seat there."""
    assert routes(lab, name) == (
        "default via 10.88.0.1 dev eth0 proto static metric 100",
        f"10.88.0.0/16 dev eth0 proto kernel scope link src {address}",
    )


def test_no_network_has_no_route(lab: NamespacesLab) -> None:
    """The main routing table of a container without a network is empty."""
    assert routes(lab, "hermit") == ()


@pytest.mark.parametrize("name", ["lodger", "caretaker"])
def test_who_shares_a_room_shares_its_ports(lab: NamespacesLab, name: str) -> None:
    """A port that is taken by another one in the same room cannot be bound (bind(2), EADDRINUSE)."""
    assert taken(lab.vantages[name].net, "127.0.0.1", 8080) == errno.EADDRINUSE


def test_a_port_is_free_where_nobody_in_the_room_has_it(lab: NamespacesLab) -> None:
    """A port that others have in their rooms can be bound in a room where nobody has it."""
    assert taken(lab.vantages["hermit"].net, "127.0.0.1", 8081) is None


@pytest.mark.parametrize("where", ["kitchen", "lodger", "caretaker", "hermit"])
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_in_its_own_room_only(lab: NamespacesLab, what: str, where: str) -> None:
    """What is changed in a namespace is changed for all who sit there, whoever did it, and for nobody else."""
    assert felt_by(lab, CHANGES[what], where) == neighbours_of(where)


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_undone(lab: NamespacesLab, what: str) -> None:
    """After a change everybody sees again what he saw before, so that one test does not decide another."""
    before = {name: CHANGES[what].look(vantage) for name, vantage in lab.vantages.items()}
    felt_by(lab, CHANGES[what], "kitchen")
    assert {name: CHANGES[what].look(vantage) for name, vantage in lab.vantages.items()} == before


def test_a_socket_keeps_the_namespace_it_was_born_in(lab: NamespacesLab) -> None:
    """Who listened in the kitchen and went to the attic still answers in the kitchen, and only there."""
    moved = move(lab, "kitchen", "attic")
    assert moved.sits_in == "attic"
    assert moved.old_door == {name: "traveller" if ROOM_OF[name] == "kitchen" else "refused" for name in ROOM_OF}


def test_a_new_socket_is_of_the_room_that_its_maker_is_in(lab: NamespacesLab) -> None:
    """Who went from the kitchen to the attic has the attic's localhost for every socket that he makes from then on."""
    assert move(lab, "kitchen", "attic").new_socket_reaches == "attic"


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_namespace_lives_while_it_is_held(lives: Mapping[str, Life], holder: str) -> None:
    """A process, a socket, an open file or a mount keeps a namespace when one that nothing holds has ended."""
    assert lives[holder].outlived


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_namespace_ends_when_it_is_let_go_of(lives: Mapping[str, Life], holder: str) -> None:
    """Once the last that held it is gone the kernel ends a namespace, and its veth's other end goes with it."""
    assert lives[holder].ended


def test_a_host_in_a_host_has_its_own_podman0(lab: NamespacesLab) -> None:
    """A private host within a private host has 10.88.0.1 on a podman0 that is not the outer one."""
    outer, inner = room(lab.vantages["laptop"]), room(lab.house.vantages["dollhouse"])
    assert "10.88.0.1" in outer.addresses
    assert "10.88.0.1" in inner.addresses
    assert None not in (outer.podman0, inner.podman0)
    assert outer.podman0 != inner.podman0


def test_the_same_address_is_each_ones_own_host(lab: NamespacesLab) -> None:
    """10.88.0.1 is the outer host for the outer container, and the inner host for the inner one."""
    assert knock(lab.vantages["kitchen"], "10.88.0.1:8081") == "laptop"
    assert knock(lab.house.vantages["doll"], "10.88.0.1:8081") == "dollhouse"


def test_two_containers_with_one_address_do_not_meet(lab: NamespacesLab) -> None:
    """The inner container has the outer one's address, and nobody at the outer one's open port answers there."""
    assert "10.88.0.10" in room(lab.house.vantages["doll"]).addresses
    assert knock(lab.vantages["laptop"], OPEN_DOOR) == "kitchen"
    assert knock(lab.house.vantages["doll"], OPEN_DOOR) == "refused"


def test_the_story_is_as_told(lab: NamespacesLab) -> None:
    """Every claim of ``testbed run namespaces`` is seen, in six scenes whose pictures fit a terminal."""
    told = list(scenes(lab))
    assert [check.text for scene in told for check in scene.checks if not check.ok] == []
    assert len(told) == 6
    assert max(len(line) for scene in told for line in scene.picture) <= 100
