"""From captured frames, rules that matched and a picture to the journey of one request. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Act, Listener, Place
from testbed.frames.segments import icmp_error
from testbed.model import Address, Observation, Outcome, Target
from testbed.predict.routing import choose, is_local
from testbed.predict.wording import route_row
from testbed.trace import hops as judging
from testbed.trace.conversations import ArpShown, Conversation, Shown, way
from testbed.trace.hops import TraceInput
from testbed.trace.values import Decided, Decision, Endpoint, Hop, Leg, LegEnd

#: A relay of relays of relays; a ring of them would never end.
_MOST_LEGS: Final = 16
_FOREVER: Final = float("inf")
_TLS_HANDSHAKE: Final = 0x16
_LINE: Final = 120


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked for among the frames."""

    place: Place
    target: Target
    ports: tuple[int, ...]
    """The source ports of the sockets that asked."""
    observation: Observation


@dataclass(frozen=True, slots=True)
class Followed:
    """A leg, and what is needed to find those that were made for its sake."""

    leg: Leg
    conversation: Conversation
    key: str | None
    """The namespace whose socket got it."""
    listener: Listener | None
    begins: float
    ends: float


def legs(
    scene: TraceInput, found: Sequence[Conversation], errors: Sequence[Shown], request: Request
) -> tuple[tuple[Leg, ...], tuple[str, ...]]:
    """The request's own leg first, then those made for its sake, in the order of time; and what is not sure of them."""
    root = _root(scene, found, errors, request)
    if root is None:
        return (), ()
    followed = [root]
    used = {id(root.conversation)}
    notes: list[str] = []
    for parent in followed:
        if len(followed) >= _MOST_LEGS:
            break
        others = _others(found, parent, used)
        children = [c for c in found if id(c) not in used and _is_for(scene, c, parent)]
        if children and others:
            notes.append(
                f"{others} other connection{'s' if others > 1 else ''} to {parent.leg.delivered} in that time: for "
                "whose sake it made which of its own cannot be told from outside"
            )
        for child in children[: _MOST_LEGS - len(followed)]:
            used.add(id(child))
            followed.append(_followed(scene, child, errors, len(followed) + 1, parent))
    return tuple(one.leg for one in followed), tuple(notes)


def _root(
    scene: TraceInput, found: Sequence[Conversation], errors: Sequence[Shown], request: Request
) -> Followed | None:
    """Of several attempts, such as one for each address of a name, the one that was answered, else the first."""
    key = request.place.namespace
    candidates = [
        conversation
        for conversation in found
        if conversation.first.place.key == key
        and not conversation.older
        and conversation.first.frame.outgoing
        and judging.start(scene, conversation.first).source.port in request.ports
    ]
    made = [_followed(scene, one, errors, 1, None, opener=request.place.name) for one in candidates]
    return next((one for one in made if one.leg.end is LegEnd.ANSWERED), made[0] if made else None)


def _followed(
    scene: TraceInput,
    conversation: Conversation,
    errors: Sequence[Shown],
    number: int,
    parent: Followed | None,
    opener: str = "",
) -> Followed:
    first = conversation.first
    there = conversation.path(first)
    reply = _reply(conversation)
    error = None if reply is not None else _error(errors, conversation)
    delivered = reply is not None and "R" not in reply.segment.flags
    listener = judging.listener_at(scene, there)
    last = there[-1]
    key = last.place.key if delivered and not last.frame.outgoing else None
    request = conversation.first_of(lambda x: bool(x.segment.data) and conversation.is_there(x))
    answer = conversation.first_of(lambda x: bool(x.segment.data) and not conversation.is_there(x))
    back: tuple[Hop, ...] = ()
    if reply is not None:
        back = judging.hops(scene, conversation.path(reply))
    elif error is not None:
        back = judging.hops(scene, way(errors, error))
    end = _end(conversation, reply, error, request, answer)
    begin = judging.start(scene, first)
    leg = Leg(
        number=number,
        parent=None if parent is None else parent.leg.number,
        opener=opener or _opener(parent, first),
        start=begin,
        there=_ended(scene, judging.hops(scene, there), reply, error, delivered=delivered),
        back=back,
        end=end,
        older=conversation.older,
        sequence=first.segment.sequence,
        back_sequence=None if reply is None else reply.segment.sequence,
        attempts=conversation.times(first),
        said=_said(request),
        answered=_said(answer),
        request=() if request is None else judging.hops(scene, conversation.path(request)),
        answer=() if answer is None else judging.hops(scene, conversation.path(answer)),
        delivered=_delivered(last, listener) if key is not None else "",
        packets=tuple(one.frame for one in conversation.shown),
    )
    ends = _FOREVER
    if key is not None:
        said = conversation.last_of(
            lambda x: bool(x.segment.data) and not conversation.is_there(x) and x.place.key == key and x.frame.outgoing
        )
        ends = _FOREVER if said is None else said.at
    return Followed(leg, conversation, key, listener, last.at, ends)


