"""What a room looks like from within: who sits in it, its interfaces, its addresses and its routes."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.probe import Vantage
from testbed.readers.links import read_links
from testbed.scenarios.namespaces.lab import NamespacesLab


@dataclass(frozen=True, slots=True)
class Room:
    """A network namespace as somebody in it sees it."""

    inode: int
    """What the kernel tells it from others by."""
    interfaces: tuple[str, ...]
    addresses: tuple[str, ...]
    """IPv4, of interfaces in the order of their numbers."""
    podman0: str | None
    """The MAC address of its podman0, where it has one."""


def room(vantage: Vantage) -> Room:
    """Look around from somebody's place."""
    links = vantage.net.run(read_links)
    return Room(
        vantage.net.identity[1],
        tuple(link.name for link in links.links),
        tuple(str(one.address.ip) for one in links.addresses if one.address.version == 4),  # noqa: PLR2004 - of IP
        next((link.mac for link in links.links if link.name == "podman0"), None),
    )


def rooms(lab: NamespacesLab) -> dict[str, Room]:
    """What everybody sees."""
    return {name: room(vantage) for name, vantage in lab.vantages.items()}


def routes(lab: NamespacesLab, who: str) -> tuple[str, ...]:
    """The lines of ``ip route`` in somebody's room."""
    return tuple(line.rstrip() for line in lab.command(who, ["ip", "route"]).splitlines())
