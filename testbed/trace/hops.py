"""From the way of a packet over the taps to hops: what was exchanged between them, and which row decided. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.evidence import Act, Conntrack, Evidence, Link, Listener, Namespace, Protocol
from testbed.evidence.kernel import Flow
from testbed.model import Address
from testbed.predict.routing import choose, is_local, link_named, link_of
from testbed.predict.socket_lookup import listener_for
from testbed.predict.wording import route_row
from testbed.trace.conversations import Shown
from testbed.trace.events import Marked
from testbed.trace.values import Decided, Decision, Endpoint, Hop, Rewrite, RuleHit, Start

_DESTINATION_ACTS: Final = frozenset({Act.DNAT, Act.REDIRECT})
_SOURCE_ACTS: Final = frozenset({Act.SNAT, Act.MASQUERADE})


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched, and the packet as it was then; None where only the rule's counter tells of it."""

    rule: RuleHit
    marked: Marked | None = None


@dataclass(frozen=True, slots=True)
class TraceInput:
    """What packets are judged by."""

    evidence: Evidence
    """As it is after the request: neighbours, FDB and conntrack among it."""
    hits: Mapping[str, Sequence[Hit]]
    """The rules that matched, by the key of their namespace, in their order."""

    def namespace(self, key: str) -> Namespace:
        """A namespace of the picture."""
        return self.evidence.namespaces[key]


def hops(scene: TraceInput, path: Sequence[Shown]) -> tuple[Hop, ...]:
    """The hops of one packet; the last one's decisions say where it ended, as far as the packet itself shows it."""
    found = []
    for number, one in enumerate(path):
        after = path[number + 1] if number + 1 < len(path) else None
        here = scene.namespace(one.place.key)
        rewrites: tuple[Rewrite, ...] = ()
        if after is None:
            delivered = _local_pair(here, one)
            known = delivered not in (None, (one.source, one.destination))
            rewrites = _rewrites(scene, here, one, delivered if delivered and known else _became(scene, here, one))
            decisions = _arrived(here, one, delivered)
        elif after.place.key == one.place.key:
            rewrites = _rewrites(scene, here, one, (after.source, after.destination))
            decisions = _onward(here, one, after)
        else:
            decisions = (_cable(scene, one, after),)
        rules = _rules(scene, path, one) if _is_judged_after(one, after) else ()
        found.append(
            Hop(
                namespace=one.place.label,
                key=one.place.key,
                interface=one.place.interface,
                frame=one.frame,
                source=one.source,
                destination=one.destination,
                ttl=one.frame.ip.ttl if one.frame.ip else 0,
                rewrites=rewrites,
                rules=rules,
                decisions=decisions,
            )
        )
    return tuple(found)


def _is_judged_after(one: Shown, after: Shown | None) -> bool:
    """Whether the rules of a namespace look at a packet next: it came in, and no other interface of it takes it in."""
    return not one.frame.outgoing and (after is None or after.place.key != one.place.key or after.frame.outgoing)


def start(scene: TraceInput, first: Shown) -> Start:
    """A packet as its socket sent it; the first tap saw it when the namespace's own rules were through with it."""
    here = scene.namespace(first.place.key)
    source, destination, entry = first.source, first.destination, None
    for one in here.conntrack:
        if _is(one.reply, first.destination, first.source) and not _is(one.original, first.source, first.destination):
            source, destination = _ends(one.original)
            entry = one
    rules = _of(scene, first.place.key, first, (source, destination), (first.source, first.destination))
    rewrites = _exchanged(rules, entry, (source, destination), (first.source, first.destination))
    decisions = (
        *_routed(here, destination if entry is None else first.destination, source, "lo"),
        *_neighbour(here, first),
    )
    return Start(first.place.label, source, destination, rewrites, rules, decisions)


def delivered_at(scene: TraceInput, path: Sequence[Shown]) -> tuple[Endpoint, Endpoint] | None:
    """The packet as it is handed up at the last tap, where it is for that namespace; None where it is not."""
    last = path[-1]
    return _local_pair(scene.namespace(last.place.key), last)


def listener_at(scene: TraceInput, path: Sequence[Shown]) -> Listener | None:
    """The socket that a packet is for at its last tap; None where there is none."""
    pair = delivered_at(scene, path)
    return None if pair is None else _listener(scene.namespace(path[-1].place.key), path[-1], pair[1])


def dropped_by(hop: Hop) -> RuleHit | None:
    """The rule that dropped or rejected a packet after a hop. Of rules that only counters tell of: that may have."""
    for rule in hop.rules:
        if rule.verdict == "drop" or (not rule.traced and {Act.DROP, Act.REJECT} & set(rule.acts)):
            return rule
    return None


