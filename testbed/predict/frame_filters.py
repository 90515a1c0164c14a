"""The firewalls that see frames: chains of the families bridge and arp, and those that are hooked to a device. Pure.

A frame meets them in the kernel's order (nft(8), ADDRESS FAMILIES): INGRESS of the device, PREROUTING of the bridge,
and then INPUT of the bridge, or FORWARD and POSTROUTING; on its way out OUTPUT and POSTROUTING of the bridge, and
EGRESS.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from testbed.evidence import Hook, Link, Namespace
from testbed.model import Address
from testbed.predict.ending import Dropped, NeighbourFiltered, PacketEnding, Rejected
from testbed.predict.firewall import Layer, judge
from testbed.predict.ingress import filters_bridges
from testbed.predict.netfilter import Netfilter
from testbed.predict.packet import Packet
from testbed.predict.segment import Bridged, Station
from testbed.predict.unknown import Unknown, UnmodelledReject

#: ICMPv6 types (RFC 4861, 4.3 and 4.4).
_SOLICITATION: Final = 135
_ADVERTISEMENT: Final = 136
_OF_DEVICES: Final = frozenset({Hook.INGRESS, Hook.EGRESS})
_OF_FRAMES: Final = frozenset({Layer.DEVICE, Layer.BRIDGE})
_LAYERS: Final = {"arp": Layer.ARP, "bridge": Layer.BRIDGE, "ip": Layer.IP, "ip6": Layer.IP, "inet": Layer.IP}


@dataclass(slots=True)
class FrameFilters:
    """Asks the chains that see frames, of the namespaces on one way. Not a value: it remembers who has any."""

    netfilter: Netfilter
    _known: dict[str, frozenset[Layer]] = field(default_factory=dict)

    def _layers(self, here: Namespace) -> frozenset[Layer]:
        """The layers that a namespace has chains at."""
        found = self._known.get(here.key)
        if found is None:
            found = self._known[here.key] = frozenset(
                Layer.DEVICE if chain.hook in _OF_DEVICES else _LAYERS[chain.family]
                for chain in here.firewall.chains
                if chain.hook is not None
            )
        return found

    def comes_in(
        self, here: Namespace, packet: Packet, link: Link, port: Link | None, *, crosses: bool = False
    ) -> Packet | PacketEnding:
        """Take a frame in by an interface.

        :param link: the interface, a bridge where the frame comes by one
        :param port: the port of that bridge
        :param crosses: whether it only crosses the bridge, to another port
        """
        if not self._layers(here) & _OF_FRAMES:
            return packet
        devices = [port] if crosses and port is not None else [port, link] if port is not None else [link]
        found: Packet | PacketEnding = packet
        for device in devices:
            if isinstance(found, Packet):
                found = self._asked(here, (Hook.INGRESS,), replace(found, iif=device.name), Layer.DEVICE, found)
        if port is None or isinstance(found, PacketEnding):
            return found
        hooks = (Hook.PREROUTING,) if crosses else (Hook.PREROUTING, Hook.INPUT)
        return self._asked(here, hooks, replace(found, iif=port.name, bridge=link.name), Layer.BRIDGE, found)

    def crosses(self, bridged: Bridged, packet: Packet, out: Link | None) -> Packet | PacketEnding:
        """Pass a frame on from port to port.

        :param out: the port that it leaves by; None where that is not known
        """
        if not self._layers(bridged.namespace) & _OF_FRAMES:
            return packet
        name = out.name if out else None
        frame = replace(packet, iif=bridged.port.name, oif=name, bridge=bridged.bridge.name)
        hooks = (Hook.FORWARD, Hook.POSTROUTING)
        found = self._asked(bridged.namespace, hooks, frame, Layer.BRIDGE, packet)
        if isinstance(found, PacketEnding):
            return found
        return self._asked(bridged.namespace, (Hook.EGRESS,), replace(found, oif=name), Layer.DEVICE, found)

    def leaves(self, here: Namespace, packet: Packet, link: Link, out: Link | None) -> PacketEnding | None:
        """Send a frame out by an interface; None where nothing stops it.

        :param out: where the interface is a bridge: the port that the frame leaves by; None where that is not known
        """
        if not self._layers(here) & _OF_FRAMES:
            return None
        found = self._asked(here, (Hook.EGRESS,), replace(packet, oif=link.name), Layer.DEVICE, packet)
        if link.kind == "bridge" and isinstance(found, Packet):
            name = out.name if out else None
            frame = replace(found, iif="", oif=name, bridge=link.name)
            found = self._asked(here, (Hook.OUTPUT, Hook.POSTROUTING), frame, Layer.BRIDGE, found)
            if isinstance(found, Packet):
                found = self._asked(here, (Hook.EGRESS,), frame, Layer.DEVICE, found)
        return found if isinstance(found, PacketEnding) else None

    def neighbour(
        self, here: Namespace, link: Link, hop: Address, asker: Address, packet: Packet, station: Station
    ) -> PacketEnding | None:
        """Take the question for a neighbour and its answer past what filters them; None where they pass.

        For IPv4 that is ARP; for IPv6 it is ICMPv6, which conntrack does not track (net/netfilter/
        nf_conntrack_proto_icmpv6.c) and which passes the IP firewall.

        :param asker: the address that the question comes from
        """
        layer = Layer.ARP if hop.version == 4 else Layer.IP
        there, name = station.namespace, station.link.name
        asked = (here, there, *(bridged.namespace for bridged in station.bridges))
        if not any(self._layers(each) & {layer, Layer.BRIDGE} for each in asked):
            return None
        plain = replace(packet, source_port=None, destination_port=None, reply=False, status=frozenset(), mark=0)
        question = _question(plain, asker, hop)
        answer = _answer(plain, hop, asker)
        ways = ((here, link.name, there, name, question), (there, name, here, link.name, answer))
        for sender, out, receiver, into, frame in ways:
            for namespace, hooks, seen in (
                (sender, (Hook.OUTPUT, Hook.POSTROUTING), replace(frame, oif=out)),
                *self._bridges(station, frame, turned=frame is answer),
                (receiver, (Hook.PREROUTING, Hook.INPUT), replace(frame, iif=into)),
            ):
                of = Layer.BRIDGE if seen.bridge else layer
                found = self._asked(namespace, hooks, seen, of, packet)
                if isinstance(found, Dropped):
                    return NeighbourFiltered(found.trail, found.verdict, hop, seen, errno=errno.EHOSTUNREACH)
                if isinstance(found, PacketEnding):
                    return found
        return None

    @staticmethod
    def _bridges(
        station: Station, frame: Packet, *, turned: bool
    ) -> Iterable[tuple[Namespace, tuple[Hook, ...], Packet]]:
        """The bridges that such a frame crosses, with the hooks that it meets there: those of frames, those of IP."""
        hooks = (Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING)
        for bridged, out in zip(station.bridges, ports_out(station), strict=True):
            there, bridge = bridged.namespace, bridged.bridge.name
            ends = (bridged.port.name, out.name if out else None)
            iif, oif = reversed(ends) if turned else ends
            yield there, hooks, replace(frame, iif=iif, oif=oif, bridge=bridge)
            if frame.protocol == "icmpv6" and filters_bridges(there, 6):
                yield there, hooks, replace(frame, iif=bridge, oif=bridge, port_in=iif, port_out=oif)

    def _asked(
        self, here: Namespace, hooks: Iterable[Hook], frame: Packet, layer: Layer, packet: Packet
    ) -> Packet | PacketEnding:
        """The packet with the mark that the chains gave it, or the ending that they made of it."""
        if layer not in self._layers(here):
            return packet
        if layer is not Layer.IP:
            # Whether conntrack knows it there is not known: it may be asked at a bridge, and is not at a device.
            frame = replace(frame, state="")
        for hook in hooks:
            judged = judge(here.firewall, hook, frame, here, layer=layer)
            ending = self.netfilter.stopped(here, hook, judged, packet)
            if isinstance(ending, Rejected):
                if layer is Layer.IP:
                    return Dropped(
                        ending.trail, ending.verdict
                    )  # no question for a neighbour is answered with an error
                # It answers past the IP firewall, to the hardware address of the frame's sender (nft_reject_bridge.c).
                return Unknown(ending.trail, UnmodelledReject(ending.verdict, ending.answer))
            if ending is not None:
                return ending
            frame = judged.packet
        return replace(packet, mark=frame.mark)


def _question(packet: Packet, asker: Address, hop: Address) -> Packet:
    if hop.version == 4:
        return replace(packet, protocol="arp", source=asker, destination=hop)
    # The solicited-node multicast address (RFC 4291, 2.7.1).
    group = ipaddress.IPv6Address(int(ipaddress.IPv6Address("ff02::1:ff00:0")) | int(hop) & 0xFF_FFFF)
    return _discovery(packet, asker, group, _SOLICITATION)


def _answer(packet: Packet, hop: Address, asker: Address) -> Packet:
    if hop.version == 4:
        return replace(packet, protocol="arp", source=hop, destination=asker)
    return _discovery(packet, hop, asker, _ADVERTISEMENT)


def _discovery(packet: Packet, source: Address, destination: Address, kind: int) -> Packet:
    """A packet of neighbour discovery (RFC 4861, 4.3: hop limit 255, code 0)."""
    return replace(
        packet,
        source=source,
        destination=destination,
        protocol="icmpv6",
        icmp_type=kind,
        icmp_code=0,
        hop_limit=255,
        state="untracked",
        tracked=False,
        socket=False,
    )


def ports_out(station: Station) -> tuple[Link | None, ...]:
    """The port by which a frame to a station leaves each bridge on its way; None where that is not known."""
    if not station.bridges:
        return ()
    ahead = [(bridged.namespace, bridged.port) for bridged in station.bridges[1:]]
    ahead.append((station.namespace, station.port or station.link))
    return tuple(
        next(
            (
                port
                for port in bridged.namespace.links
                if port.master == bridged.bridge.index
                and port.peer is not None
                and (port.peer.namespace, port.peer.index) == (there.key, end.index)
            ),
            None,
        )
        for bridged, (there, end) in zip(station.bridges, ahead, strict=True)
    )
