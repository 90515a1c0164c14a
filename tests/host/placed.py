"""Containers that only are there, each placed on a host in one of the ways that Podman knows."""

from __future__ import annotations

from enum import Enum
from typing import Final

from testbed.containers import HostContainer
from testbed.host.private import PrivateHost

IDLE: Final = ["sleep", "infinity"]

USER_GATEWAY: Final = "10.89.5.1"
INNER_GATEWAY: Final = "10.89.6.1"


class Placement(Enum):
    """Where a container is, and the addresses of the host that it may call its gateway."""

    DEFAULT = "10.88.0.1"
    """On Podman's default network, podman0."""
    USER = USER_GATEWAY
    """On a bridge network of the user's."""
    INNER = INNER_GATEWAY
    """On an internal network."""
    HOST = "host"
    """In the host's own network."""
    NONE = "none"
    """In no network but its own loopback."""


def place(host: PrivateHost, image: str, where: Placement, *, name: str = "box") -> HostContainer:
    """Start a container that waits for ever, on the network that ``where`` asks for."""
    container = HostContainer(host, image, name)
    container.with_command(IDLE)
    match where:
        case Placement.DEFAULT:
            container.on("podman")
        case Placement.USER:
            host.engine.create_network("user", subnet="10.89.5.0/24", gateway=USER_GATEWAY)
            container.on("user")
        case Placement.INNER:
            host.engine.create_network("inner", subnet="10.89.6.0/24", gateway=INNER_GATEWAY, internal=True)
            container.on("inner")
        case Placement.HOST | Placement.NONE:
            container.in_mode(where.value)
    return container.start()
