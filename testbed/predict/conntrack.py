"""The memory that each namespace has of a connection, as conntrack keeps it: how it came, and how it went on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from testbed.predict.packet import Ends, Packet


@dataclass(slots=True)
class Tracking:
    """The memory of all namespaces on one way. Not a value: it is written as the packet goes."""

    _seen: dict[str, list[tuple[Packet, Packet]]] = field(default_factory=dict)
    _status: dict[str, frozenset[str]] = field(default_factory=dict)
    """The translations that a namespace has made of the connection, from when they were set up."""
    _untracked: set[str] = field(default_factory=set)
    """The namespaces that let the packet pass without tracking it."""
    _answered: set[str] = field(default_factory=set)
    """The namespaces that have seen an answer to what they had seen."""

    def note(self, namespace: str, came: Packet, went: Packet) -> None:
        """A namespace has seen the packet, and this is what it made of it."""
        if went.tracked:
            self._seen.setdefault(namespace, []).append((came, went))
            self.translated(namespace, came, went)
        else:
            self._untracked.add(namespace)

    def translated(self, namespace: str, before: Packet, after: Packet) -> None:
        """A namespace gives the connection other addresses or ports.

        Its status says so from then on, not only once the packet has left (net/netfilter/nf_nat_core.c,
        nf_nat_setup_info sets IPS_DST_NAT and IPS_SRC_NAT at the hook that translates).
        """
        found = self._status.get(namespace, frozenset())
        if (before.destination, before.destination_port) != (after.destination, after.destination_port):
            found |= {"dnat"}
        if (before.source, before.source_port) != (after.source, after.source_port):
            found |= {"snat"}
        if found:
            self._status[namespace] = found

    def status(self, namespace: str) -> frozenset[str]:
        """Which translations a namespace has made of the connection: ``dnat``, ``snat``."""
        return self._status.get(namespace, frozenset())

    def knows(self, namespace: str) -> bool:
        """Tell if a namespace has seen the connection: an answer to one that it has not is invalid to it."""
        return namespace in self._seen

    def passed_over(self, namespace: str) -> bool:
        """Tell if a namespace has seen the packet, and not tracked it (iptables-extensions(8), CT --notrack)."""
        return namespace in self._untracked and namespace not in self._seen

    def answer_seen(self, namespace: str) -> None:
        """A namespace sees an answer."""
        self._answered.add(namespace)

    def state_of_later(self, namespace: str) -> str:
        """The state of what follows the handshake, in the direction of its first packet.

        Where a namespace has seen that, and its answer went past it, the next packet is invalid to it
        (net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks: an ACK in SYN_SENT). But whoever gets back a packet by
        the interface that it left by may be told of the direct way by an ICMP redirect (net/ipv4/ip_forward.c), so
        that it is not known whether the next packet comes there at all: then the state is empty.
        """
        seen = self._seen.get(namespace)
        if not seen or namespace in self._answered:
            return "established"
        came, went = seen[0]
        return "" if came.iif == went.oif else "invalid"

    def recall(self, namespace: str, packet: Packet) -> Packet:
        """A packet with what a namespace remembers of its connection: status, mark, and the tuples of both ways."""
        seen, status = self._seen.get(namespace), self.status(namespace)
        if not seen or not packet.reply:
            return packet if status == packet.status else replace(packet, status=status)
        came, went = seen[0]
        turned = Ends(went.destination, went.source, went.destination_port, went.source_port)
        return replace(packet, status=status, original=came.ends, replied=turned)

    def mark(self, namespace: str) -> int:
        """The connection's mark in a namespace."""
        seen = self._seen.get(namespace)
        return seen[0][1].conntrack_mark if seen else 0

    def back_to_source(self, namespace: str, answer: Packet) -> Packet:
        """An answer to a rewritten source goes to the original one, from PREROUTING on."""
        for came, went in self._seen.get(namespace, ()) if answer.tracked else ():
            if went.source == answer.destination != came.source:
                return replace(answer, destination=came.source, destination_port=came.source_port)
        return answer

    def back_from_destination(self, namespace: str, answer: Packet) -> Packet:
        """An answer from a rewritten destination comes from the original one, from POSTROUTING on."""
        for came, went in self._seen.get(namespace, ()) if answer.tracked else ():
            if went.destination == answer.source != came.destination:
                return replace(answer, source=came.destination, source_port=came.destination_port)
        return answer