def _rules(scene: TraceInput, path: Sequence[Shown], one: Shown) -> tuple[RuleHit, ...]:
    here = scene.namespace(one.place.key)
    delivered = _local_pair(here, one)
    pairs = [(x.source, x.destination) for x in path if x.place.key == here.key]
    return _of(scene, here.key, one, *pairs, *([delivered] if delivered else []))


def _of(scene: TraceInput, key: str, one: Shown, *pairs: tuple[Endpoint, Endpoint]) -> tuple[RuleHit, ...]:
    """The rules that matched this packet, under any of the addresses that it has here; each once."""
    found: dict[RuleHit, None] = {}
    for hit in scene.hits.get(key, ()):
        marked = hit.marked
        if marked is None or (marked.sequence == one.segment.sequence and _names(marked, pairs)):
            found[hit.rule] = None
    return tuple(found)


def _names(marked: Marked, pairs: Sequence[tuple[Endpoint, Endpoint]]) -> bool:
    """Whether a packet has one of these ends: while it is being rewritten it need not have the other."""
    sources = {(source.address.packed, source.port) for source, _ in pairs}
    destinations = {(destination.address.packed, destination.port) for _, destination in pairs}
    return (marked.source, marked.source_port) in sources or (
        (marked.destination, marked.destination_port) in destinations
    )


def _became(scene: TraceInput, here: Namespace, one: Shown) -> tuple[Endpoint, Endpoint]:
    """What a packet that came to no other interface had become when a rule last looked at it: of one that is dropped
    conntrack remembers nothing.
    """
    pair = one.source, one.destination
    if one.frame.outgoing:
        return pair
    for hit in scene.hits.get(here.key, ()):
        marked = hit.marked
        if marked is not None and marked.sequence == one.segment.sequence and _names(marked, [pair]):
            source = Endpoint(ipaddress.ip_address(marked.source), marked.source_port)
            pair = source, Endpoint(ipaddress.ip_address(marked.destination), marked.destination_port)
    return pair


def _rewrites(scene: TraceInput, here: Namespace, one: Shown, after: tuple[Endpoint, Endpoint]) -> tuple[Rewrite, ...]:
    before = one.source, one.destination
    if before == after:
        return ()
    return _exchanged(_of(scene, here.key, one, before, after), _entry(here, *before), before, after)


def _exchanged(
    rules: Sequence[RuleHit],
    entry: Conntrack | None,
    before: tuple[Endpoint, Endpoint],
    after: tuple[Endpoint, Endpoint],
) -> tuple[Rewrite, ...]:
    """The destination first, as the kernel does (PREROUTING or OUTPUT, then POSTROUTING or INPUT)."""
    found = []
    for what, number, acts in (("destination", 1, _DESTINATION_ACTS), ("source", 0, _SOURCE_ACTS)):
        if before[number] != after[number]:
            rule = next((rule for rule in rules if acts & set(rule.acts) and _on_first(entry, before)), None)
            found.append(Rewrite(what, before[number], after[number], rule, entry))
    return tuple(found)


def _on_first(entry: Conntrack | None, before: tuple[Endpoint, Endpoint]) -> bool:
    """Whether a packet goes the way of the one that made the entry: answers are put back without asking a rule."""
    return entry is None or _is(entry.original, *before)


def _entry(here: Namespace, source: Endpoint, destination: Endpoint) -> Conntrack | None:
    return next(
        (
            one
            for one in here.conntrack
            if any(
                _is(flow, source, destination) or _is(Flow(*_half(flow, other)), source, destination)
                for flow, other in ((one.original, one.reply), (one.reply, one.original))
            )
        ),
        None,
    )


def _is(flow: Flow, source: Endpoint, destination: Endpoint) -> bool:
    return (flow.source, flow.source_port, flow.destination, flow.destination_port) == (
        source.address,
        source.port,
        destination.address,
        destination.port,
    )


def _ends(flow: Flow) -> tuple[Endpoint, Endpoint]:
    return Endpoint(flow.source, flow.source_port), Endpoint(flow.destination, flow.destination_port)


def _local_pair(here: Namespace, one: Shown) -> tuple[Endpoint, Endpoint] | None:
    """Source and destination of a packet as its socket gets it; None where it is not for this namespace.

    What conntrack exchanges between the last interface and the socket is no interface's to see.
    """
    if one.frame.outgoing:
        return None
    source, destination = one.source, one.destination
    for entry in here.conntrack:
        for flow, other in ((entry.original, entry.reply), (entry.reply, entry.original)):
            # Its destination may be exchanged by now, and its source not yet.
            if _is(flow, source, destination) or _is(Flow(*_half(flow, other)), source, destination):
                destination, source = _ends(other)
                return (source, destination) if is_local(here, destination.address) else None
    return (source, destination) if is_local(here, destination.address) else None


