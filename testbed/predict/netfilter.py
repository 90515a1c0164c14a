"""The firewalls on a packet's way: their hooks are asked, and their translations remembered. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace

from testbed.evidence import Act, Hook, Namespace, Protocol
from testbed.predict.conntrack import Tracking
from testbed.predict.ending import Dropped, LaterFiltered, PacketEnding, Rejected, Taken, Verdict
from testbed.predict.firewall import Judged, judge
from testbed.predict.icmp import REJECT_ERRNO
from testbed.predict.packet import Packet
from testbed.predict.steps import FirewallStop
from testbed.predict.unknown import DoubtfulRule, LaterPackets, Unknown, UnmodelledReject
from testbed.predict.walk_record import WalkRecord

_DATA: frozenset[str] = frozenset({"psh", "ack"})
_ACKNOWLEDGEMENT: frozenset[str] = frozenset({"ack"})
#: A packet of these states has no connection, and none that follows it has one.
_WITHOUT_CONNECTION: frozenset[str] = frozenset({"untracked", "invalid"})


@dataclass(slots=True)
class Netfilter:
    """The firewalls of all namespaces on one way. Not a value: it remembers what they were asked."""

    record: WalkRecord
    origin: str
    """The key of the namespace that the packet started in."""
    tracking: Tracking = field(default_factory=Tracking)
    _asked: list[tuple[Namespace, Hook, Packet]] = field(default_factory=list)
    """The questions to each firewall, on the way there and on the way back."""

    def comes_in(self, here: Namespace, packet: Packet, iif: str, *, port: str = "") -> Packet:
        """The packet as a namespace sees it that it comes in to by an interface.

        What comes by lo has never left: its mark and its connection are still with it (drivers/net/loopback.c,
        loopback_xmit).

        :param port: the port of a bridge that it came in by, where br_netfilter shows that to the IP firewall
        """
        if iif == "lo":
            return replace(packet, iif=iif, oif="", socket=False, user=None)
        if self.record.back:
            self.tracking.answer_seen(here.key)
        return replace(
            packet,
            iif=iif,
            oif="",
            socket=False,
            user=None,
            port_in=port,
            port_out="",
            mark=0,
            state=self.state(here, packet),
            tracked=True,
            conntrack_mark=self.tracking.mark(here.key),
            original=None,
            replied=None,
        )

    def state(self, here: Namespace, packet: Packet) -> str:
        """Conntrack's state of a packet: an answer that it has not seen the question of is invalid."""
        if not self.record.back:
            return "new"
        if self.tracking.passed_over(here.key) or (here.key != self.origin and not self.tracking.knows(here.key)):
            return "invalid"
        return "related" if packet.protocol in ("icmp", "icmpv6") else "established"

    def judge(self, here: Namespace, hook: Hook, packet: Packet, *, translate: bool = True) -> Judged:
        """Take a packet through the chains of a hook.

        :param translate: whether those of type nat are asked too
        """
        if not any(chain.hook is hook for chain in here.firewall.chains):
            return Judged(Act.ACCEPT, packet)
        packet = self.tracking.recall(here.key, packet)
        self._asked.append((here, hook, packet))
        return judge(here.firewall, hook, packet, here, translate=translate)

    def would_translate(self, here: Namespace, packet: Packet) -> bool:
        """Tell if a namespace would give a packet another destination at PREROUTING."""
        judged = judge(here.firewall, Hook.PREROUTING, self.tracking.recall(here.key, packet), here)
        return judged.packet.destination != packet.destination

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

    def later_packets(self, packet: Packet, taken: Taken) -> PacketEnding | None:
        """The ending where a firewall lets the handshake pass and not the data after it; None where it lets all.

        A packet of the handshake and one with data differ in the state of the connection, and in the flags of TCP.
        """
        if packet.protocol != Protocol.TCP:
            return None
        for here, hook, asked in self._asked:
            later = replace(asked, state=self._later_state(here, asked), flags=_DATA)
            if hook is Hook.INPUT and not asked.reply:
                # The connection's socket is looked up before that (net/ipv4/tcp_ipv4.c, tcp_v4_early_demux).
                later = replace(later, socket=True, user=taken.listener.user)
            if (later.state, later.flags) == (asked.state, asked.flags):
                continue
            judged = judge(here.firewall, hook, later, here, translate=False)
            if judged.verdict is Act.ACCEPT or judged.chain is None:
                continue
            verdict = Verdict(hook, judged.chain, judged.rule)
            trail = replace(self.record.trail(here, later), back=later.reply)
            if judged.verdict is Act.UNKNOWN:
                return Unknown(trail, LaterPackets(verdict), listener=taken.listener)
            answer = judged.argument if judged.verdict is Act.REJECT else ""
            return LaterFiltered(trail, verdict, taken.listener, answer, errno=_at_once(here, hook, later, judged))
        return None

    def _later_state(self, here: Namespace, asked: Packet) -> str:
        if asked.state in _WITHOUT_CONNECTION:
            return asked.state
        if asked.reply or here.key == self.origin:
            return "established"
        return self.tracking.state_of_later(here.key)


def _at_once(here: Namespace, hook: Hook, later: Packet, judged: Judged) -> int | None:
    """The errno that a client sees where the last packet of its handshake is rejected; None where that passes.

    An ICMP error is a soft one then, which getsockopt(2) tells as SO_ERROR: so whoever waits for a connection with a
    timeout sees it (net/ipv4/tcp_ipv4.c, tcp_v4_err; net/core/sock.c, sk_getsockopt).
    """
    if judged.verdict is not Act.REJECT or later.reply:
        return None
    last = judge(here.firewall, hook, replace(later, flags=_ACKNOWLEDGEMENT), here, translate=False)
    if last.verdict is not Act.REJECT:
        return None
    return errno.ECONNRESET if last.argument == "tcp-reset" else REJECT_ERRNO.get(last.argument)
