"""One machine, and three people at its switch, podman0, each with a badge: a MAC address.

::

    laptop   podman0 10.88.0.1 ─┬ alice   10.88.0.11  aa:11:22:33:44:55
                                ├ bob     10.88.0.12  ba:11:22:33:44:55
                                └ carlos  10.88.0.13  ca:11:22:33:44:55
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from testbed.topology import AttachmentSpec, ContainerSpec, HostSpec, Topology

LAPTOP: Final = "laptop"
BRIDGE: Final = "podman0"
GATEWAY: Final = "10.88.0.1"
#: The badge that the essay gives Bob. It has the group bit set, and so no interface may have it (IEEE 802, 8.2.2).
ESSAYS_BADGE: Final = "bb:11:22:33:44:55"
#: Who sits at the table, and each one's badge: Bob's is the essay's without the group bit.
BADGES: Final[Mapping[str, str]] = {
    "alice": "aa:11:22:33:44:55",
    "bob": "ba:11:22:33:44:55",
    "carlos": "ca:11:22:33:44:55",
}
#: What is sent behind a frame, to see where that one went, has a badge of nobody's.
FENCE: Final = "02:00:00:00:00:fe"
ADDRESSES: Final[Mapping[str, str]] = {"alice": "10.88.0.11", "bob": "10.88.0.12", "carlos": "10.88.0.13"}
PEOPLE: Final = tuple(BADGES)

TOPOLOGY: Final = Topology(
    hosts=(HostSpec(LAPTOP),),
    containers=tuple(
        ContainerSpec(
            LAPTOP,
            name,
            "base",
            networks=(AttachmentSpec("podman", ADDRESSES[name], mac=badge),),
            command=("sleep", "infinity"),
        )
        for name, badge in BADGES.items()
    ),
)
