"""The scenario's story: the rooms, who sits in which, and each door that opens or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from testbed.report.columns import columns
from testbed.results import Check, Scene
from testbed.scenarios.namespaces import changes, doors, lifetimes, rooms
from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.topology import (
    DOLL,
    DOLLHOUSE,
    KITCHEN,
    LAPTOP,
    OPEN_PORT,
    PODMAN0,
    PORT,
    ROOM_OF,
    ROOMS,
    SEATS,
    neighbours_of,
    routes_of,
)

#: How a routing table is spoken of by the number of its lines.
_COUNTS: Final = {0: "no route at all", 2: "a routing table of two lines"}


def scenes(lab: NamespacesLab) -> Iterator[Scene]:
    """Tell it, a scene at a time.

    :raises Error: something could not be done or seen at all
    """
    yield _who_sits_where(lab)
    yield _one_port(lab)
    yield _doors(lab)
    yield _changes(lab)
    yield _sockets_and_lives(lab)
    yield _house(lab)


def _who_sits_where(lab: NamespacesLab) -> Scene:
    seen = rooms.rooms(lab)
    routes = {room: rooms.routes(lab, room) for room in ("kitchen", "attic", "hermit")}
    table = [("who", "room (inode)", "interfaces", "IPv4 addresses")]
    table += [
        (name, f"{ROOM_OF[name]} ({room.inode})", _short(room.interfaces), _short(room.addresses))
        for name, room in seen.items()
    ]
    return Scene(
        "Who sits in which room: a room is a network namespace",
        (
            Check("host networking has no room of its own", seen["caretaker"].inode == seen[LAPTOP].inode),
            Check("a container in another's network sits in its room", seen["lodger"].inode == seen["kitchen"].inode),
            Check(
                "every other container has a room of its own",
                len({room.inode for room in seen.values()}) == len(ROOMS),
                f"{len({room.inode for room in seen.values()})} rooms",
            ),
            Check("without a network there is only lo", seen["hermit"].interfaces == ("lo",)),
            *(
                Check(f"the {room} has {_COUNTS[len(routes_of(room))]}", lines == routes_of(room))
                for room, lines in routes.items()
            ),
        ),
        (*columns(table), *(f"the {room}'s way out: {line}" for room, lines in routes.items() for line in lines)),
    )


def _one_port(lab: NamespacesLab) -> Scene:
    seen = doors.knock_all(lab, f"localhost:{PORT}")
    return Scene(
        f"In each room somebody listens on 127.0.0.1:{PORT}, all at once",
        tuple(
            Check(f"{name} is answered by the own room's doorman, {expected}", seen[name] == expected)
            for name, expected in doors.at_loopback().items()
        ),
        (*(f"{name:10} ── localhost:{PORT} ──▶ {who}" for name, who in seen.items()),),
        "127.0.0.1 is as many addresses as there are rooms; each stops at its own walls.",
    )


def _doors(lab: NamespacesLab) -> Scene:
    shut, opened = (doors.knock_all(lab, door) for door in (doors.SHUT_DOOR, doors.OPEN_DOOR))
    table = [("from", doors.SHUT_DOOR, doors.OPEN_DOOR), *((name, shut[name], opened[name]) for name in shut)]
    return Scene(
        "The kitchen's doors: who listens on loopback is behind none of them",
        (
            Check(
                f"who listens on 127.0.0.1:{PORT} cannot be had at {KITCHEN}:{PORT}, not even from the kitchen",
                shut == doors.at_kitchen(doors.SHUT_DOOR),
            ),
            Check(
                f"who listens on {KITCHEN}:{OPEN_PORT} answers whoever has a way there",
                opened == doors.at_kitchen(doors.OPEN_DOOR),
            ),
            Check(
                "the port is taken in the kitchen, so for the lodger too, and free in a room where nobody has it",
                (doors.taken(lab.vantages["lodger"].net, "127.0.0.1", PORT) is not None)
                and doors.taken(lab.vantages["attic"].net, "127.0.0.1", OPEN_PORT) is None,
            ),
        ),
        columns(table),
    )


def _changes(lab: NamespacesLab) -> Scene:
    felt = {name: changes.felt_by(lab, change, "kitchen") for name, change in changes.CHANGES.items()}
    table = [("changed in the kitchen", *ROOM_OF)]
    table += [(what, *("changed" if name in by else "·" for name in ROOM_OF)) for what, by in felt.items()]
    expected = neighbours_of("kitchen")
    return Scene(
        "What is changed in one room",
        tuple(
            Check(f"{change.text}: only {' and '.join(expected)} see it", felt[name] == expected, _said(felt[name]))
            for name, change in changes.CHANGES.items()
        ),
        columns(table),
        "Sockets, routes, firewall, tracked connections and settings are each room's own.",
    )


def _sockets_and_lives(lab: NamespacesLab) -> Scene:
    moved = lifetimes.move(lab, "kitchen", "attic")
    lives = lifetimes.live(lab.laptop)
    at_home = {name: "traveller" if ROOM_OF[name] == "kitchen" else "refused" for name in ROOM_OF}
    return Scene(
        "A socket stays in the room it was born in; a room stays as long as anything holds it",
        (
            Check("who listened in the kitchen went to the attic", moved.sits_in == "attic", f"now in {moved.sits_in}"),
            Check(
                "a new socket of his reaches the attic's localhost",
                moved.new_socket_reaches == "attic",
                f"{moved.new_socket_reaches} answers",
            ),
            Check("his old one still listens in the kitchen, and nowhere else", dict(moved.old_door) == at_home),
            *(
                Check(f"a room lives as long as a {holder} holds it, and is gone then", life.outlived and life.ended)
                for holder, life in lives.items()
            ),
        ),
        columns(
            [
                ("held by", "when one that nothing held was gone", "once let go of"),
                *(
                    (name, "there" if life.outlived else "gone", "gone" if life.ended else "there")
                    for name, life in lives.items()
                ),
            ]
        ),
    )


def _house(lab: NamespacesLab) -> Scene:
    inner = lab.house.vantages
    outer, within = (rooms.room(vantage) for vantage in (lab.vantages[LAPTOP], inner[DOLLHOUSE]))
    door = f"{PODMAN0}:{OPEN_PORT}"
    kitchen, doll = doors.knock(lab.vantages["kitchen"], door), doors.knock(inner[DOLL], door)
    twin = doors.knock(inner[DOLL], doors.OPEN_DOOR)
    return Scene(
        "A house in a house: a host on the host, with the same addresses",
        (
            Check(
                f"each has a podman0 of its own with {PODMAN0}",
                outer.podman0 != within.podman0 and all(x.podman0 and PODMAN0 in x.addresses for x in (outer, within)),
                f"{outer.podman0} and {within.podman0}",
            ),
            Check(f"{PODMAN0} is the {LAPTOP} for the kitchen", kitchen == LAPTOP, f"{kitchen} answers"),
            Check(f"{PODMAN0} is the {DOLLHOUSE} for the {DOLL}", doll == DOLLHOUSE, f"{doll} answers"),
            Check(
                f"the {DOLL} has the kitchen's address, {KITCHEN}, and nothing of the kitchen's is there",
                KITCHEN in rooms.room(inner[DOLL]).addresses and twin == "refused",
                twin,
            ),
        ),
        (
            f"{LAPTOP}          podman0 {PODMAN0} ─┬─ kitchen {SEATS['kitchen']}",
            f" │                                 └─ attic   {SEATS['attic']}",
            f" └─ {DOLLHOUSE}    podman0 {PODMAN0} ─── {DOLL}    {KITCHEN}",
        ),
    )


def _short(words: Sequence[str], *, most: int = 3) -> str:
    return ", ".join(words[:most]) + (", ..." if len(words) > most else "")


def _said(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"
