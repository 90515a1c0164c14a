"""The stations on the other side of an interface: veth pairs, bridges and their ports, macvlans. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Evidence, Link, Namespace, Neighbour, RouteKind
from testbed.model import Address
from testbed.predict.routing import choose, is_local, link_of, own_addresses, reverse_path_fails, setting

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
    everybody = tuple(_Segment(evidence, stacked(evidence)).stations(here, link))
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
        # An ipvlan has the hardware address of its parent: there the IP address decides (ipvlan_addr_lookup).
        owners = tuple(station for station in at_mac if station in stations) if len(at_mac) > 1 else ()
        return Reached(owners or at_mac, outside)
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
    """Tell if a stack answers the question for an address (net/ipv4/arp.c, arp_process; net/ipv6/ndisc.c)."""
    if not (station.link.up and station.link.carrier):
        return False
    there, link = station.namespace, station.link
    if address.version == 6:
        return address in own_addresses(there, 6, link.index)
    if address.is_loopback:
        return False
    if is_local(there, address, source=sender, incoming=link.name):
        answers = not ignores(there, link, address, sender)
    else:
        answers = _is_proxy(there, link, address, sender)
    # The kernel looks at the way back first; but nearly all stations of a segment are told apart by the address alone.
    return answers and not reverse_path_fails(there, link, sender, destination=address)


def ignores(there: Namespace, link: Link, address: Address, sender: Address) -> str:
    """The parameter that keeps a namespace from answering for its own address; empty where none does (ip-sysctl).

    The values of arp_ignore are those of net/ipv4/arp.c (arp_ignore): 1 answers for the interface's own addresses, 2
    asks for a sender in the same subnet too, 3 leaves out addresses of scope host, 8 answers for none.
    """
    mode = max(setting(there, f"ipv4/conf/{name}/arp_ignore") for name in ("all", link.name))
    rows = [row for row in there.addresses if row.usable and row.address.ip == address]
    here = [row for row in rows if row.link == link.index]
    near = [row for row in here if sender in row.address.network]
    if (
        (mode == 1 and not here)
        or (mode == 2 and not near)
        or (mode == 3 and all(row.scope == "host" for row in rows))
        or mode == 8
    ):
        return "arp_ignore"
    if any(setting(there, f"ipv4/conf/{name}/arp_filter") for name in ("all", link.name)):
        back = choose(there, sender, source=address)
        if back.link is None or back.link.index != link.index:
            return "arp_filter"
    return ""


def _is_proxy(there: Namespace, link: Link, address: Address, sender: Address) -> bool:
    """Tell if a namespace answers for an address that it routes to another interface (ip-sysctl, proxy_arp)."""
    if not any(setting(there, f"ipv4/conf/{name}/proxy_arp") for name in ("all", link.name)):
        return False
    route = choose(there, address, source=sender, incoming=link.name)
    forwards = bool(setting(there, f"ipv4/conf/{link.name}/forwarding"))
    return forwards and route.kind is RouteKind.UNICAST and route.link is not None and route.link.index != link.index


def stacked(evidence: Evidence) -> Mapping[tuple[str | None, int], list[tuple[Namespace, Link]]]:
    """The interfaces that are stacked on others (macvlan, ipvlan), by the namespace and ifindex of those."""
    found: dict[tuple[str | None, int], list[tuple[Namespace, Link]]] = {}
    for namespace in evidence.namespaces.values():
        for link in namespace.links:
            if link.lower is not None:
                found.setdefault((link.lower.namespace, link.lower.index), []).append((namespace, link))
    return found


@dataclass(frozen=True, slots=True)
class _Segment:
    """Finds stacks on segments. Each generator's None stands for what the picture does not show."""

    evidence: Evidence
    stacked: Mapping[tuple[str | None, int], list[tuple[Namespace, Link]]]

    def stations(self, here: Namespace, link: Link) -> Iterator[Station | None]:
        """Every stack on the segment of an interface, but for its own."""
        if not link.up:
            return
        if link.kind == "bridge":
            yield from self._behind_ports(here, link, None, ())
        elif link.kind == "veth":
            yield from self._behind_veth(link, ())
            if self._reflects(link):
                above = self.stacked.get((here.key, link.index), ())
                yield from (Station(namespace, other) for namespace, other in above if other.up)
        elif link.kind in MACVLANS:
            yield from self._beside_macvlan(here, link)
        elif link.kind != "dummy":  # that one is a segment without anybody (drivers/net/dummy.c)
            yield None

    def _beside_macvlan(self, here: Namespace, link: Link) -> Iterator[Station | None]:
        """The macvlans of the same parent, and all that is beyond the parent; never the parent's own stack.

        A macvlan of the mode bridge hands what is for another one of that mode to that one, and all else goes out by
        the parent (drivers/net/macvlan.c, macvlan_queue_xmit).
        """
        lower = link.lower
        there = self.evidence.namespaces.get(lower.namespace) if lower and lower.namespace else None
        parent = link_of(there, lower.index) if there and lower else None
        if lower is None or there is None or parent is None:
            yield None
            return
        siblings = [
            Station(namespace, other)
            for namespace, other in self.stacked.get((lower.namespace, lower.index), [])
            if (namespace.key, other.index) != (here.key, link.index) and other.up
        ]
        if link.mode == "bridge":
            yield from (one for one in siblings if one.link.mode == "bridge")
        if not parent.up:
            return
        beyond = self._behind_veth(parent, ()) if parent.kind == "veth" else self.stations(there, parent)
        yield from beyond
        if self._reflects(parent) and link.mode in _FLOODED:
            yield Station(there, parent)
            yield from (one for one in siblings if one.link.mode in _FLOODED[link.mode])

    def _reflects(self, parent: Link) -> bool:
        """Tell if what leaves by an interface comes back to it: the port of a bridge in hairpin mode (bridge(8))."""
        peer = parent.peer if parent.kind == "veth" else None
        there = self.evidence.namespaces.get(peer.namespace) if peer and peer.namespace else None
        end = link_of(there, peer.index) if there and peer else None
        return end is not None and end.master is not None and end.hairpin

    def _at(self, there: Namespace, link: Link, bridges: tuple[Bridged, ...], port: Link | None) -> Iterator[Station]:
        """The stacks that take what comes in by an interface: its own, and those of what is stacked on it."""
        yield Station(there, link, bridges, port=port)
        for namespace, other in self.stacked.get((there.key, link.index), ()):
            if other.up:
                yield Station(namespace, other, bridges)

    def _behind_veth(self, link: Link, bridges: tuple[Bridged, ...]) -> Iterator[Station | None]:
        """The other end of a veth pair: a stack, or a bridge with all that is behind its other ports."""
        peer = link.peer
        there = self.evidence.namespaces.get(peer.namespace) if peer and peer.namespace else None
        end = link_of(there, peer.index) if there and peer else None
        if there is None or end is None:
            yield None
            return
        if not end.up:
            return
        master = link_of(there, end.master)
        if end.master is None or (master is not None and master.kind == "vrf"):
            yield from self._at(there, end, bridges, None)
            return
        if master is None or master.kind != "bridge":
            yield None  # a bond, a team, Open vSwitch
            return
        if not master.up:
            return
        yield from self._at(there, master, bridges, end)
        yield from self._behind_ports(there, master, end, (*bridges, Bridged(there, master, end)))

    def _behind_ports(
        self, there: Namespace, bridge: Link, entered: Link | None, bridges: tuple[Bridged, ...]
    ) -> Iterator[Station | None]:
        for port in there.links:
            if port.master != bridge.index or not port.up or port is entered:
                continue
            if entered is not None and entered.isolated and port.isolated:
                continue
            if port.kind != "veth":
                yield None
            elif len(bridges) <= _MOST_BRIDGES:
                for station in self._behind_veth(port, bridges):
                    yield replace(station, out=port) if station is not None and entered is None else station


#: Bridges in a ring would never end.
_MOST_BRIDGES: Final = 4
#: Where the segment of the parent sends frames back: the modes of the macvlans that hear a question of that mode as it
#: comes back (drivers/net/macvlan.c, macvlan_multicast_rx). What one of the mode private asks only itself hears.
_FLOODED: Final = {"vepa": frozenset({"vepa", "bridge"}), "bridge": frozenset({"vepa"})}
#: The kinds of interfaces that share their parent's wire, with a hardware address of their own.
MACVLANS: Final = frozenset({"macvlan", "macvtap"})
