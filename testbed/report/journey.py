"""A journey for people, as a ladder from the place that asked to the answer and back, and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from testbed.evidence import Flow
from testbed.report.as_json import observation
from testbed.report.console import plain
from testbed.trace.values import Decided, Decision, Endpoint, Hop, Journey, Leg, Rewrite, RuleHit, Start

#: Of what :func:`as_json` returns: raised whenever a key goes, or means something else.
VERSION: Final = 1
_ACROSS: Final = "→"
_REWRITTEN: Final = "bold yellow"
#: What one rung needs in one line.
_WIDE: Final = 124


def show(console: Console, journey: Journey) -> None:
    """How it ended; then each leg: its stations, what was decided in each, and the frame on each wire between them."""
    mark, style = ("✓", "bold green") if journey.answered else ("✗", "bold red")
    console.print(plain(f"{mark} {journey.place} asked {journey.target}: {journey.ended}", style))
    seen = journey.observation
    excerpt = seen.answer.excerpt.strip() if seen.answer else ""
    if excerpt:
        console.print(plain(f"  {excerpt.splitlines()[0]}", "dim"))
    for line in ladder(journey, wide=console.width >= _WIDE):
        console.print(line, soft_wrap=True)
    if journey.why is not None and journey.why.cause is not None:
        console.print(plain(f"why: {journey.why.sentence}", "bold"))
        console.print(plain(f"     cause: {journey.why.cause}", "dim"))
    for note in journey.notes:
        console.print(plain(f"not seen: {note}", "dim"))


def lines(journey: Journey) -> tuple[str, ...]:
    """The ladder as plain text, at most 100 wide but for rules, which are whole."""
    return tuple(line.plain for line in ladder(journey, wide=False))


def ladder(journey: Journey, *, wide: bool) -> Iterator[Text]:
    """The ladder of each leg, a line each.

    :param wide: whether the frame and the packet in it stand in one line
    """
    depths: dict[int, int] = {}
    for leg in journey.legs:
        depth = 0 if leg.parent is None else depths[leg.parent] + 1
        depths[leg.number] = depth
        indent = "  " * depth
        yield Text("")
        for line in _leg(leg, wide=wide):
            yield Text.assemble(indent, line)


def _leg(leg: Leg, *, wide: bool) -> Iterator[Text]:
    to = leg.delivered or str(leg.start.destination)
    what = "" if leg.parent is None else ", older than the request" if leg.older else ", a new connection"
    yield Text.assemble(plain(f"{leg.number}. {leg.opener} {_ACROSS} {to}", "bold"), plain(what, _REWRITTEN))
    if leg.said:
        yield plain(f"   {_quoted(leg.said)} {_ACROSS} {_quoted(leg.answered) if leg.answered else leg.end}", "dim")
    packet = (
        "its first packet with data" if leg.older else "SYN" if leg.attempts == 1 else f"SYN, sent {leg.attempts} times"
    )
    yield plain(f"   there: {packet}, sequence number {leg.sequence}", "cyan")
    yield from _start(leg.start)
    yield from _rungs(leg.there, (leg.start.source, leg.start.destination), wide=wide)
    if leg.back:
        flags = leg.back[0].frame.ip.flags if leg.back[0].frame.ip else ""
        name = (
            "SYN-ACK"
            if flags.startswith("SA")
            else "a reset (RST)"
            if "R" in flags
            else "an answer"
            if flags
            else "ICMP"
        )
        number = f", sequence number {leg.back_sequence}" if leg.back_sequence else ""
        yield plain(f"   back: {name}{number}", "cyan")
        yield _station(leg.back[0].namespace)
        yield from _rungs(leg.back, None, wide=wide)


def _quoted(said: str) -> str:
    """Words in quotes; what only counts bytes is nobody's words."""
    return said if said.endswith((" bytes", " byte")) else f"“{said}”"