def _reply(conversation: Conversation) -> Shown | None:
    """What answered the first packet: of an older connection, the first data that came back."""
    if conversation.older:
        return conversation.first_of(
            lambda x: not conversation.is_there(x) and bool(x.segment.data) and x.at > conversation.first.at
        )
    return conversation.first_of(
        lambda x: not conversation.is_there(x) and ("S" in x.segment.flags or "R" in x.segment.flags)
    )


def _error(errors: Sequence[Shown], conversation: Conversation) -> Shown | None:
    """The error of ICMP about a connection, where it was seen first."""
    pairs = {(source, destination) for _, source, destination in conversation.forward}
    for one in errors:
        about = icmp_error(one.frame)
        if about is None:
            continue
        source = Endpoint(about.source, about.source_port)
        destination = Endpoint(about.destination, about.destination_port)
        if (source, destination) in pairs and about.sequence == conversation.first.segment.sequence:
            return one
    return None


def _end(
    conversation: Conversation, reply: Shown | None, error: Shown | None, request: Shown | None, answer: Shown | None
) -> LegEnd:
    if reply is None:
        return LegEnd.ICMP if error is not None else LegEnd.UNANSWERED
    if answer is not None:
        return LegEnd.ANSWERED
    if "R" in reply.segment.flags:
        return LegEnd.REFUSED
    if request is None:
        return LegEnd.ANSWERED  # the handshake was all that was asked for
    reset = conversation.first_of(lambda x: "R" in x.segment.flags and not conversation.is_there(x))
    return LegEnd.RESET if reset is not None else LegEnd.UNANSWERED


def _ended(
    scene: TraceInput, there: tuple[Hop, ...], reply: Shown | None, error: Shown | None, *, delivered: bool
) -> tuple[Hop, ...]:
    """The hops with what the answer tells about the last one: delivered, refused, dropped."""
    last = there[-1]
    if delivered or last.outgoing:
        return there
    here = scene.namespace(last.key)
    decisions: tuple[Decision, ...]
    dropped = judging.dropped_by(last)
    own = is_local(here, last.destination.address) or any(
        is_local(here, rewrite.after.address) for rewrite in last.rewrites if rewrite.what == "destination"
    )
    if dropped is not None:
        does = "rejects" if Act.REJECT in dropped.acts else "drops"
        sure = "" if dropped.traced else " (its counter rose meanwhile)"
        decisions = (Decision(Decided.ENDED, f"a rule {does} it{sure}: {dropped}"),)
    elif reply is not None:
        to = next((r.after for r in last.rewrites if r.what == "destination"), last.destination)
        decisions = (Decision(Decided.REFUSED, f"nobody listens on {to}: the kernel answers with a reset"),)
    elif own:
        decisions = (Decision(Decided.ENDED, "it came in for a socket here, and nothing came of it"),)
    elif error is not None:
        decisions = (Decision(Decided.ENDED, "it was not sent on: an error of ICMP went back"),)
    else:
        row = next((d.text for d in _onward_of(scene, last)), "")
        decisions = (Decision(Decided.ENDED, f"it was to go on{f' by {row}' if row else ''}, and never did"),)
    return (*there[:-1], replace(last, decisions=decisions))


def _onward_of(scene: TraceInput, last: Hop) -> Iterator[Decision]:
    here = scene.namespace(last.key)
    row = route_row(choose(here, last.destination.address, source=last.source.address, incoming=last.interface))
    if row:
        yield Decision(Decided.ROUTE, row)


def _is_for(scene: TraceInput, conversation: Conversation, parent: Followed) -> bool:
    """Whether a connection was made where the parent was delivered, while that waited for its answer."""
    first = conversation.first
    if parent.key is None or first.place.key != parent.key or not first.frame.outgoing:
        return False
    if not parent.begins <= first.at <= parent.ends:
        return False
    # Whoever asks the same socket from its own namespace asks for its own sake, such as a check of health.
    same = parent.listener is not None and first.destination.port == parent.listener.port
    return not (same and is_local(scene.namespace(parent.key), first.destination.address))


def _others(found: Sequence[Conversation], parent: Followed, used: set[int]) -> int:
    """How many other connections to the same socket were open in that time."""
    if parent.key is None or parent.listener is None:
        return 0
    port = parent.listener.port
    return sum(
        any(
            x.place.key == parent.key
            and not x.frame.outgoing
            and x.destination.port == port
            and x.segment.data
            and parent.begins <= x.at <= parent.ends
            for x in one.shown
        )
        for one in found
        if id(one) not in used
    )


def _opener(parent: Followed | None, first: Shown) -> str:
    listener = parent.listener if parent is not None else None
    return _with_program(first.place.label, listener)


def _delivered(last: Shown, listener: Listener | None) -> str:
    return _with_program(last.place.label, listener)


