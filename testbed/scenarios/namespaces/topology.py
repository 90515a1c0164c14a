"""One machine and the rooms in it: a room is a network namespace, and has a 127.0.0.1 that is nobody else's.

::

    laptop            10.88.0.1, 127.0.0.1    also sits there: caretaker (host network)
    kitchen           10.88.0.10, 127.0.0.1   also sits there: lodger (network of the container kitchen)
    attic             10.88.0.11, 127.0.0.1
    hermit            127.0.0.1               no network
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from testbed.topology import AttachmentSpec, ContainerSpec, HostSpec, Topology

LAPTOP: Final = "laptop"
PODMAN0: Final = "10.88.0.1"
KITCHEN: Final = "10.88.0.10"
ATTIC: Final = "10.88.0.11"
#: The same port on 127.0.0.1 of every room.
PORT: Final = 8080
#: A port on the address that a room has at podman0: where others may come in.
OPEN_PORT: Final = 8081

_IDLE: Final = ("sleep", "infinity")

TOPOLOGY: Final = Topology(
    hosts=(HostSpec(LAPTOP),),
    containers=(
        ContainerSpec(LAPTOP, "caretaker", "base", mode="host", command=_IDLE),
        ContainerSpec(LAPTOP, "kitchen", "base", (AttachmentSpec("podman", KITCHEN),), command=_IDLE),
        ContainerSpec(LAPTOP, "lodger", "base", mode="container:kitchen", command=_IDLE),
        ContainerSpec(LAPTOP, "attic", "base", (AttachmentSpec("podman", ATTIC),), command=_IDLE),
        ContainerSpec(LAPTOP, "hermit", "base", mode="none", command=_IDLE),
    ),
)

#: Who sits in which room. A room is called by the one that it was made for.
ROOM_OF: Final[Mapping[str, str]] = {
    LAPTOP: LAPTOP,
    "caretaker": LAPTOP,
    "kitchen": "kitchen",
    "lodger": "kitchen",
    "attic": "attic",
    "hermit": "hermit",
}
ROOMS: Final = tuple(dict.fromkeys(ROOM_OF.values()))
#: The address at podman0 of each room that has one.
SEATS: Final[Mapping[str, str]] = {LAPTOP: PODMAN0, "kitchen": KITCHEN, "attic": ATTIC}

#: The host within the host, and its one container, which has the kitchen's address.
DOLLHOUSE: Final = "dollhouse"
DOLL: Final = "doll"


def neighbours_of(name: str) -> tuple[str, ...]:
    """Everybody in the same room, that one included, in the order of :data:`ROOM_OF`."""
    return tuple(other for other, room in ROOM_OF.items() if room == ROOM_OF[name])


def routes_of(room: str) -> tuple[str, ...]:
    """The main routing table of a container's room as ip-route(8) prints it: netavark's default, the kernel's subnet.

    Both Podman 4.3 and 5.4 have netavark set the default route with metric 100 (netavark's DEFAULT_METRIC).
    """
    if room not in SEATS:
        return ()
    return (
        f"default via {PODMAN0} dev eth0 proto static metric 100",
        f"10.88.0.0/16 dev eth0 proto kernel scope link src {SEATS[room]}",
    )