def _start(start: Start) -> Iterator[Text]:
    yield _station(start.namespace, f"socket {start.source} {_ACROSS} {start.destination}")
    yield from _inside(start.rewrites, start.decisions)


@dataclass(frozen=True, slots=True)
class _Wire:
    """A frame between two namespaces, or on the one interface where it was seen last or first."""

    hops: tuple[Hop, ...]

    @property
    def interfaces(self) -> str:
        return f" {_ACROSS} ".join(hop.interface for hop in self.hops)


def _rungs(way: Sequence[Hop], before: tuple[Endpoint, Endpoint] | None, *, wide: bool) -> Iterator[Text]:
    """Each wire as a rung, and below it what the namespace that it leads to decides."""
    ttl: int | None = None
    here = ""
    for wire in _wires(way):
        first, last = wire.hops[0], wire.hops[-1]
        yield from _rung(wire, before, ttl, wide=wide)
        before, ttl = (first.source, first.destination), first.ttl
        if not last.outgoing and last.namespace != here:
            yield _station(last.namespace)
        here = last.namespace
        follows = last is not way[-1]
        yield from _inside(last.rewrites, tuple(d for d in last.decisions if not (follows and d.kind is Decided.CABLE)))


def _wires(way: Sequence[Hop]) -> Iterator[_Wire]:
    """Hops that bear one and the same frame, from leaving one namespace to coming in at the next one's last interface
    before it is looked at.
    """
    group: list[Hop] = []
    for hop in way:
        if group and (hop.frame.raw != group[-1].frame.raw or group[-1].rewrites):
            yield _Wire(tuple(group))
            group = []
        group.append(hop)
    if group:
        yield _Wire(tuple(group))


def _rung(wire: _Wire, before: tuple[Endpoint, Endpoint] | None, ttl: int | None, *, wide: bool) -> Iterator[Text]:
    hop = wire.hops[0]
    was = before or (hop.source, hop.destination)
    frame = plain(f"{hop.source_mac} {_ACROSS} {hop.destination_mac}")
    packet = Text.assemble(
        plain(str(hop.source), _REWRITTEN if hop.source != was[0] else ""),
        f" {_ACROSS} ",
        plain(str(hop.destination), _REWRITTEN if hop.destination != was[1] else ""),
        "  ",
        plain(f"ttl {hop.ttl}", _REWRITTEN if ttl not in (None, hop.ttl) else ""),
    )
    names = plain(f"{wire.interfaces:<22}", "bold")
    if wide:
        yield Text.assemble("   ║ ", names, " ", frame, "  ", packet)
    else:
        yield Text.assemble("   ║ ", names, " ", frame)
        yield Text.assemble("   ║ ", " " * 22, " ", packet)
    for between in wire.hops[:-1]:
        for decision in between.decisions:
            if decision.kind is Decided.FDB:
                yield plain(f"   ║   in {between.namespace}, {decision.text}", "dim")


def _station(name: str, text: str = "") -> Text:
    return Text.assemble("   ", plain(f"■ {name}", "bold"), plain(f"  {text}" if text else ""))


def _inside(rewrites: Sequence[Rewrite], decisions: Sequence[Decision]) -> Iterator[Text]:
    """What happens in a namespace: the rewriting with its rule first, then the rows."""
    for rewrite in rewrites:
        yield Text.assemble(
            "   │   ",
            plain(f"✎ {rewrite.kind}: {rewrite.what} {rewrite.before} becomes ", ""),
            plain(str(rewrite.after), _REWRITTEN),
        )
        if rewrite.rule is not None:
            yield plain(f"   │       by {_rule(rewrite.rule)}", "dim")
    if rewrites and (entry := rewrites[0].conntrack) is not None:
        word = "remembered as" if any(rewrite.rule for rewrite in rewrites) else "by the entry"
        text = f"{word} {_flow(entry.original)}, its answers {_flow(entry.reply)} (conntrack)"
        yield plain(f"   │       {text}", "dim")
    for decision in decisions:
        if decision.kind in (Decided.ENDED, Decided.REFUSED):
            yield plain(f"   ✗   {decision.text}", "bold red")
        elif decision.kind is Decided.DELIVERED:
            yield plain(f"   ●   {decision.text}", "green")
        else:
            yield plain(f"   │   {_WORDS[decision.kind]}{decision.text}", "dim")