def _with_program(label: str, listener: Listener | None) -> str:
    process = listener.process if listener is not None else None
    if process is None:
        return label
    inside = f" in {process.container}" if process.container not in (None, label) else ""
    return f"{label} ({process.name}{inside})"


def _said(packet: Shown | None) -> str:
    """The first line of what a packet bears, where it is text."""
    if packet is None:
        return ""
    data = packet.segment.data
    line = data.split(b"\r\n", 1)[0].split(b"\n", 1)[0]
    if data[0] == _TLS_HANDSHAKE and len(data) > 1 and data[1] == 3:  # noqa: PLR2004 - RFC 8446, 5.1
        return f"TLS, {len(data)} bytes"
    if line.isascii() and line.decode("ascii").isprintable() and len(line) >= 4:  # noqa: PLR2004 - as short as a word
        return line[:_LINE].decode("ascii")
    return f"{len(data)} byte{'s' if len(data) > 1 else ''}"


def sentence(scene: TraceInput, found: Sequence[Leg], request: Request, questions: Sequence[ArpShown]) -> str:
    """How the journey ended."""
    return _ended_as(scene, found[0], request, questions) if found else _never_sent(scene, request, questions)


def _ended_as(scene: TraceInput, leg: Leg, request: Request, questions: Sequence[ArpShown]) -> str:
    seen = request.observation
    last = leg.there[-1]
    to = next((rewrite.after for rewrite in last.rewrites if rewrite.what == "destination"), last.destination)
    asked = _asked(scene, questions, last.key, [to.address])
    match leg.end:
        case LegEnd.ANSWERED:
            status = f" with {seen.answer.status}" if seen.answer and seen.answer.status else ""
            return f"{leg.delivered or request.target.authority} answered{status}"
        case LegEnd.REFUSED:
            return f"refused: {_why(leg)}"
        case LegEnd.RESET:
            return f"reset by {leg.back[0].namespace if leg.back else 'the other end'}, without an answer"
        case LegEnd.ICMP:
            about = icmp_error(leg.back[0].frame)
            words = _ICMP_WORDS.get((about.kind, about.code), f"type {about.kind}, code {about.code}") if about else ""
            return f"{leg.back[0].source} ({leg.back[0].namespace}) said by ICMP: {words}; {asked or _why(leg)}"
        case _ if leg.back:
            return f"{leg.delivered or 'the other end'} took the connection and never answered"
        case _:
            return (
                f"no answer to {leg.attempts} SYN{'s' if leg.attempts > 1 else ''}: in {leg.there[-1].namespace}, "
                + (asked or _why(leg))
            )


#: RFC 792 and RFC 1812, 5.2.7.1.
_ICMP_WORDS: Final = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 13): "communication administratively prohibited",
    (11, 0): "time to live exceeded in transit",
}


def _why(leg: Leg) -> str:
    last = leg.there[-1]
    return (
        "; ".join(decision.text for decision in last.decisions) or f"it ended at {last.interface} of {last.namespace}"
    )


def _never_sent(scene: TraceInput, request: Request, questions: Sequence[ArpShown]) -> str:
    place, seen = request.place, request.observation
    if seen.outcome is Outcome.CONNECTED:
        return "it was answered, and none of its packets passed an interface that could be looked at"
    dropped = next(
        (
            hit.rule
            for hit in scene.hits.get(place.namespace or "", ())
            if hit.rule.verdict == "drop" and hit.marked is not None and hit.marked.source_port in request.ports
        ),
        None,
    )
    if dropped is not None:
        return f"no packet left {place.name}: a rule drops it: {dropped}"
    asked = _asked(scene, questions, place.namespace, _addresses(request))
    return f"no packet left {place.name}: {asked or seen.text or seen.outcome}"


def _addresses(request: Request) -> Sequence[Address]:
    """Those that the target has, as far as that is written where the request was made."""
    try:
        return [ipaddress.ip_address(request.target.host)]
    except ValueError:
        return request.place.names.hosts.lookup(request.target.host)


def _asked(scene: TraceInput, questions: Sequence[ArpShown], key: str | None, targets: Sequence[Address]) -> str:
    """Whom a namespace asked for in vain by ARP, to send to one of these addresses; empty where it did not."""
    if key is None:
        return ""
    here = scene.namespace(key)
    wanted = {choose(here, target).hop or target for target in targets}
    answered = {one.frame.arp.sender for one in questions if one.frame.arp and not one.frame.arp.request}
    asked = [
        (one.frame.arp.target, one.place.interface)
        for one in questions
        if one.frame.arp
        and one.frame.arp.request
        and one.frame.outgoing
        and one.place.key == key
        and one.frame.arp.target in wanted
        and one.frame.arp.target not in answered
    ]
    if not asked:
        return ""
    target, interface = asked[0]
    times = sum(one == asked[0] for one in asked)
    return f"nobody answered ARP for {target} at {interface}, asked {times} time{'s' if times > 1 else ''}"
