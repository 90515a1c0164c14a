"""The way of one packet through network namespaces, and of its answer back, as Linux would take it. Pure.

Each hook, route and segment on the way is asked in the kernel's own order: for a packet of one's own route, OUTPUT,
POSTROUTING; for one that comes in PREROUTING, route, and then INPUT or FORWARD and POSTROUTING (nft(8), HOOKS).
Translations are remembered in each namespace and undone for the answer, as conntrack does.
"""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace
from typing import Final

from testbed.evidence import Act, Evidence, Hook, IpsecDirection, Link, Namespace, Protocol, RouteKind
from testbed.evidence.programs import only_holds
from testbed.model import Address
from testbed.predict import routing
from testbed.predict.answers import answer_to, icmp_error_to
from testbed.predict.ending import (
    Accepted,
    Hairpin,
    Held,
    Left,
    Martian,
    NoListener,
    NoRoute,
    NoSource,
    NotForwarded,
    NoTranslationAddress,
    PacketEnding,
    QueueFull,
    Rejected,
    Returned,
    Routed,
    RouteForbids,
    Unasked,
    Verdict,
)
from testbed.predict.firewall import Judged
from testbed.predict.frame_filters import FrameFilters, ports_out
from testbed.predict.icmp import forward_errno, own_errno
from testbed.predict.ingress import filters_bridges, loopback_refusal, source_refusal, takes_loopback
from testbed.predict.netfilter import Netfilter
from testbed.predict.next_hop import NextHop
from testbed.predict.packet import Packet
from testbed.predict.passing import ipsec_selects, stopped_on_loopback
from testbed.predict.policy_rules import Flow
from testbed.predict.routing import Chosen, look_up, setting
from testbed.predict.segment import Bridged
from testbed.predict.socket_lookup import listener_for, mapped
from testbed.predict.steps import Crossing, Delivery, Forwarding, RouteLookup, Step, Translation
from testbed.predict.unknown import RoutedInCircles, Unknown, UnmodelledAddress, UnmodelledRoute
from testbed.predict.walk_record import WalkRecord

_MOST_HOPS: Final = 16
_LOOPBACK: Final = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}