def _half(flow: Flow, other: Flow) -> tuple[Address, Address, int, int]:
    """One direction with the destination that it has in the end; the other direction tells it, as its source."""
    return flow.source, other.source, flow.source_port, other.source_port


def _onward(here: Namespace, one: Shown, after: Shown) -> tuple[Decision, ...]:
    """Why a packet that was at one interface of a namespace is at another one next."""
    first, second = link_named(here, one.place.interface), link_named(here, after.place.interface)
    if first is None or second is None:
        return ()
    if first.name == "lo" and second.name == "lo":
        return (Decision(Decided.CABLE, "lo hands what it is given to its own namespace"),)
    if second.index == first.master:
        own = one.frame.destination == second.mac
        text = f"{second.mac} is {second.name}'s own" if own else f"{second.name} hears it as all its ports do"
        return (Decision(Decided.FDB, f"{text}: handed up"),)
    bridge = first if second.master == first.index else link_of(here, first.master)
    if bridge is not None and second.master == bridge.index and one.frame.source == after.frame.source:
        return (Decision(Decided.FDB, _fdb_row(here, bridge, after.frame.destination)),)
    return (*_routed(here, after.destination, one.source, one.place.interface), *_neighbour(here, after))


def _fdb_row(here: Namespace, bridge: Link, mac: str) -> str:
    for row in here.fdb:
        port = link_of(here, row.link) if row.mac == mac else None
        if port is not None and _is_of(port, bridge):
            return f"FDB of {bridge.name}: {mac} dev {port.name}{' permanent' if row.state == 'permanent' else ''}"
    return f"the FDB of {bridge.name} has no row for {mac}: to every port"


def _is_of(port: Link, bridge: Link) -> bool:
    return bridge.index in (port.index, port.master)


def _routed(here: Namespace, destination: Endpoint, source: Endpoint, incoming: str) -> tuple[Decision, ...]:
    row = route_row(choose(here, destination.address, source=source.address, incoming=incoming))
    return (Decision(Decided.ROUTE, row),) if row else ()


def _neighbour(here: Namespace, out: Shown) -> tuple[Decision, ...]:
    """The row whose MAC address the frame that leaves bears."""
    link = link_named(here, out.place.interface)
    for row in here.neighbours:
        if (
            link is not None
            and row.link == link.index
            and row.mac == out.frame.destination
            and row.address.version == (out.source.address.version)
        ):
            return (Decision(Decided.NEIGHBOUR, f"{row.address} dev {link.name} lladdr {row.mac}"),)
    return ()


def _cable(scene: TraceInput, one: Shown, after: Shown) -> Decision:
    here, there = scene.namespace(one.place.key), scene.namespace(after.place.key)
    link = link_named(here, one.place.interface)
    end = link_named(there, after.place.interface)
    joined = link and end and link.peer and (link.peer.namespace, link.peer.index) == (there.key, end.index)
    how = "the other end of the veth pair is" if joined else "seen next at"
    return Decision(Decided.CABLE, f"{how} {after.place.interface} of {after.place.label}")


def _arrived(here: Namespace, one: Shown, delivered: tuple[Endpoint, Endpoint] | None) -> tuple[Decision, ...]:
    if one.frame.outgoing:
        link = link_named(here, one.place.interface)
        if link is not None and link.holder:
            text = f"{link.holder} takes it from {link.name}, and makes a connection of its own outside"
            return (Decision(Decided.DELIVERED, text),)
        known = link is not None and link.peer is not None and link.peer.namespace is not None
        where = "and came out nowhere" if known else "and left what can be seen here"
        return (Decision(Decided.ENDED, f"it went out by {one.place.interface} {where}"),)
    if delivered is None:
        return (Decision(Decided.ENDED, f"it came in by {one.place.interface}, and went no further"),)
    listener = _listener(here, one, delivered[1])
    if listener is None:
        return (Decision(Decided.DELIVERED, f"for a socket of {here.label}, {delivered[1]}"),)
    return (Decision(Decided.DELIVERED, f"{_who(listener)} listens on {Endpoint(listener.address, listener.port)}"),)


def _listener(here: Namespace, one: Shown, destination: Endpoint) -> Listener | None:
    link = link_named(here, one.place.interface)
    return listener_for(here, Protocol.TCP, destination.address, destination.port, link.index if link else 0)


def _who(listener: Listener) -> str:
    process = listener.process
    return "somebody not visible" if process is None else f"{process.name} (pid {process.pid})"
