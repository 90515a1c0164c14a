"""Resolving the address of the next hop to a station on a segment, or to why there is none. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Final

from testbed.evidence import Evidence, Link, Namespace, RouteKind
from testbed.model import Address
from testbed.predict import routing
from testbed.predict.apart import barrier
from testbed.predict.ending import Left, NoNeighbour, PacketEnding, StaleNeighbour
from testbed.predict.frame_filters import FrameFilters
from testbed.predict.ingress import filters_bridges
from testbed.predict.netfilter import Netfilter
from testbed.predict.packet import Packet
from testbed.predict.passing import stopped_between
from testbed.predict.routing import Chosen
from testbed.predict.segment import Reached, Station, believed, who_has
from testbed.predict.unknown import DuplicateAddress, Unknown, UnmodelledLink

#: Kinds of interfaces whose segment is not modelled.
_UNMODELLED: Final = frozenset({"ipvlan", "ipvtap"})
#: The states of neighbours that the kernel goes on sending to without any check (include/net/neighbour.h).
_NEVER_CHECKED: Final = frozenset({"permanent", "noarp"})


@dataclass(slots=True)
class NextHop:
    """Asks segments for next hops. Not a value: it remembers who has asked."""

    evidence: Evidence
    netfilter: Netfilter
    frames: FrameFilters
    _introduced: set[Address] = field(default_factory=set)
    """The addresses that asked for a neighbour on the way there: whoever was asked knows him for the way back."""

    def station(self, here: Namespace, hop: Address, packet: Packet, link: Link) -> Station | PacketEnding:
        """Find who takes the packet on the segment of an interface."""
        record = self.netfilter.record
        if link.holder:
            return Left(record.trail(here, packet), link, hop)
        if link.kind in _UNMODELLED:
            return Unknown(record.trail(here, packet), UnmodelledLink(link))
        asks = hop not in self._introduced and believed(here, link, hop) is None
        reached = self._ask(here, hop, packet, link)
        stale = reached.believed if hop not in self._introduced else None
        # Of one that is never checked it does not matter whether anybody else would answer (NUD_PERMANENT, NUD_NOARP).
        stays = stale is not None and stale.state in _NEVER_CHECKED
        if stale is not None and (reached.stations or stays) and not self._caught(reached, packet):
            return StaleNeighbour(record.trail(here, packet), link, stale)
        if len(reached.stations) == 1:
            (station,) = reached.stations
            unheard = self._unheard(here, hop, packet, link, station) if asks else None
            return unheard or stopped_between(self.evidence, record, here, link, station, packet, asks=asks) or station
        if not reached.stations:
            return self._nobody(here, hop, packet, link, outside=reached.outside)
        stations = tuple(station.namespace for station in reached.stations)
        return Unknown(record.trail(here, packet), DuplicateAddress(link, hop, stations))

    def _nobody(self, here: Namespace, hop: Address, packet: Packet, link: Link, *, outside: bool) -> PacketEnding:
        """The ending where no stack of the picture answers.

        :param outside: whether somebody beyond the picture may
        """
        trail = self.netfilter.record.trail(here, packet)
        if outside:
            return Left(trail, link, hop)
        apart = barrier(self.evidence, here, link, hop, self._asker(here, hop, packet, link))
        return NoNeighbour(trail, link, hop, apart, errno=errno.EHOSTUNREACH)

    def _unheard(
        self, here: Namespace, hop: Address, packet: Packet, link: Link, station: Station
    ) -> PacketEnding | None:
        """The ending where a firewall keeps the question for a neighbour, or its answer; None where they pass."""
        return self.frames.neighbour(here, link, hop, self._asker(here, hop, packet, link), packet, station)

    def port(self, here: Namespace, hop: Address, packet: Packet, bridge: Link) -> Link | None:
        """Find the port of a bridge that leads to the next hop; None where it is none, or not known."""
        stations = self._ask(here, hop, packet, bridge).stations
        return stations[0].out if len(stations) == 1 else None

    def _ask(self, here: Namespace, hop: Address, packet: Packet, link: Link) -> Reached:
        """Ask a segment who has an address.

        Of what is forwarded the question does not name the source (net/ipv4/arp.c, arp_solicit).
        """
        asker = self._asker(here, hop, packet, link)
        if not self.netfilter.record.back and believed(here, link, hop) is None:
            # Who is asked takes down who asks (net/ipv4/arp.c, arp_process), and knows him when he answers.
            self._introduced.add(asker)
        return who_has(self.evidence, here, link, hop, asker)

    @staticmethod
    def _asker(here: Namespace, hop: Address, packet: Packet, link: Link) -> Address:
        """The address that a question for a neighbour comes from (net/ipv4/arp.c, arp_solicit)."""
        sender = packet.source if routing.address_type(here, packet.source) == "local" else None
        return sender or routing.source_for(here, hop, Chosen(RouteKind.UNICAST, None, link)) or packet.source

    def _caught(self, reached: Reached, packet: Packet) -> bool:
        """Tell if a bridge takes a frame for its host, whoever it is for: where the firewall there rewrites the packet.

        The firewall comes before the bridge looks for the hardware address (net/bridge/br_netfilter_hooks.c).
        """
        for there, bridge in (entered for station in reached.stations for entered in _entered(station)):
            if filters_bridges(there, packet.destination.version):
                incoming = self.netfilter.comes_in(there, packet, bridge.name)
                if self.netfilter.would_translate(there, incoming):
                    return True
        return False


def _entered(station: Station) -> list[tuple[Namespace, Link]]:
    """The bridges that a frame to a station comes to, in any order."""
    own = [(station.namespace, station.link)] if station.port is not None else []
    return [*((bridged.namespace, bridged.bridge) for bridged in station.bridges), *own]
