"""The firewalls on a packet's way: their hooks are asked, and their translations remembered. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from testbed.evidence import Act, Chain, Hook, Namespace, Ruleset
from testbed.predict import routing
from testbed.predict.conntrack import Tracking
from testbed.predict.ending import Dropped, PacketEnding, Rejected, Verdict
from testbed.predict.firewall import Judged, Packet, judge
from testbed.predict.icmp import REJECT_ERRNO
from testbed.predict.steps import FirewallStop
from testbed.predict.unknown import BridgeRules, DoubtfulRule, IngressRules, LaterPackets, Unknown, UnmodelledReject
from testbed.predict.walk_record import WalkRecord


@dataclass(slots=True)
class Netfilter:
    """The firewalls of all namespaces on one way. Not a value: it remembers what they were asked."""

    record: WalkRecord
    origin: str
    """The key of the namespace that the packet started in."""
    tracking: Tracking = field(default_factory=Tracking)
    _asked: list[tuple[Namespace, Hook, Packet]] = field(default_factory=list)
    """The questions to each firewall on the way there."""

    def state(self, here: Namespace, packet: Packet) -> str:
        """Conntrack's state of a packet: an answer that it has not seen the question of is invalid."""
        if not self.record.back:
            return packet.state
        if here.key != self.origin and not self.tracking.knows(here.key):
            return "invalid"
        return "related" if packet.protocol in ("icmp", "icmpv6") else "established"

    def judge(self, here: Namespace, hook: Hook, packet: Packet, *, translate: bool = True) -> Judged:
        """Take a packet through the chains of a hook.

        :param translate: whether those of type nat are asked too
        """
        rules = here.firewall
        if not rules.chains:
            return Judged(Act.ACCEPT, packet)
        if not translate:
            rules = _without_nat(rules)
        packet = replace(
            packet,
            source_type=routing.address_type(here, packet.source),
            destination_type=routing.address_type(here, packet.destination),
            status=self.tracking.status(here.key),
        )
        if not self.record.back:
            self._asked.append((here, hook, packet))
        return judge(rules, hook, packet)

    def stopped(
        self, here: Namespace, hook: Hook, judged: Judged, packet: Packet, *, bridged: bool = False
    ) -> PacketEnding | None:
        """The ending that a verdict makes; None for one that lets the packet pass.

        :param bridged: whether it was rewritten on its way from port to port of a bridge: a reset then goes out by the
            port that it came in by, past conntrack (net/ipv4/netfilter/nf_reject_ipv4.c, nf_send_reset)
        """
        if judged.verdict is Act.ACCEPT or judged.chain is None:
            return None
        verdict = Verdict(hook, judged.chain, judged.rule)
        trail = self.record.trail(here, packet)
        if judged.verdict is Act.UNKNOWN:
            return Unknown(trail, DoubtfulRule(verdict))
        rejects = judged.verdict is Act.REJECT
        self.record.steps.append(FirewallStop(here, verdict, rejects, back=self.record.back))
        if not rejects:
            return Dropped(trail, verdict)
        number = REJECT_ERRNO.get(judged.argument)
        if number is None:
            return Unknown(trail, UnmodelledReject(verdict, judged.argument))
        if bridged and judged.argument == "tcp-reset" and not self.record.back:
            return Rejected(trail, verdict, judged.argument, not_undone=True)
        return Rejected(trail, verdict, judged.argument, errno=number)

    def later_packets(self, packet: Packet) -> Unknown | None:
        """The ending where a firewall lets the first packet pass and not those that follow; None where it lets all.

        Whoever connects then sees a connection, and nothing of it arrives: what becomes of it is not modelled.
        """
        for here, hook, asked in self._asked:
            later = replace(asked, state="established", flags=frozenset({"ack"}))
            judged = judge(_without_nat(here.firewall), hook, later)
            if judged.verdict is not Act.ACCEPT and judged.chain is not None:
                verdict = Verdict(hook, judged.chain, judged.rule)
                return Unknown(self.record.trail(here, packet), LaterPackets(verdict))
        return None

    def bridge_rules(self, here: Namespace, packet: Packet) -> Unknown | None:
        """The ending where a namespace filters frames between the ports of its bridges; None where it does not."""
        chain = _doing(here, lambda chain: chain.family == "bridge")
        if chain is None:
            return None
        return Unknown(self.record.trail(here, packet), BridgeRules(Verdict(Hook.FORWARD, chain, None)))

    def ingress_rules(self, here: Namespace, packet: Packet) -> Unknown | None:
        """The ending where a namespace filters at an interface itself; None where it does not."""
        chain = _doing(here, lambda chain: chain.hook is Hook.INGRESS)
        if chain is None:
            return None
        return Unknown(self.record.trail(here, packet), IngressRules(Verdict(Hook.INGRESS, chain, None)))


def _without_nat(rules: Ruleset) -> Ruleset:
    return Ruleset(tuple(chain for chain in rules.chains if chain.kind != "nat"))


def _doing(here: Namespace, wanted: Callable[[Chain], bool]) -> Chain | None:
    """The first chain of a kind that has a rule with an action."""
    return next((c for c in here.firewall.chains if wanted(c) and any(r.actions for r in c.rules)), None)