_WORDS: Final = {
    Decided.ROUTE: "route ",
    Decided.NEIGHBOUR: "neighbour ",
    Decided.FDB: "",
    Decided.CABLE: "",
    Decided.RULE: "",
}


def _flow(flow: Flow) -> str:
    return f"{Endpoint(flow.source, flow.source_port)} {_ACROSS} {Endpoint(flow.destination, flow.destination_port)}"


def _rule(rule: RuleHit) -> str:
    sure = "" if rule.traced else " (its counter rose)"
    return f"{rule}{sure}"


def as_json(journey: Journey) -> str:
    """One object: ``version``, ``place``, ``target``, ``answered``, ``ended``, ``observed``, ``legs``, ``notes``,
    ``why`` and ``seconds``.

    A leg: ``number``, ``parent``, ``opener``, ``delivered``, ``end``, ``older``, ``sequence``, ``back_sequence``,
    ``attempts``, ``said``, ``answered``, ``start``, and ``there`` and ``back``, lists of hops: ``namespace``,
    ``interface``, ``direction``, ``frame`` and ``packet`` with ``source`` and ``destination``, ``ttl``, and what was
    then done: ``rewrites``, ``rules``, ``decisions``.
    """
    why = journey.why
    return json.dumps(
        {
            "version": VERSION,
            "place": journey.place,
            "target": journey.target,
            "answered": journey.answered,
            "ended": journey.ended,
            "observed": observation(journey.observation),
            "legs": [_leg_object(leg) for leg in journey.legs],
            "notes": list(journey.notes),
            "why": None if why is None else {"cause": why.cause, "sentence": why.sentence},
            "seconds": round(journey.seconds, 3),
        },
        indent=1,  # and ASCII only: the words of others may hold what a terminal obeys
    )


def _leg_object(leg: Leg) -> dict[str, Any]:
    return {
        "number": leg.number,
        "parent": leg.parent,
        "opener": leg.opener,
        "delivered": leg.delivered,
        "end": leg.end,
        "older": leg.older,
        "sequence": leg.sequence,
        "back_sequence": leg.back_sequence,
        "attempts": leg.attempts,
        "said": leg.said,
        "answered": leg.answered,
        "start": {
            "namespace": leg.start.namespace,
            "packet": {"source": str(leg.start.source), "destination": str(leg.start.destination)},
            **_done(leg.start),
        },
        "there": [_hop(hop) for hop in leg.there],
        "back": [_hop(hop) for hop in leg.back],
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "namespace": hop.namespace,
        "interface": hop.interface,
        "direction": "out" if hop.outgoing else "in",
        "at": hop.frame.at,
        "frame": {"source": hop.source_mac, "destination": hop.destination_mac},
        "packet": {"source": str(hop.source), "destination": str(hop.destination), "ttl": hop.ttl},
        **_done(hop),
    }


def _done(where: Hop | Start) -> dict[str, Any]:
    return {
        "rewrites": [
            {
                "kind": one.kind,
                "what": one.what,
                "before": str(one.before),
                "after": str(one.after),
                "rule": None if one.rule is None else _rule_object(one.rule),
                "conntrack": one.conntrack is not None,
            }
            for one in where.rewrites
        ],
        "rules": [_rule_object(rule) for rule in where.rules],
        "decisions": [{"kind": one.kind, "text": one.text} for one in where.decisions],
    }


def _rule_object(rule: RuleHit) -> dict[str, Any]:
    return {
        "family": rule.family,
        "table": rule.table,
        "chain": rule.chain,
        "text": rule.text,
        "verdict": rule.verdict,
        "by": "trace" if rule.traced else "counter",
    }
