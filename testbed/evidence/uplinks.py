"""The interfaces of a host that lead to others than its containers, and the default routes by them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from testbed.evidence.kernel import MAIN_TABLE, InterfaceAddress, Link, Namespace, Route, RouteKind
from testbed.evidence.picture import Evidence
from testbed.evidence.podman import HostFacts

#: Kinds of interfaces that lead to nobody.
_NO_UPLINK: Final = frozenset({"loopback", "dummy", "ifb"})


@dataclass(frozen=True, slots=True)
class Uplink:
    """An interface of a host that leads to others than its containers."""

    link: Link
    """The interface with the addresses."""
    cable: Link
    """The one that frames come in by: the same, or a port of it where it is a bridge."""
    addresses: tuple[InterfaceAddress, ...]
    """The global ones."""


def uplinks(evidence: Evidence, host: HostFacts) -> tuple[Uplink, ...]:
    """The uplinks of a host; none where its namespace is not in the picture.

    They are up and have a global address. A bridge is one where a port leads elsewhere than to a container, and a veth
    where its other end is no container's.
    """
    here = evidence.namespaces.get(host.namespace)
    if here is None:
        return ()
    inside = {container.namespace for container in evidence.containers} - {None, host.namespace}
    inside |= {one.rootless_namespace for one in evidence.hosts} - {None}
    found = []
    for link in here.links:
        own = tuple(
            row.address
            for row in here.addresses
            if row.link == link.index and row.scope == "global" and row.usable and not row.address.ip.is_loopback
        )
        cable = _cable(here, link, inside) if own and link.up and link.kind not in _NO_UPLINK else None
        if cable is not None:
            found.append(Uplink(link, cable, own))
    return tuple(found)


def _cable(here: Namespace, link: Link, inside: set[str | None]) -> Link | None:
    if link.kind != "bridge":
        return None if link.peer is not None and link.peer.namespace in inside else link
    ports = [port for port in here.links if port.master == link.index and port.up]
    # A veth whose other end is not in the picture is a container's of another engine, more often than not.
    out = (p for p in ports if p.kind != "veth" or (p.peer and p.peer.namespace and p.peer.namespace not in inside))
    return next(out, None)


def default_routes(here: Namespace, uplink: Uplink) -> tuple[Route, ...]:
    """The best default route of each IP version by an uplink, of the main table."""
    versions = {address.version for address in uplink.addresses}
    best: dict[int, Route] = {}
    for route in here.routes:
        version = route.destination.version
        if route.table != MAIN_TABLE or route.destination.prefixlen or route.kind is not RouteKind.UNICAST:
            continue
        better = version not in best or route.metric < best[version].metric
        if route.link == uplink.link.index and version in versions and better:
            best[version] = route
    return tuple(best[version] for version in sorted(best))
