"""The stations on the other side of an interface: veth pairs, bridges and their ports. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Evidence, Link, Namespace, Neighbour
from testbed.model import Address
from testbed.predict.routing import is_local, link_of, own_addresses, reverse_path_fails, setting

#: Neighbour states in which the kernel sends without asking anew (include/net/neighbour.h, NUD_VALID).
_VALID: Final = frozenset({"reachable", "stale", "delay", "probe", "permanent", "noarp"})
#: In this one it asks whether the address still holds, and then asks anew (net/core/neighbour.c, neigh_timer_handler).
_PROBE: Final = "probe"


@dataclass(frozen=True, slots=True)
class Bridged:
    """A bridge that a frame passes on its way."""

    namespace: Namespace
    bridge: Link
    port: Link
    """The one that the frame comes in by."""


@dataclass(frozen=True, slots=True)
class Station:
    """A network stack that can be reached over a segment, and by which of its interfaces."""

    namespace: Namespace
    link: Link
    bridges: tuple[Bridged, ...] = ()
    """Those that a frame is forwarded through, port to port."""
    port: Link | None = None
    """Where its interface is a bridge: the port that the frame comes in by."""
    out: Link | None = None
    """Where the asker's interface is a bridge: the port that the frame leaves by."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The answer to "who has this address" on a segment."""

    stations: tuple[Station, ...]
    """Those that answer; more than one is a duplicate address."""
    outside: bool = False
    """True where the segment goes on where the picture does not: somebody there may answer."""
    believed: Neighbour | None = None
    """The neighbour that the asker sends to without asking, where nobody there has that hardware address."""


def who_has(evidence: Evidence, here: Namespace, link: Link, address: Address, sender: Address) -> Reached:
    """Ask a segment for an address, as ARP and neighbour discovery do.

    IPv4: any of its addresses makes a host answer on any of its interfaces (ip-sysctl, arp_ignore 0), unless it would
    not take the asker's packets. IPv6: only the interface's own (RFC 4861, 7.2.3). Where the asker knows a hardware
    address already it does not ask at once (RFC 4861, 7.3.3; net/core/neighbour.c does the same for ARP), so that
    whoever has that gets the packet.

    :param sender: the address that the question comes from
    """
    everybody = tuple(_stations(evidence, here, link))
    outside = None in everybody
    present = tuple(station for station in everybody if station is not None)
    stations = tuple(station for station in present if _answers(station, address, sender))
    known = believed(here, link, address)
    if known is None or known.mac is None:
        return Reached(stations, outside)
    at_mac = tuple(
        station for station in present if known.mac in _macs(station) and station.link.up and station.link.carrier
    )
    if at_mac:
        return Reached(at_mac, outside)
    if outside or known.state == _PROBE:
        return Reached(stations, outside)
    # Five seconds of delay and three probes of one second pass before it asks anew (arp(7), delay_first_probe_time).
    return Reached(stations, believed=known)


def _macs(station: Station) -> tuple[str, ...]:
    """By which hardware addresses a stack takes frames: a bridge also by that of the port that they come in by.

    A bridge has the lowest address of its ports (net/bridge/br_stp_if.c, br_stp_recalculate_bridge_id), and so another
    one when they come and go; a frame to the port that brings it is for the bridge all the same (eth_type_trans, and
    br_handle_frame_finish for a local entry).
    """
    return (station.link.mac,) if station.port is None else (station.link.mac, station.port.mac)


def believed(here: Namespace, link: Link, address: Address) -> Neighbour | None:
    """The neighbour as a namespace knows it, where it sends there without asking; None where it asks first."""
    return next(
        (n for n in here.neighbours if n.link == link.index and n.address == address and n.state in _VALID), None
    )


def _answers(station: Station, address: Address, sender: Address) -> bool:
    if not (station.link.up and station.link.carrier):
        return False
    there, link = station.namespace, station.link
    if address.version == 6:
        return address in own_addresses(there, 6, link.index)
    ignore = max(setting(there, f"ipv4/conf/{name}/arp_ignore") for name in ("all", link.name))
    if ignore:
        return address in own_addresses(there, 4, link.index)
    return not address.is_loopback and is_local(there, address) and not reverse_path_fails(there, link, sender)


def _stations(evidence: Evidence, here: Namespace, link: Link) -> Iterator[Station | None]:
    """Every stack on the segment of an interface; None stands for what the picture does not show."""
    if not link.up:
        return
    if link.kind == "bridge":
        yield from _behind_ports(evidence, here, link, None, ())
    elif link.kind == "veth":
        yield from _behind_veth(evidence, link, ())
    else:
        yield None


def _behind_veth(evidence: Evidence, link: Link, bridges: tuple[Bridged, ...]) -> Iterator[Station | None]:
    """The other end of a veth pair: a stack, or a bridge with all that is behind its other ports."""
    peer = link.peer
    there = evidence.namespaces.get(peer.namespace) if peer and peer.namespace else None
    end = link_of(there, peer.index) if there and peer else None
    if there is None or end is None:
        yield None
        return
    if not end.up:
        return
    if end.master is None:
        yield Station(there, end, bridges)
        return
    bridge = link_of(there, end.master)
    if bridge is None or not bridge.up:
        return
    yield Station(there, bridge, bridges, port=end)
    yield from _behind_ports(evidence, there, bridge, end, (*bridges, Bridged(there, bridge, end)))


def _behind_ports(
    evidence: Evidence, there: Namespace, bridge: Link, entered: Link | None, bridges: tuple[Bridged, ...]
) -> Iterator[Station | None]:
    for port in there.links:
        if port.master != bridge.index or not port.up or port is entered:
            continue
        if entered is not None and entered.isolated and port.isolated:
            continue
        if port.kind != "veth":
            yield None
        elif len(bridges) <= _MOST_BRIDGES:
            for station in _behind_veth(evidence, port, bridges):
                yield replace(station, out=port) if station is not None and entered is None else station


#: Bridges in a ring would never end.
_MOST_BRIDGES: Final = 4
