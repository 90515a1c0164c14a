"""Endings that only the helper programs of rootless Podman make: one is gone, or has an address of others. Values.

They are endings as the kernel makes them, with the helper that is behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.evidence import Container, Namespace, Published, Subnet
from testbed.predict.ending import NoListener, NoNeighbour, NoRoute


@dataclass(frozen=True, slots=True)
class HelperGone(NoRoute):
    """A namespace has no route, because the program that held its interface has ended.

    A tap device that is not persistent goes with the last descriptor of it, and its routes with it
    (drivers/net/tun.c, __tun_detach).
    """

    program: str
    """The one that held it: ``slirp4netns`` or ``pasta``."""


@dataclass(frozen=True, slots=True)
class ForwarderGone(NoListener):
    """Nobody listens on a published port, because the program that did so for the container has ended."""

    program: str
    """``rootlessport``, ``slirp4netns`` or ``pasta``."""
    container: Container
    published: Published


@dataclass(frozen=True, slots=True)
class CopiedAddress(NoListener):
    """The address is the host's, and the namespace's own too, as pasta gave it a copy: the packet never left it."""

    host: Namespace
    """The host's namespace, whose address it is."""


@dataclass(frozen=True, slots=True)
class OutdatedCopy(NoNeighbour):
    """pasta calls the host by the address that it copied when it started, which the host has no more."""

    copied: Namespace = field(kw_only=True)
    """The namespace that has the copy."""


@dataclass(frozen=True, slots=True)
class InsideSubnet(NoNeighbour):
    """The address is in the subnet of slirp4netns itself, so that the packet never leaves for the LAN that has it too.

    slirp4netns answers ARP for its host's and its resolver's address only (libslirp, src/slirp.c, arp_input).
    """

    subnet: Subnet = field(kw_only=True)
    program: str = field(kw_only=True)
