"""Finding what keeps the owner of an address from answering for it, where nobody on a segment does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.evidence import Evidence, Link, LinkAddress, Namespace
from testbed.model import Address
from testbed.predict.barrier import (
    AddressNotUsable,
    Barrier,
    InterfaceDown,
    IsolatedPorts,
    KeepsSilent,
    MacvlanMode,
    MacvlanParent,
    NotAPort,
)
from testbed.predict.routing import link_of, reverse_path_fails
from testbed.predict.segment import MACVLANS, ignores
from testbed.predict.sysctls import of_interface


@dataclass(frozen=True, slots=True)
class _End:
    """An interface, and the one at the other end of its veth pair or, of a macvlan, its parent."""

    namespace: Namespace
    link: Link
    there: Namespace | None
    """The namespace of the other one; None where the picture does not have it."""
    beyond: Link | None
    """The other one."""

    @property
    def bridge(self) -> tuple[Namespace, Link] | None:
        """The bridge that it is, or that it leads to a port of."""
        if self.link.kind == "bridge":
            return self.namespace, self.link
        if self.link.kind != "veth" or self.there is None or self.beyond is None or self.beyond.master is None:
            return None
        master = link_of(self.there, self.beyond.master)
        return (self.there, master) if master is not None else None


def barrier(evidence: Evidence, here: Namespace, link: Link, address: Address, sender: Address) -> Barrier | None:
    """The barrier that keeps the owner of an address from answering on the segment of an interface.

    None where nobody in the picture has the address and the segment is whole, or where its owner is elsewhere.

    :param here: who asks
    :param link: the interface that he asks by
    :param sender: the address that he asks from
    """
    asker = _end(evidence, here, link)
    for namespace, one in _way(asker):
        if not one.up:
            return InterfaceDown(None, namespace, one)
    for owner, row in _owners(evidence, here, address):
        for other in _asked_by(owner, row):
            found = _between(asker, _end(evidence, owner, other), row, sender)
            if found is not None:
                return found
    return _lost(asker, address)


def _between(asker: _End, other: _End, row: LinkAddress, sender: Address) -> Barrier | None:
    """The barrier between two that are on one segment, or on one parent; None where they are on neither."""
    owner = other.namespace
    if found := _macvlans(asker, other):
        return found
    if not _joined(asker, other):
        return None
    for namespace, link in ((owner, other.link), *_way(other)):
        if not link.up:
            return InterfaceDown(owner, namespace, link)
    if not row.usable:
        return AddressNotUsable(owner, row)
    one, port = asker.beyond, other.beyond
    if asker.bridge is not None and one is not None and port is not None and one.isolated and port.isolated:
        return IsolatedPorts(owner, *asker.bridge, one, port)
    return _silent(owner, other.link, row.address.ip, sender)


def _macvlans(asker: _End, other: _End) -> Barrier | None:
    """The barrier between macvlans and their parent."""
    if asker.link.kind in MACVLANS and asker.beyond is not None and _is(other, asker):
        return MacvlanParent(other.namespace, asker.link, asker.beyond, asker.namespace)
    if other.link.kind in MACVLANS and other.beyond is not None and _is(asker, other):
        return MacvlanParent(other.namespace, other.link, other.beyond, other.namespace)
    if asker.link.kind in MACVLANS and other.link.kind in MACVLANS and asker.link.lower == other.link.lower:
        return MacvlanMode(other.namespace, asker.link, other.link)
    return None


def _is(one: _End, child: _End) -> bool:
    """Tell if an interface is the parent of a macvlan."""
    return child.there is one.namespace and child.beyond is one.link


def _joined(asker: _End, other: _End) -> bool:
    """Tell if two interfaces are on one bridge, or are the two ends of one veth pair."""
    if asker.bridge is not None and other.bridge is not None:
        (there, bridge), (elsewhere, another) = asker.bridge, other.bridge
        return there is elsewhere and bridge is another
    return asker.link.kind == "veth" and asker.there is other.namespace and asker.beyond is other.link


def _way(end: _End) -> Iterator[tuple[Namespace, Link]]:
    """The interfaces between one and the segment that it is on."""
    if end.link.kind not in ("veth", *MACVLANS) or end.there is None or end.beyond is None:
        return
    yield end.there, end.beyond
    if end.bridge is not None:
        yield end.bridge


def _silent(owner: Namespace, link: Link, address: Address, sender: Address) -> KeepsSilent | None:
    """The parameters that keep the owner of an IPv4 address from answering."""
    if address.version == 6:
        return None
    filtered = reverse_path_fails(owner, link, sender, destination=address)
    name = "rp_filter" if filtered else ignores(owner, link, address, sender)
    return KeepsSilent(owner, link, of_interface(owner, "ipv4", link.name, name)) if name else None


def _lost(asker: _End, address: Address) -> NotAPort | None:
    """The other end of a veth pair that is no port and has no address, as one whose bridge was removed."""
    there, end = asker.there, asker.beyond
    if asker.link.kind != "veth" or there is None or end is None or end.master is not None:
        return None
    version = address.version
    if any(row.link == end.index and row.address.version == version for row in there.addresses if row.usable):
        return None
    return NotAPort(None, there, end)


def _owners(evidence: Evidence, here: Namespace, address: Address) -> Iterator[tuple[Namespace, LinkAddress]]:
    for namespace in evidence.namespaces.values():
        if namespace is not here:
            yield from ((namespace, row) for row in namespace.addresses if row.address.ip == address)


def _asked_by(owner: Namespace, row: LinkAddress) -> Iterator[Link]:
    """The interfaces that an owner may be asked by: the address's own, and of IPv4 any (ip-sysctl, arp_ignore)."""
    own = link_of(owner, row.link)
    others = (link for link in owner.links if link is not own) if row.address.version == 4 else ()
    yield from (link for link in (own, *others) if link is not None and link.kind != "loopback")


def _end(evidence: Evidence, namespace: Namespace, link: Link) -> _End:
    far = link.lower or link.peer
    there = evidence.namespaces.get(far.namespace) if far and far.namespace else None
    return _End(namespace, link, there, link_of(there, far.index) if there and far else None)
