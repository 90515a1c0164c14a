"""The memory that each namespace has of a connection, as conntrack keeps it: how it came, and how it went on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from testbed.predict.firewall import Packet


@dataclass(slots=True)
class Tracking:
    """The memory of all namespaces on one way. Not a value: it is written as the packet goes."""

    _seen: dict[str, list[tuple[Packet, Packet]]] = field(default_factory=dict)

    def note(self, namespace: str, came: Packet, went: Packet) -> None:
        """A namespace has seen the packet, and this is what it made of it."""
        self._seen.setdefault(namespace, []).append((came, went))

    def knows(self, namespace: str) -> bool:
        """Tell if a namespace has seen the connection: an answer to one that it has not is invalid to it."""
        return namespace in self._seen

    def back_to_source(self, namespace: str, answer: Packet) -> Packet:
        """An answer to a rewritten source goes to the original one, from PREROUTING on."""
        for came, went in self._seen.get(namespace, ()):
            if went.source == answer.destination != came.source:
                return replace(answer, destination=came.source, destination_port=came.source_port)
        return answer

    def back_from_destination(self, namespace: str, answer: Packet) -> Packet:
        """An answer from a rewritten destination comes from the original one, from POSTROUTING on."""
        for came, went in self._seen.get(namespace, ()):
            if went.destination == answer.source != came.destination:
                return replace(answer, source=came.destination, source_port=came.destination_port)
        return answer

    def status(self, namespace: str) -> frozenset[str]:
        """Which translations a namespace has made of the connection: ``dnat``, ``snat``."""
        found = set()
        for came, went in self._seen.get(namespace, ()):
            if (came.destination, came.destination_port) != (went.destination, went.destination_port):
                found.add("dnat")
            if came.source != went.source:
                found.add("snat")
        return frozenset(found)
