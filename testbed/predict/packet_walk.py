"""The way of one packet through network namespaces, and of its answer back, as Linux would take it. Pure.

Each hook, route and segment on the way is asked in the kernel's own order: for a packet of one's own route, OUTPUT,
POSTROUTING; for one that comes in PREROUTING, route, and then INPUT or FORWARD and POSTROUTING (nft(8), HOOKS).
Translations are remembered in each namespace and undone for the answer, as conntrack does.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from testbed.evidence import Act, Chain, Evidence, Hook, Link, Listener, Namespace, Protocol, RouteKind, Ruleset
from testbed.evidence.programs import only_holds
from testbed.model import Address, bracketed
from testbed.predict import routing
from testbed.predict.conntrack import Tracking
from testbed.predict.disposition import Ending, Verdict
from testbed.predict.firewall import Judged, Packet, judge
from testbed.predict.icmp import REJECT_ERRNO, ROUTE_ERRNO, forward_errno
from testbed.predict.ingress import filters_bridges, refusal, takes_loopback
from testbed.predict.prediction import Disposition, Step, StepKind
from testbed.predict.routing import Chosen, choose, setting
from testbed.predict.segment import Bridged, Reached, Station, believed, who_has
from testbed.predict.socket_lookup import listener_for, mapped
from testbed.predict.wording import rewriting, route_row, sending

_MOST_HOPS: Final = 16
_LOOPBACK: Final = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}


@dataclass
class PacketWalk:
    """One packet on its way. Not a value: it notes its steps as it goes."""

    evidence: Evidence
    origin: str
    """The key of the namespace it starts in."""
    preference: int = 0
    """Which of several routes that are as good as each other its own packets take."""
    choices: int = 1
    """How many such routes there are, at the most, wherever there was a choice."""
    steps: list[Step] = field(default_factory=list)
    _back: bool = False
    _introduced: set[Address] = field(default_factory=set)
    """Who asked for a neighbour on the way there: whoever was asked knows him for the way back."""
    _hops: int = 0
    _path: list[Link] = field(default_factory=list)
    _path_back: list[Link] = field(default_factory=list)
    _tracking: Tracking = field(default_factory=Tracking)
    _called: Address | None = None
    """Whom the sender called: no answer from anybody else is one to it."""
    _asked: list[tuple[Namespace, Hook, Packet]] = field(default_factory=list)
    """What each firewall was asked on the way there."""

    def connect(self, protocol: Protocol, destination: Address, port: int) -> Ending:
        """Send the first packet of a connection, and its answer back."""
        here = self.evidence.namespaces[self.origin]
        destination = mapped(destination)
        if destination.is_unspecified:
            destination = _LOOPBACK[destination.version]  # connect(2) to 0.0.0.0 is to oneself (ip(7))
        self._called = destination
        packet = Packet(destination, destination, str(protocol), None, port)
        chosen = self._choose(here, destination)
        if chosen.unknown:
            return self._ended(here, Disposition.UNKNOWN, chosen.unknown, None, packet)
        source = routing.source_for(here, destination, chosen)
        if chosen.kind is None or chosen.kind in ROUTE_ERRNO:
            return self._no_route(here, chosen, packet)
        if chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
            return self._ended(here, Disposition.UNKNOWN, f"{destination} is a {chosen.kind} address", None, packet)
        if source is None:
            why = f"{here.label} has no IPv{destination.version} address to send from"
            return self._ended(here, Disposition.NO_SOURCE, why, errno.EADDRNOTAVAIL, packet)
        self._note(here, StepKind.ROUTE, sending(here.label, destination, chosen, source), row=route_row(chosen))
        return self._send(here, replace(packet, source=source), chosen)

    def _choose(self, here: Namespace, destination: Address, *, source: Address | None = None, mark: int = 0) -> Chosen:
        """The route of a packet of a namespace's own."""
        chosen = choose(here, destination, source=source, mark=mark, preference=self.preference)
        self.choices = max(self.choices, chosen.choices)
        return chosen

    def _no_route(self, here: Namespace, chosen: Chosen, packet: Packet) -> Ending:
        to = packet.destination
        if chosen.kind is not None:
            why = f"a {chosen.kind} route of {here.label} forbids {to}"
            return self._ended(here, Disposition.ROUTE_FORBIDS, why, ROUTE_ERRNO[chosen.kind], packet)
        if to.version == 6 and not any(routing.own_addresses(here, 6)):
            # Without any address choosing a source fails before the route does (net/ipv6/ip6_output.c).
            why = f"{here.label} has no IPv6 address at all, not even ::1"
            return self._ended(here, Disposition.NO_SOURCE, why, errno.EADDRNOTAVAIL, packet)
        return self._ended(here, Disposition.NO_ROUTE, f"{here.label} has no route to {to}", errno.ENETUNREACH, packet)

    # --- packets of one's own -----------------------------------------------------------------------------------------

    def _send(self, here: Namespace, packet: Packet, chosen: Chosen) -> Ending:
        """A packet that a namespace makes itself: OUTPUT, perhaps another route, POSTROUTING, out."""
        before = packet
        packet = replace(packet, oif=chosen.link.name if chosen.link else "", iif="")
        judged = self._judge(here, Hook.OUTPUT, packet)
        if stopped := self._stopped(here, Hook.OUTPUT, judged, packet):
            return stopped
        packet = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.REDIRECT:
                packet = replace(packet, destination=_LOOPBACK[packet.destination.version])
            self._note(here, StepKind.TRANSLATE, rewriting(here.label, packet), row=_translating(judged))
        if judged.translation is not None or packet.mark != before.mark:
            chosen = self._choose(here, packet.destination, source=packet.source, mark=packet.mark)
            if chosen.unknown or chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
                why = chosen.unknown or f"{here.label} has no route to {packet.destination}, which it was rewritten to"
                return self._ended(
                    here, Disposition.UNKNOWN if chosen.unknown else Disposition.NO_ROUTE, why, None, packet
                )
        if self._leaks_loopback(here, packet, chosen):
            why = f"{packet.source} of {here.label} may not leave by {packet.oif} (route_localnet is 0)"
            return self._ended(here, Disposition.MARTIAN, why, None, packet)
        return self._go_out(here, before, packet, chosen)

    def _leaks_loopback(self, here: Namespace, packet: Packet, chosen: Chosen) -> bool:
        """Whether a loopback source would leave by a real interface (net/ipv4/route.c, __mkroute_output)."""
        link = chosen.link
        if link is None or link.name == "lo" or not packet.source.is_loopback:
            return False
        return packet.source.version == 6 or not takes_loopback(here, link.name)

    def _go_out(
        self,
        here: Namespace,
        before: Packet,
        packet: Packet,
        chosen: Chosen,
    ) -> Ending:
        """POSTROUTING, and then the segment."""
        link = chosen.link
        if link is None:
            return self._ended(
                here, Disposition.LEFT, f"the route of {here.label} leads out of the picture", None, packet
            )
        leaving = self._before_leaving(here, before, packet, chosen, link)
        if isinstance(leaving, Ending):
            return leaving
        return self._transmit(here, leaving, chosen, link)

    def _before_leaving(
        self, here: Namespace, before: Packet, packet: Packet, chosen: Chosen, link: Link
    ) -> Packet | Ending:
        """POSTROUTING: filters, and what translates sources there; what happened here is noted for the answer."""
        packet = replace(packet, iif="", oif=link.name)
        judged = self._judge(here, Hook.POSTROUTING, packet)
        if stopped := self._stopped(here, Hook.POSTROUTING, judged, packet, before=before):
            return stopped
        packet = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.MASQUERADE:
                source = self._masqueraded(here, packet, chosen, link)
                if source is None:
                    why = f"{link.name} of {here.label} has no address to masquerade behind"
                    return self._ended(here, Disposition.DROPPED, why, None, packet, link=link)
                packet = replace(packet, source=source)
            self._note(here, StepKind.TRANSLATE, rewriting(here.label, packet), row=_translating(judged))
        if self._back:
            return self._tracking.back_from_destination(here.key, packet)
        self._tracking.note(here.key, before, packet)
        return packet

    def _masqueraded(self, here: Namespace, packet: Packet, chosen: Chosen, link: Link) -> Address | None:
        """The outgoing interface's address nearest to the next hop (net/netfilter/nf_nat_masquerade.c)."""
        bare = Chosen(RouteKind.UNICAST, None, link)
        found = routing.source_for(here, chosen.hop or packet.destination, bare)
        own = set(routing.own_addresses(here, packet.source.version, link.index))
        return found if found in own else None

    # --- segments -----------------------------------------------------------------------------------------------------

    def _transmit(
        self,
        here: Namespace,
        packet: Packet,
        chosen: Chosen,
        link: Link,
    ) -> Ending:
        self._hops += 1
        if self._hops > _MOST_HOPS:
            return self._ended(here, Disposition.UNKNOWN, f"{packet.destination} goes in circles", None, packet)
        (self._path_back if self._back else self._path).append(link)
        if link.name == "lo":
            return self._receive(here, link, packet)
        hop = chosen.hop or packet.destination
        station = self._station(here, hop, packet, link)
        if isinstance(station, Ending):
            return station
        for bridged in station.bridges:
            crossed = self._cross_bridge(bridged, packet)
            if isinstance(crossed, Ending):
                return crossed
            packet = crossed
        through = "".join(f", across {b.bridge.name} of {b.namespace.label}," for b in station.bridges)
        text = f"{link.name} of {here.label} leads{through} to {station.link.name} of {station.namespace.label}"
        self._note(station.namespace, StepKind.CROSS, text, row=f"{hop} is at {station.link.mac}")
        return self._receive(station.namespace, station.link, packet, port=station.port)

    def _station(self, here: Namespace, hop: Address, packet: Packet, link: Link) -> Station | Ending:
        """Who takes the packet on the segment."""
        if link.holder:
            why = f"{link.name} of {here.label} is held by {link.holder}, which takes the connection over"
            return self._ended(here, Disposition.LEFT, why, None, packet, link=link)
        reached = self._ask(here, hop, packet, link)
        doubted = reached.believed is not None and hop not in self._introduced
        if doubted and reached.stations and not self._caught(reached, packet):
            why = f"{here.label} believes that {hop} is at {reached.believed}, which nobody on {link.name} has"
            return self._ended(here, Disposition.STALE_NEIGHBOUR, why, None, packet, link=link)
        if not reached.stations and reached.outside:
            why = f"{hop} is beyond {link.name} of {here.label}, which the picture does not show"
            return self._ended(here, Disposition.LEFT, why, None, packet, link=link)
        if not reached.stations:
            why = f"nobody answers for {hop} on {link.name} of {here.label}"
            return self._answered_with_error(here, Disposition.NO_NEIGHBOUR, why, errno.EHOSTUNREACH, packet, link=link)
        if len(reached.stations) > 1:
            names = " and ".join(station.namespace.label for station in reached.stations)
            why = f"{names} both answer for {hop} on {link.name} of {here.label}"
            return self._ended(here, Disposition.UNKNOWN, why, None, packet, link=link)
        return reached.stations[0]

    def _ask(self, here: Namespace, hop: Address, packet: Packet, link: Link) -> Reached:
        """Ask a segment who has an address.

        Of what is forwarded the question does not name the source (net/ipv4/arp.c, arp_solicit).
        """
        sender = packet.source if routing.is_local(here, packet.source) else None
        asker = sender or routing.source_for(here, hop, Chosen(RouteKind.UNICAST, None, link)) or packet.source
        if not self._back and believed(here, link, hop) is None:
            # Who is asked takes down who asks (net/ipv4/arp.c, arp_process), and knows him when he answers.
            self._introduced.add(asker)
        return who_has(self.evidence, here, link, hop, asker)

    def _caught(self, reached: Reached, packet: Packet) -> bool:
        """Whether a bridge takes a frame for its host, whoever it is for: where the firewall there rewrites the packet.

        The firewall comes before the bridge looks for the hardware address (net/bridge/br_netfilter_hooks.c).
        """
        for there, bridge in (entered for station in reached.stations for entered in _entered(station)):
            incoming = replace(packet, iif=bridge.name, oif="", state=self._state(there, packet))
            if filters_bridges(there, packet.destination.version):
                judged = self._judge(there, Hook.PREROUTING, incoming)
                if judged.packet.destination != packet.destination:
                    return True
        return False

    def _leaves_by(self, here: Namespace, packet: Packet, chosen: Chosen, bridge: Link) -> Link | None:
        """The port of a bridge that leads to where a packet goes; None where it is none, or not known."""
        stations = self._ask(here, chosen.hop or packet.destination, packet, bridge).stations
        return stations[0].out if len(stations) == 1 else None

    def _cross_bridge(self, bridged: Bridged, packet: Packet) -> Packet | Ending:
        """A frame from port to port passes the IP firewall too where bridge-nf-call-iptables is on (br_netfilter).

        What is rewritten to another destination there leaves the way that it was on (net/bridge/br_netfilter_hooks.c,
        br_nf_pre_routing_finish).
        """
        there, bridge = bridged.namespace, bridged.bridge
        if unclear := _with_rules(there, lambda chain: chain.family == "bridge"):
            why = f"{there.label} has firewall rules of the bridge family, which are not modelled"
            return self._ended(there, Disposition.UNKNOWN, why, None, packet, by=Verdict(Hook.FORWARD, unclear, None))
        if not filters_bridges(there, packet.destination.version) or not there.firewall.chains:
            return packet
        before = replace(packet, iif=bridge.name, oif="", mark=0, state=self._state(there, packet))
        came = self._before_route(there, bridge, before, looped=False)
        if isinstance(came, Ending):
            return came
        if came.destination != before.destination:
            return self._routed(there, bridge, before, came, port=bridged.port)
        judged = self._judge(there, Hook.FORWARD, replace(came, oif=bridge.name))
        if stopped := self._stopped(there, Hook.FORWARD, judged, came):
            return stopped
        leaving = self._before_leaving(there, before, judged.packet, Chosen(RouteKind.UNICAST, None, bridge), bridge)
        return leaving if isinstance(leaving, Ending) else replace(leaving, iif="", oif="", mark=0)

    # --- packets that come in -----------------------------------------------------------------------------------------

    def _receive(self, here: Namespace, link: Link, packet: Packet, *, port: Link | None = None) -> Ending:
        """PREROUTING, and then the route.

        :param port: where the link is a bridge, the port of it that the frame came in by
        """
        looped = link.name == "lo"
        packet = replace(
            packet, iif=link.name, oif="", mark=packet.mark if looped else 0, state=self._state(here, packet)
        )
        came = self._before_route(here, link, packet, looped=looped)
        if isinstance(came, Ending):
            return came
        return self._routed(here, link, packet, came, port=port)

    def _before_route(self, here: Namespace, link: Link, packet: Packet, *, looped: bool) -> Packet | Ending:
        """PREROUTING: filters, and what translates destinations there."""
        if unclear := _with_rules(here, lambda chain: chain.hook is Hook.INGRESS):
            why = f"{here.label} has firewall rules at an interface itself (ingress), which are not modelled"
            return self._ended(here, Disposition.UNKNOWN, why, None, packet, by=Verdict(Hook.INGRESS, unclear, None))
        judged = self._judge(here, Hook.PREROUTING, packet, translate=not looped)
        if stopped := self._stopped(here, Hook.PREROUTING, judged, packet):
            return stopped
        packet = judged.packet
        if judged.translation is not None:
            if judged.translation.act is Act.REDIRECT:
                own = next(routing.own_addresses(here, packet.destination.version, link.index), None)
                if own is None:
                    return self._ended(
                        here, Disposition.DROPPED, f"{link.name} has no address to redirect to", None, packet
                    )
                packet = replace(packet, destination=own)
            self._note(here, StepKind.TRANSLATE, rewriting(here.label, packet), row=_translating(judged))
        return self._tracking.back_to_source(here.key, packet) if self._back else packet

    def _routed(self, here: Namespace, link: Link, before: Packet, packet: Packet, *, port: Link | None) -> Ending:
        """The checks of addresses and the route: for this namespace, or onward."""
        looped = link.name == "lo"
        chosen = choose(here, packet.destination, source=packet.source, mark=packet.mark, incoming=link.name)
        if chosen.unknown:
            return self._ended(here, Disposition.UNKNOWN, chosen.unknown, None, packet)
        if not looped and (refused := refusal(here, link, packet, chosen)):
            return self._ended(here, *refused, None, packet, link=link)
        if chosen.kind is RouteKind.LOCAL:
            return self._deliver(here, link, before, packet)
        rewritten = packet.destination != before.destination
        bridged = port is not None and rewritten and filters_bridges(here, packet.destination.version)
        # Without forwarding the route is one to nowhere, which is on no bridge (net/ipv4/route.c, ip_route_input_slow).
        bridged = bridged and self._forwards(here, link, packet)
        if bridged and chosen.kind is RouteKind.UNICAST and chosen.link == link:
            # Rewritten to somebody on the same bridge: a frame from port to port, which no host forwards.
            return self._pass_on(here, link, before, packet, chosen, entered=port)
        return self._forward(here, link, before, packet, chosen)

    def _deliver(self, here: Namespace, link: Link, before: Packet, packet: Packet) -> Ending:
        """INPUT, and then a socket or none."""
        judged = self._judge(here, Hook.INPUT, packet)
        if stopped := self._stopped(here, Hook.INPUT, judged, packet, before=before):
            return stopped
        packet = judged.packet
        if self._back:
            if here.key == self.origin:
                return self._came_back(here, packet)
            why = f"the answer to {packet.destination} goes to {here.label}, which did not ask"
            return self._ended(here, Disposition.NO_ROUTE, why, None, packet)
        if link.name != "lo":
            self._tracking.note(here.key, before, packet)
        assert packet.destination_port is not None
        protocol = Protocol(packet.protocol)
        listener = listener_for(here, protocol, packet.destination, packet.destination_port, link.index)
        at = f"{bracketed(str(packet.destination))}:{packet.destination_port}"
        if listener is None:
            why = f"{packet.destination} is {here.label}'s own, and nothing there takes {protocol} for {at}"
            self._note(here, StepKind.DELIVER, why)
            return self._answered_with_error(here, Disposition.NO_LISTENER, why, errno.ECONNREFUSED, packet)
        who = f" ({listener.process.name}, pid {listener.process.pid})" if listener.process else ""
        bound = f"{bracketed(str(listener.address))}:{listener.port}"
        self._note(here, StepKind.DELIVER, f"{here.label} listens on {bound}{who}, which takes {at}", row=bound)
        if protocol is Protocol.TCP and listener.queue > listener.backlog:
            full = f"{listener.queue} connections waiting and takes at most {listener.backlog}"
            why = f"{bound} of {here.label}{who} has {full}"
            return self._ended(here, Disposition.QUEUE_FULL, why, None, packet, listener=listener)
        held = only_holds(listener)
        what = "holds the port and never accepts" if held else "accepts"
        ending = self._ended(
            here,
            Disposition.HELD if held else Disposition.ACCEPTED,
            f"{bound} of {here.label}{who} {what}",
            None,
            packet,
            listener=listener,
        )
        return self._answered(here, packet, ending)

    def _came_back(self, here: Namespace, packet: Packet) -> Ending:
        """The answer is where the question began: one to it, if it comes from whom that was for (RFC 9293, 3.10.7)."""
        source = self._tracking.back_from_destination(here.key, packet).source
        if packet.source_port is not None and source != self._called:
            why = f"the answer comes from {source}, and {here.label} called {self._called}: it takes no notice"
            return self._ended(here, Disposition.UNASKED, why, None, packet)
        return self._ended(here, Disposition.ACCEPTED, "the answer is back", None, packet)

    @staticmethod
    def _forwards(here: Namespace, link: Link, packet: Packet) -> bool:
        """Whether a namespace passes on what comes in by an interface (ip-sysctl, forwarding)."""
        name = f"ipv4/conf/{link.name}/forwarding" if packet.destination.version == 4 else "ipv6/conf/all/forwarding"
        return bool(setting(here, name))

    def _forward(self, here: Namespace, link: Link, before: Packet, packet: Packet, chosen: Chosen) -> Ending:
        """FORWARD, for what is not for this namespace, where it forwards at all."""
        version = packet.destination.version
        if not self._forwards(here, link, packet):
            why = f"{packet.destination} is not {here.label}'s own, and it forwards nothing that {link.name} brings"
            return self._ended(here, Disposition.NOT_FORWARDED, why, None, packet, link=link)
        if chosen.kind is not RouteKind.UNICAST:
            number = forward_errno(version, chosen.kind)
            kind = Disposition.NO_ROUTE if chosen.kind is None else Disposition.ROUTE_FORBIDS
            why = (
                f"{here.label}, on the way, has no route to {packet.destination}"
                if chosen.kind is None
                else f"a {chosen.kind} route of {here.label} forbids {packet.destination}"
            )
            if number is None:
                return self._ended(here, kind, why, None, packet)
            return self._answered_with_error(here, kind, why, number, packet)
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
    ) -> Ending:
        """FORWARD, and out.

        :param entered: for a frame from port to port: the one that it came in by. A bridge looks at the ports before it
            calls any hook (net/bridge/br_forward.c, should_deliver)
        """
        if entered is not None and not entered.hairpin and self._leaves_by(here, packet, chosen, link) == entered:
            why = f"{link.name} of {here.label} sends nothing back by the port that it came in by ({entered.name})"
            return self._ended(here, Disposition.HAIRPIN, why, None, packet, link=link)
        out = chosen.link.name if chosen.link else ""
        forwarded = replace(packet, oif=out)
        judged = self._judge(here, Hook.FORWARD, forwarded)
        if stopped := self._stopped(here, Hook.FORWARD, judged, forwarded, before=before, bridged=entered is not None):
            return stopped
        self._note(here, StepKind.FORWARD, f"{here.label} forwards from {link.name} to {out}", row=route_row(chosen))
        return self._go_out(here, before, replace(judged.packet, iif=""), chosen)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _answered_with_error(
        self,
        here: Namespace,
        end: Disposition,
        why: str,
        number: int,
        packet: Packet,
        *,
        link: Link | None = None,
        by: Verdict | None = None,
        reset: bool = False,
    ) -> Ending:
        """An ending that the namespace reports to the sender: by a reset or by ICMP, which has to find its way back.

        That way is by lo, OUTPUT and INPUT for a process of this very namespace (net/ipv4/route.c, ipv4_link_failure).
        """
        ending = self._ended(here, end, why, number, packet, link=link, by=by)
        if self._back:
            return ending
        if reset or (end is Disposition.NO_LISTENER and packet.protocol == Protocol.TCP):
            return self._answered(here, packet, ending)
        return self._answered(here, packet, ending, icmp=True)

    def _answered(self, here: Namespace, packet: Packet, ending: Ending, *, icmp: bool = False) -> Ending:
        """Send the answer back; where it gets lost the connection times out, and that is the ending."""
        if self._back:
            return ending
        self._back = True
        self._hops = 0
        version = packet.source.version
        answer = replace(
            packet,
            source=packet.destination,
            destination=packet.source,
            source_port=packet.destination_port,
            destination_port=packet.source_port,
            iif="",
            mark=0,
            flags=frozenset({"syn", "ack"}) if ending.errno is None else frozenset({"rst", "ack"}),
            state="established",
        )
        if icmp:
            own = self._icmp_source(here, packet)
            protocol = "icmp" if version == 4 else "icmpv6"
            answer = replace(
                answer, source=own, protocol=protocol, source_port=None, destination_port=None, state="related"
            )
        elif ending.end is Disposition.REJECTED:
            answer = replace(answer, state="related")
        chosen = self._choose(here, answer.destination, source=answer.source)
        if chosen.kind not in (RouteKind.UNICAST, RouteKind.LOCAL):
            why = chosen.unknown or f"{ending.why}, and {here.label} has no route back to {answer.destination}"
            kind = Disposition.UNKNOWN if chosen.unknown else Disposition.NO_ROUTE
            return self._ended(here, kind, why, None, answer, listener=ending.listener)
        arrived = self._send(here, answer, chosen)
        if arrived.end is Disposition.ACCEPTED:
            later = self._later_packets(packet) if ending.errno is None and packet.protocol == Protocol.TCP else None
            return replace(later or ending, path_back=arrived.path_back)
        return replace(arrived, listener=ending.listener)

    def _icmp_source(self, here: Namespace, packet: Packet) -> Address:
        """The address that an ICMP error comes from: the one that the packet was for, or that of the way back."""
        if routing.is_local(here, packet.destination):
            return packet.destination
        back = choose(here, packet.source)
        return routing.source_for(here, packet.source, back) or packet.destination

    def _state(self, here: Namespace, packet: Packet) -> str:
        """What conntrack calls a packet: an answer that it has not seen the question of is invalid."""
        if not self._back:
            return packet.state
        if here.key != self.origin and not self._tracking.knows(here.key):
            return "invalid"
        return "related" if packet.protocol in ("icmp", "icmpv6") else "established"

    # --- the firewall -------------------------------------------------------------------------------------------------

    def _judge(self, here: Namespace, hook: Hook, packet: Packet, *, translate: bool = True) -> Judged:
        rules = here.firewall
        if not rules.chains:
            return Judged(Act.ACCEPT, packet)
        if not translate:
            rules = Ruleset(tuple(chain for chain in rules.chains if chain.kind != "nat"))
        packet = replace(
            packet,
            source_type=routing.address_type(here, packet.source),
            destination_type=routing.address_type(here, packet.destination),
            status=self._tracking.status(here.key),
        )
        if not self._back:
            self._asked.append((here, hook, packet))
        return judge(rules, hook, packet)

    def _later_packets(self, packet: Packet) -> Ending | None:
        """The ending where a firewall lets the first packet pass and not those that follow; None where it lets all.

        Whoever connects then sees a connection, and nothing of it arrives: what becomes of it is not modelled.
        """
        for here, hook, asked in self._asked:
            rules = Ruleset(tuple(chain for chain in here.firewall.chains if chain.kind != "nat"))
            judged = judge(rules, hook, replace(asked, state="established", flags=frozenset({"ack"})))
            if judged.verdict is not Act.ACCEPT:
                what = judged.rule.text if judged.rule else "its policy"
                why = f"{str(hook).upper()} of {here.label} lets the first packet pass and stops the next ones: {what}"
                return self._ended(
                    here, Disposition.UNKNOWN, why, None, packet, by=Verdict(hook, judged.chain, judged.rule)
                )
        return None

    def _stopped(
        self,
        here: Namespace,
        hook: Hook,
        judged: Judged,
        packet: Packet,
        *,
        before: Packet | None = None,
        bridged: bool = False,
    ) -> Ending | None:
        """The ending that a verdict makes; None for one that lets the packet pass.

        :param before: the packet as it came, where it may have been rewritten here: the answer is put back by that
        :param bridged: whether it was rewritten on its way from port to port of a bridge: a reset then goes out by the
            port that it came in by, past conntrack (net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset)
        """
        if judged.verdict is Act.ACCEPT:
            return None
        by = Verdict(hook, judged.chain, judged.rule)
        what = judged.rule.text if judged.rule else f"the policy of {judged.chain.name if judged.chain else hook}"
        at = f"{str(hook).upper()} of {here.label}"
        if judged.verdict is Act.UNKNOWN:
            why = f"whether {at} lets it pass depends on what is not modelled: {what}"
            return self._ended(here, Disposition.UNKNOWN, why, None, packet, by=by)
        word = "drops" if judged.verdict is Act.DROP else "rejects"
        self._note(here, StepKind.FILTER, f"{at} {word} it", row=what)
        why = f"a firewall rule in {at} {word} it: {what}"
        if judged.verdict is Act.DROP:
            return self._ended(here, Disposition.DROPPED, why, None, packet, by=by)
        number = REJECT_ERRNO.get(judged.argument)
        if number is None:
            why = f"what {at} answers with {judged.argument!r} is not modelled"
            return self._ended(here, Disposition.UNKNOWN, why, None, packet, by=by)
        reset = judged.argument == "tcp-reset"
        if reset and bridged and not self._back:
            why += f"; its reset comes from {packet.destination}, which was not called"
            return self._ended(here, Disposition.REJECTED, why, None, packet, by=by)
        if before is not None and not self._back:
            self._tracking.note(here.key, before, packet)
        return self._answered_with_error(here, Disposition.REJECTED, why, number, packet, by=by, reset=reset)

    # --- notes --------------------------------------------------------------------------------------------------------

    def _ended(
        self,
        here: Namespace,
        end: Disposition,
        why: str,
        number: int | None,
        packet: Packet,
        *,
        listener: Listener | None = None,
        by: Verdict | None = None,
        link: Link | None = None,
    ) -> Ending:
        there, back = tuple(self._path), tuple(self._path_back)
        return Ending(end, why, here.key, number, packet, self._back, listener, by, link, there, back)

    def _note(self, here: Namespace, kind: StepKind, text: str, *, row: str = "") -> None:
        self.steps.append(Step(kind, here.key, here.label, text, row, self._back))


def _entered(station: Station) -> list[tuple[Namespace, Link]]:
    """The bridges that a frame to a station comes to, in any order."""
    own = [(station.namespace, station.link)] if station.port is not None else []
    return [*((bridged.namespace, bridged.bridge) for bridged in station.bridges), *own]


def _with_rules(here: Namespace, wanted: Callable[[Chain], bool]) -> Chain | None:
    """The first chain of a kind that does anything."""
    return next((c for c in here.firewall.chains if wanted(c) and any(r.actions for r in c.rules)), None)


def _translating(judged: Judged) -> str:
    """The rule that rewrote a packet."""
    return judged.translated_by[1].text if judged.translated_by else ""
