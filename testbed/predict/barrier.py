"""What keeps the owner of an address from answering for it on a segment. Values only; see testbed.predict.apart."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.evidence import Link, LinkAddress, Namespace
from testbed.predict.sysctls import Sysctl


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why the owner of an address does not answer; the base of those below."""

    owner: Namespace | None
    """Whose address it is; None where that does not matter, as nobody behind the barrier can be asked."""


@dataclass(frozen=True, slots=True)
class AddressNotUsable(Barrier):
    """Duplicate address detection of the owner has not ended, or has found somebody else (RFC 4862, 5.4)."""

    address: LinkAddress


@dataclass(frozen=True, slots=True)
class InterfaceDown(Barrier):
    """An interface between the two is down; a bridge, a port of one, or the owner's own."""

    namespace: Namespace
    """Whose interface it is."""
    link: Link


@dataclass(frozen=True, slots=True)
class MacvlanParent(Barrier):
    """One is on a macvlan and the other has its parent: what a macvlan sends goes out by the parent, never to it.

    So says the kernel in both directions (drivers/net/macvlan.c, macvlan_queue_xmit).
    """

    macvlan: Link
    parent: Link
    child: Namespace
    """Whose interface the macvlan is; the parent is the other's."""


@dataclass(frozen=True, slots=True)
class MacvlanMode(Barrier):
    """Two macvlans of one parent, which do not hear each other unless both are of the mode ``bridge``."""

    asker: Link
    link: Link
    """The owner's."""


@dataclass(frozen=True, slots=True)
class IsolatedPorts(Barrier):
    """Both are behind isolated ports of one bridge (bridge(8), isolated)."""

    namespace: Namespace
    """Whose bridge it is."""
    bridge: Link
    asker: Link
    """The asker's port."""
    port: Link
    """The owner's port."""


@dataclass(frozen=True, slots=True)
class NotAPort(Barrier):
    """The other end of an interface's veth pair is a port of no bridge any more, and leads to nobody else."""

    namespace: Namespace
    """Whose interface the other end is."""
    link: Link


@dataclass(frozen=True, slots=True)
class KeepsSilent(Barrier):
    """The owner is asked and does not answer: a kernel parameter keeps it from that (ip-sysctl)."""

    link: Link
    """The interface that it is asked by."""
    sysctls: tuple[Sysctl, ...]
    """Those that count, ``all`` before the interface's own."""