class PacketWalk:
    """One packet on its way. Not a value: it notes its steps as it goes.

    :param origin: the key of the namespace it starts in
    :param preference: which of several next hops packets take wherever the kernel's choice is not for sure: a number
        below the product of all those choices
    """

    def __init__(self, evidence: Evidence, origin: str, preference: int = 0) -> None:
        self.evidence = evidence
        self.origin = origin
        self.choices = 1
        """How many ways there were to choose from, all choices on the way taken together."""
        self._left = preference
        self._taken: dict[tuple[str, Address, bool], int] = {}
        """The choices so far: for one destination a namespace makes the same one again."""
        self._record = WalkRecord()
        self._netfilter = Netfilter(self._record, origin)
        self._frames = FrameFilters(self._netfilter)
        self._next_hop = NextHop(evidence, self._netfilter, self._frames)
        self._called: Address | None = None
        """The address that the sender called: no answer from anybody else is one to it."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._record.steps)

    def connect(self, protocol: Protocol, destination: Address, port: int) -> PacketEnding:
        """Send the first packet of a connection, and its answer back."""
        here = self.evidence.namespaces[self.origin]
        destination = mapped(destination)
        if destination.is_unspecified:
            destination = _LOOPBACK[destination.version]  # connect(2) to 0.0.0.0 is to oneself (ip(7))
        self._called = destination
        packet = Packet(destination, destination, str(protocol), None, port, socket=True)
        trail = self._record.trail(here, packet)
        chosen, source = self._first_route(here, packet)
        if chosen.unmodelled:
            return Unknown(trail, UnmodelledRoute(chosen.unmodelled))
        if chosen.forbidden_by is not None:
            return RouteForbids(trail, chosen.forbidden_by, errno=own_errno(chosen.forbidden_by))
        if chosen.kind is None:
            return self._no_route(here, packet)
        if chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
            return Unknown(trail, UnmodelledAddress(destination, chosen.kind))
        if source is None:
            return NoSource(trail, none_at_all=False, errno=errno.EADDRNOTAVAIL)
        self._record.steps.append(RouteLookup(here, destination, chosen, source))
        return self._send(here, replace(packet, source=source), chosen)

    def _first_route(self, here: Namespace, packet: Packet) -> tuple[Chosen, Address | None]:
        """The route and the source address of a connection's first packet.

        connect(2) looks the route of IPv4 up a second time, with the source address that the first one gave
        (include/net/route.h, ip_route_connect); that of IPv6 is looked up without (net/ipv6/ip6_output.c,
        ip6_dst_lookup_tail). Of several default routes the second one need not be the first one again: while it has
        heard of no gateway the kernel takes them in turn (net/ipv4/fib_semantics.c, fib_select_default).
        """
        chosen = self._choose(here, packet, source=None)
        source = routing.source_for(here, packet.destination, chosen)
        if packet.destination.version == 4 and source is not None and routing.heeds_source(here, chosen):
            chosen = self._choose(here, packet, source=source, again=True)
        return chosen, source

    def _choose(
        self, here: Namespace, packet: Packet, *, source: Address | None, incoming: str = "lo", again: bool = False
    ) -> Chosen:
        """The route of a packet.

        :param source: its source address, where it has one yet
        :param incoming: the interface that it came in by
        :param again: whether it is looked up a second time, now with its source address
        """
        flow = Flow(
            packet.destination,
            source,
            packet.mark,
            incoming,
            packet.protocol,
            packet.source_port,
            packet.destination_port,
        )
        chosen = look_up(here, flow)
        if chosen.choices == 1:
            return chosen
        key = (here.key, packet.destination, again)
        if key not in self._taken:
            self._left, self._taken[key] = divmod(self._left, chosen.choices)
            self.choices *= chosen.choices
        return look_up(here, flow, self._taken[key])

    def _no_route(self, here: Namespace, packet: Packet) -> PacketEnding:
        to, trail = packet.destination, self._record.trail(here, packet)
        if to.version == 6 and not any(routing.own_addresses(here, 6)):
            # Without any address choosing a source fails before the route does (net/ipv6/ip6_output.c).
            return NoSource(trail, none_at_all=True, errno=errno.EADDRNOTAVAIL)
        return NoRoute(trail, Routed.SENT, errno=errno.ENETUNREACH)

    # --- packets of one's own -----------------------------------------------------------------------------------------

    def _send(self, here: Namespace, packet: Packet, chosen: Chosen) -> PacketEnding:
        """A packet that a namespace makes itself: OUTPUT, perhaps another route, POSTROUTING, out."""
        before = packet
        packet = replace(packet, oif=chosen.link.name if chosen.link else "", iif="")
        judged = self._netfilter.judge(here, Hook.OUTPUT, packet)
        if stopped := self._stopped(here, Hook.OUTPUT, judged, packet):
            return stopped
        packet = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.REDIRECT:
                packet = replace(packet, destination=_LOOPBACK[packet.destination.version])
            self._translated(here, Hook.OUTPUT, before, packet, judged)
        if judged.translation is not None or packet.mark != before.mark:
            chosen = self._choose(here, packet, source=packet.source)
            if chosen.unmodelled:
                return Unknown(self._record.trail(here, packet), UnmodelledRoute(chosen.unmodelled))
            if chosen.forbidden_by is not None:
                return RouteForbids(self._record.trail(here, packet), chosen.forbidden_by)
            if chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
                return NoRoute(self._record.trail(here, packet), Routed.REWRITTEN)
        if chosen.link is not None and self._leaks_loopback(here, packet, chosen.link):
            return Martian(self._record.trail(here, packet), chosen.link, packet.source, leaving=True)
        return self._go_out(here, before, packet, chosen)

    @staticmethod
    def _leaks_loopback(here: Namespace, packet: Packet, link: Link) -> bool:
        """Tell if a loopback source would leave by a real interface (net/ipv4/route.c, __mkroute_output).

        IPv6 lets it leave, and nobody takes it; where it is translated its answer is not taken (ip6_route_input asks
        for ::1 at the interface that it came in by, rt6_need_strict).
        """
        loopback = packet.source.version == 4 and packet.source.is_loopback
        return loopback and link.name != "lo" and not takes_loopback(here, link.name)

    def _go_out(self, here: Namespace, before: Packet, packet: Packet, chosen: Chosen) -> PacketEnding:
        """POSTROUTING, and then the segment."""
        link = chosen.link
        if link is None:
            return Left(self._record.trail(here, packet), None, chosen.hop or packet.destination)
        if link.name != "lo" and (selected := ipsec_selects(self._record.trail(here, packet), IpsecDirection.OUT)):
            return selected
        leaving = self._before_leaving(here, before, packet, chosen, link)
        if isinstance(leaving, PacketEnding):
            return leaving
        return self._transmit(here, leaving, chosen, link)

    def _before_leaving(
        self, here: Namespace, before: Packet, packet: Packet, chosen: Chosen, link: Link
    ) -> Packet | PacketEnding:
        """POSTROUTING: filters, and what translates sources there; what happened here is noted for the answer."""
        packet = replace(packet, iif="", oif=link.name)
        judged = self._netfilter.judge(here, Hook.POSTROUTING, packet)
        if stopped := self._stopped(here, Hook.POSTROUTING, judged, packet, before=before):
            return stopped
        leaving = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.MASQUERADE:
                source = self._masqueraded(here, leaving, chosen, link)
                if source is None:
                    return NoTranslationAddress(self._record.trail(here, leaving), link, Act.MASQUERADE)
                leaving = replace(leaving, source=source)
            self._translated(here, Hook.POSTROUTING, packet, leaving, judged)
        if self._record.back:
            return self._netfilter.tracking.back_from_destination(here.key, leaving)
        self._netfilter.tracking.note(here.key, before, leaving)
        return leaving

    @staticmethod
    def _masqueraded(here: Namespace, packet: Packet, chosen: Chosen, link: Link) -> Address | None:
        """The outgoing interface's address nearest to the next hop (net/netfilter/nf_nat_masquerade.c)."""
        bare = Chosen(RouteKind.UNICAST, None, link)
        found = routing.source_for(here, chosen.hop or packet.destination, bare)
        own = set(routing.own_addresses(here, packet.source.version, link.index))
        return found if found in own else None

    # --- segments -----------------------------------------------------------------------------------------------------

    def _transmit(self, here: Namespace, packet: Packet, chosen: Chosen, link: Link) -> PacketEnding:
        if self._record.hops >= _MOST_HOPS:
            return Unknown(self._record.trail(here, packet), RoutedInCircles())
        self._record.leaves_by(link)
        if link.name == "lo":
            return stopped_on_loopback(self._record.trail(here, packet), link) or self._receive(here, link, packet)
        hop = chosen.hop or packet.destination
        station = self._next_hop.station(here, hop, packet, link)
        if isinstance(station, PacketEnding):
            unreachable = station.errno == errno.EHOSTUNREACH
            return self._answered_with_error(here, station, packet) if unreachable else station
        if stopped := self._frames.leaves(here, packet, link, station.out):
            return stopped
        for bridged, out in zip(station.bridges, ports_out(station), strict=True):
            crossed = self._cross_bridge(bridged, packet, out)
            if isinstance(crossed, PacketEnding):
                return crossed
            packet = crossed
        self._record.steps.append(Crossing(station.namespace, here, link, station, hop, back=self._record.back))
        return self._receive(station.namespace, station.link, packet, port=station.port)

    def _cross_bridge(self, bridged: Bridged, packet: Packet, out: Link | None) -> Packet | PacketEnding:
        """A frame from port to port passes the IP firewall too where bridge-nf-call-iptables is on (br_netfilter).

        What is rewritten to another destination there leaves the way that it was on (net/bridge/br_netfilter_hooks.c,
        br_nf_pre_routing_finish).

        :param out: the port that it leaves by; None where that is not known
        """
        there, bridge = bridged.namespace, bridged.bridge
        entered = self._frames.comes_in(there, packet, bridge, bridged.port, crosses=True)
        if isinstance(entered, PacketEnding):
            return entered
        crossed = self._cross_firewall(bridged, entered, out)
        return crossed if isinstance(crossed, PacketEnding) else self._frames.crosses(bridged, crossed, out)

    def _cross_firewall(self, bridged: Bridged, packet: Packet, out: Link | None) -> Packet | PacketEnding:
        """Take a frame that crosses a bridge through the IP firewall, where that is asked."""
        there, bridge = bridged.namespace, bridged.bridge
        if not filters_bridges(there, packet.destination.version) or not there.firewall.chains:
            return packet
        before = self._netfilter.comes_in(there, packet, bridge.name, port=bridged.port.name)
        came = self._before_route(there, bridge, before, looped=False)
        if isinstance(came, PacketEnding):
            return came
        if came.destination != before.destination:
            return self._routed(there, bridge, before, came, port=bridged.port)
        came = replace(came, oif=bridge.name, port_out=out.name if out else None)
        judged = self._netfilter.judge(there, Hook.FORWARD, came)
        if stopped := self._stopped(there, Hook.FORWARD, judged, came):
            return stopped
        leaving = self._before_leaving(there, before, judged.packet, Chosen(RouteKind.UNICAST, None, bridge), bridge)
        return leaving if isinstance(leaving, PacketEnding) else replace(leaving, iif="", oif="", mark=0)

    # --- packets that come in -----------------------------------------------------------------------------------------

    def _receive(self, here: Namespace, link: Link, packet: Packet, *, port: Link | None = None) -> PacketEnding:
        """PREROUTING, and then the route.

        :param port: where the link is a bridge, the port of it that the frame came in by
        """
        looped = link.name == "lo"
        entered = self._frames.comes_in(here, packet, link, port)
        if isinstance(entered, PacketEnding):
            return entered
        shown = port is not None and filters_bridges(here, packet.destination.version)
        packet = self._netfilter.comes_in(here, packet, link.name, port=port.name if port and shown else "")
        came = self._before_route(here, link, packet, looped=looped)
        if isinstance(came, PacketEnding):
            return came
        return self._routed(here, link, packet, came, port=port)

    def _before_route(self, here: Namespace, link: Link, packet: Packet, *, looped: bool) -> Packet | PacketEnding:
        """PREROUTING: filters, and what translates destinations there."""
        judged = self._netfilter.judge(here, Hook.PREROUTING, packet, translate=not looped)
        if stopped := self._stopped(here, Hook.PREROUTING, judged, packet):
            return stopped
        came = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.REDIRECT:
                own = next(routing.own_addresses(here, came.destination.version, link.index), None)
                if own is None:
                    return NoTranslationAddress(self._record.trail(here, came), link, Act.REDIRECT)
                came = replace(came, destination=own)
            self._translated(here, Hook.PREROUTING, packet, came, judged)
        return self._netfilter.tracking.back_to_source(here.key, came) if self._record.back else came

    def _routed(
        self, here: Namespace, link: Link, before: Packet, packet: Packet, *, port: Link | None
    ) -> PacketEnding:
        """The checks of addresses and the route: for this namespace, or onward."""
        looped = link.name == "lo"
        chosen = self._choose(here, packet, source=packet.source, incoming=link.name)
        if chosen.unmodelled:
            return Unknown(self._record.trail(here, packet), UnmodelledRoute(chosen.unmodelled))
        if not looped and (refused := self._refusal(here, link, packet, chosen)):
            return refused
        if chosen.kind is RouteKind.LOCAL:
            # What goes by lo counts as come in by the interface that has the address (net/ipv4/route.c,
            # ip_route_output_key_hash_rcu; net/ipv6/ip6_input.c, ip6_rcv_core).
            owner = chosen.route.link if looped and chosen.route else None
            return self._deliver(here, link, before, packet, arrived=link.index if owner is None else owner)
        rewritten = packet.destination != before.destination
        bridged = port is not None and rewritten and filters_bridges(here, packet.destination.version)
        # Without forwarding the route is one to nowhere, which is on no bridge (net/ipv4/route.c, ip_route_input_slow).
        bridged = bridged and self._forwards(here, link, packet)
        if bridged and chosen.kind is RouteKind.UNICAST and chosen.link == link:
            # Rewritten to somebody on the same bridge: a frame from port to port, which no host forwards.
            return self._pass_on(here, link, before, packet, chosen, entered=port)
        return self._forward(here, link, before, packet, chosen)

    def _refusal(self, here: Namespace, link: Link, packet: Packet, chosen: Chosen) -> PacketEnding | None:
        """The ending where a namespace takes no such packet from an interface; None where it does.

        Loopback addresses are looked at before the route, and the way back of the source after it: where there is no
        route, or where what is for somebody else is not passed on, that decides (net/ipv4/route.c,
        ip_route_input_slow).
        """
        trail = self._record.trail(here, packet)
        if refused := loopback_refusal(trail, link):
            return refused
        if chosen.kind is None or chosen.forbidden_by is not None:
            return None
        if chosen.kind is RouteKind.UNICAST and not self._forwards(here, link, packet):
            return NotForwarded(trail, link)
        direction = IpsecDirection.IN if chosen.kind is RouteKind.LOCAL else IpsecDirection.FORWARD
        return source_refusal(trail, link, chosen) or ipsec_selects(trail, direction)

    def _deliver(self, here: Namespace, link: Link, before: Packet, packet: Packet, *, arrived: int) -> PacketEnding:
        """INPUT, and then a socket or none.

        :param arrived: the ifindex that a socket has to be bound to, if to any (SO_BINDTODEVICE)
        """
        # The socket that an answer is for is looked up before INPUT (net/ipv4/tcp_ipv4.c, tcp_v4_early_demux).
        packet = replace(packet, socket=True) if self._record.back else packet
        judged = self._netfilter.judge(here, Hook.INPUT, packet, translate=link.name != "lo")
        if stopped := self._stopped(here, Hook.INPUT, judged, packet, before=before):
            return stopped
        packet = judged.packet
        if self._record.back:
            if here.key == self.origin:
                return self._came_back(here, packet)
            return NoRoute(self._record.trail(here, packet), Routed.STRAY_ANSWER)
        if link.name != "lo":
            self._netfilter.tracking.note(here.key, before, packet)
        protocol = Protocol(packet.protocol)
        listener = listener_for(here, protocol, packet.destination, packet.destination_port, arrived)
        trail = self._record.trail(here, packet)
        self._record.steps.append(Delivery(here, packet, listener))
        if listener is None:
            return self._answered_with_error(here, NoListener(trail, errno=errno.ECONNREFUSED), packet)
        if protocol is Protocol.TCP and listener.queue > listener.backlog:
            return QueueFull(trail, listener)
        return self._answered(here, packet, (Held if only_holds(listener) else Accepted)(trail, listener))

    def _came_back(self, here: Namespace, packet: Packet) -> PacketEnding:
        """The answer is where the question began: one to it, if it comes from whom that was for (RFC 9293, 3.10.7)."""
        trail, called = self._record.trail(here, packet), self._called
        source = self._netfilter.tracking.back_from_destination(here.key, packet).source
        if packet.source_port is not None and called is not None and source != called:
            return Unasked(trail, source, called)
        return Returned(trail)

    @staticmethod
    def _forwards(here: Namespace, link: Link, packet: Packet) -> bool:
        """Tell if a namespace passes on what comes in by an interface (ip-sysctl, forwarding)."""
        name = f"ipv4/conf/{link.name}/forwarding" if packet.destination.version == 4 else "ipv6/conf/all/forwarding"
        return bool(setting(here, name))

    def _forward(self, here: Namespace, link: Link, before: Packet, packet: Packet, chosen: Chosen) -> PacketEnding:
        """FORWARD, for what is not for this namespace, where it forwards at all."""
        trail = self._record.trail(here, packet)
        if not self._forwards(here, link, packet):
            return NotForwarded(trail, link)
        if chosen.kind is None or chosen.forbidden_by is not None:
            number = forward_errno(packet.destination.version, chosen.forbidden_by)
            ending: PacketEnding = NoRoute(trail, Routed.FORWARDED, errno=number)
            if chosen.forbidden_by is not None:
                ending = RouteForbids(trail, chosen.forbidden_by, errno=number)
            return ending if number is None else self._answered_with_error(here, ending, packet)
        if chosen.kind is not RouteKind.UNICAST:
            return Unknown(trail, UnmodelledAddress(packet.destination, chosen.kind))
        return self._pass_on(here, link, before, packet, chosen)

    def _pass_on(
        self,
        here: Namespace,
        link: Link,
        before: Packet,
        packet: Packet,
        chosen: Chosen,
        *,
        entered: Link | None = None,
    ) -> PacketEnding:
        """FORWARD, and out.

        :param entered: for a frame from port to port: the one that it came in by. A bridge looks at the ports before it
            calls any hook (net/bridge/br_forward.c, should_deliver)
        """
        if entered is not None and not entered.hairpin:
            port = self._next_hop.port(here, chosen.hop or packet.destination, packet, link)
            if port == entered:
                return Hairpin(self._record.trail(here, packet), link, entered)
        out = chosen.link.name if chosen.link else ""
        forwarded = replace(packet, oif=out)
        judged = self._netfilter.judge(here, Hook.FORWARD, forwarded)
        if stopped := self._stopped(here, Hook.FORWARD, judged, forwarded, before=before, bridged=entered is not None):
            return stopped
        self._record.steps.append(Forwarding(here, link, chosen, back=self._record.back))
        return self._go_out(here, before, replace(judged.packet, iif=""), chosen)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _stopped(
        self,
        here: Namespace,
        hook: Hook,
        judged: Judged,
        packet: Packet,
        *,
        before: Packet | None = None,
        bridged: bool = False,
    ) -> PacketEnding | None:
        """The ending that a verdict makes, after what is answered; None for one that lets the packet pass.

        :param before: the packet as it came, where it may have been rewritten here: the answer is put back by that
        :param bridged: whether it was rewritten on its way from port to port of a bridge
        """
        ending = self._netfilter.stopped(here, hook, judged, packet, bridged=bridged)
        if not isinstance(ending, Rejected) or ending.not_undone:
            return ending
        if before is not None and not self._record.back:
            self._netfilter.tracking.note(here.key, before, packet)
        return self._answered_with_error(here, ending, packet)

    def _answered_with_error(self, here: Namespace, ending: PacketEnding, packet: Packet) -> PacketEnding:
        """An ending that the namespace reports to the sender: by a reset or by ICMP, which has to find its way back.

        That way is by lo, OUTPUT and INPUT for a process of this very namespace (net/ipv4/route.c, ipv4_link_failure).
        """
        if isinstance(ending, Rejected):
            icmp = ending.answer != "tcp-reset"
        else:
            icmp = not isinstance(ending, NoListener) or packet.protocol != Protocol.TCP
        return self._answered(here, packet, ending, icmp=icmp)

    def _answered(self, here: Namespace, packet: Packet, ending: PacketEnding, *, icmp: bool = False) -> PacketEnding:
        """Send the answer back; where it gets lost the connection times out, and that is the ending."""
        if self._record.back:
            return ending
        self._record.turns_back()
        self._netfilter.tracking.answer_seen(here.key)
        answer = icmp_error_to(here, packet, ending) if icmp else answer_to(packet, ending)
        if self._netfilter.tracking.passed_over(here.key):
            answer = replace(answer, state="invalid")
        chosen = self._choose(here, answer, source=answer.source)
        if chosen.unmodelled:
            return Unknown(self._record.trail(here, answer), UnmodelledRoute(chosen.unmodelled), there=ending)
        if chosen.forbidden_by is not None:
            return RouteForbids(self._record.trail(here, answer), chosen.forbidden_by, there=ending)
        if chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
            return NoRoute(self._record.trail(here, answer), Routed.ANSWER, there=ending)
        arrived = self._send(here, answer, chosen)
        if not isinstance(arrived, Returned):
            return replace(arrived, there=ending)
        if isinstance(ending, Accepted):
            ending = self._netfilter.later_packets(packet, ending) or ending
        return replace(ending, trail=replace(ending.trail, path_back=arrived.trail.path_back))

    def _translated(self, here: Namespace, hook: Hook, before: Packet, after: Packet, judged: Judged) -> None:
        """Note a translation, and the rule that made it."""
        by = Verdict(hook, *judged.translated_by) if judged.translated_by else None
        if by is not None and not self._record.back:
            self._record.rewritten_by.append(by)
        self._netfilter.tracking.translated(here.key, before, after)
        self._record.steps.append(Translation(here, before, after, by, back=self._record.back))
