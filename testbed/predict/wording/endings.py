"""The sentences for how the way of a packet ends. Pure."""

from __future__ import annotations

from testbed.evidence import Act, PolicyRule, Route, RouteKind
from testbed.predict.ending import (
    Accepted,
    Discarded,
    Dropped,
    Filtered,
    Hairpin,
    Held,
    LaterFiltered,
    Left,
    Martian,
    NeighbourFiltered,
    NoListener,
    NoNeighbour,
    NoRoute,
    NoSource,
    NotForwarded,
    NoTranslationAddress,
    NotTranslated,
    QueueFull,
    Rejected,
    Returned,
    ReversePath,
    Routed,
    RouteForbids,
    StaleNeighbour,
    Suspended,
    Taken,
    Unasked,
)
from testbed.predict.sysctls import Sysctl
from testbed.predict.wording.barriers import keeps
from testbed.predict.wording.rows import at, forbidding, holder, hook, rule
from testbed.predict.wording.why import sentence, why


def _bound(ending: Taken) -> str:
    listener = ending.listener
    return f"{at(listener.address, listener.port)} of {ending.namespace.label}{holder(listener)}"


@sentence.register
def accepted(ending: Accepted) -> str:
    """A listener accepts."""
    return f"{_bound(ending)} accepts"


@sentence.register
def held(ending: Held) -> str:
    """A listener holds the port."""
    return f"{_bound(ending)} holds the port and never accepts"


@sentence.register
def suspended(ending: Suspended) -> str:
    """Nobody reads."""
    process = ending.listener.process
    what = (
        f"{ending.container.name} is paused" if ending.container else f"{process.name if process else '?'} is stopped"
    )
    return f"{_bound(ending)} accepts by its kernel alone: {what}"


@sentence.register
def queue_full(ending: QueueFull) -> str:
    """The accept queue is full."""
    listener = ending.listener
    waiting = f"{listener.queue} connection{'' if listener.queue == 1 else 's'}"
    return f"{_bound(ending)} has {waiting} waiting and takes at most {listener.backlog}"


@sentence.register
def no_listener(ending: NoListener) -> str:
    """No socket takes the packet."""
    packet = ending.packet
    nothing = f"nothing there takes {packet.protocol} for {at(packet.destination, packet.destination_port)}"
    return f"{packet.destination} is {ending.namespace.label}'s own, and {nothing}"


def _filtered(ending: Filtered, verb: str) -> str:
    """The packet or its answer is stopped; of a lost answer it is said first what it was an answer to."""
    where = hook(ending.verdict, ending.namespace)
    if not ending.back:
        return f"a firewall rule in {where} {verb} it"
    before = f"{why(ending.there)}, and " if ending.there else ""
    return f"{before}a firewall rule in {where} {verb} the answer"


@sentence.register
def not_translated(ending: NotTranslated) -> str:
    """The port is published, and nothing rewrites it."""
    packet, here = ending.packet, ending.namespace.label
    port = f"{packet.protocol} port {ending.published.host_port}"
    return f"{ending.container.name} publishes {port} on {here}, and no rule there rewrites what comes to it"


@sentence.register
def dropped(ending: Dropped) -> str:
    """A rule drops the packet."""
    return f"{_filtered(ending, 'drops')}: {rule(ending.verdict)}"


@sentence.register
def rejected(ending: Rejected) -> str:
    """A rule rejects the packet."""
    said = f"{_filtered(ending, 'rejects')}: {rule(ending.verdict)}"
    if ending.not_undone:
        said += f"; its reset comes from {ending.destination}, which was not called"
    return f"{said}"


@sentence.register
def neighbour_filtered(ending: NeighbourFiltered) -> str:
    """A rule stops the question for a neighbour, or its answer."""
    where = hook(ending.verdict, ending.namespace)
    how = "ARP" if ending.hop.version == 4 else "neighbour discovery"
    return f"a firewall rule in {where} drops the {how} that finds {ending.hop}: {rule(ending.verdict)}"


@sentence.register
def later_filtered(ending: LaterFiltered) -> str:
    """A rule stops what follows the handshake."""
    whose = "answers" if ending.back else "packets"
    verb = "rejects" if ending.answer else "drops"
    where = hook(ending.verdict, ending.namespace)
    return f"the connection is made, and then a firewall rule in {where} {verb} its {whose}: {rule(ending.verdict)}"


@sentence.register
def discarded(ending: Discarded) -> str:
    """A queueing discipline discards the packet."""
    return f"{ending.link.name} of {ending.namespace.label} discards it: {ending.by.text}"


@sentence.register
def no_translation_address(ending: NoTranslationAddress) -> str:
    """The interface has no address to translate to."""
    if ending.act is Act.REDIRECT:
        return f"{ending.link.name} has no address to redirect to"
    return f"{ending.link.name} of {ending.namespace.label} has no address to masquerade behind"


@sentence.register
def no_route(ending: NoRoute) -> str:
    """A route is missing."""
    here, to = ending.namespace.label, ending.destination
    match ending.routed:
        case Routed.SENT:
            said = f"{here} has no route to {to}"
        case Routed.REWRITTEN:
            said = f"{here} has no route to {to}, which it was rewritten to"
        case Routed.FORWARDED:
            said = f"{here}, on the way, has no route to {to}"
        case Routed.ANSWER:
            before = f"{why(ending.there)}, and " if ending.there else ""
            said = f"{before}{here} has no route back to {to}"
        case Routed.STRAY_ANSWER:
            said = f"the answer to {to} goes to {here}, which did not ask"
    return f"{said}"


@sentence.register
def route_forbids(ending: RouteForbids) -> str:
    """A route forbids the destination."""
    before = f"{why(ending.there)}, and " if ending.there else ""
    return f"{before}{forbidding(ending.by)} of {ending.namespace.label} forbids {ending.destination}"


@sentence.register
def no_source(ending: NoSource) -> str:
    """There is no source address."""
    here, version = ending.namespace.label, ending.destination.version
    if ending.none_at_all:
        return f"{here} has no IPv6 address at all, not even ::1"
    return f"{here} has no IPv{version} address to send from"


@sentence.register
def not_forwarded(ending: NotForwarded) -> str:
    """The interface does not forward."""
    here = ending.namespace.label
    return f"{ending.destination} is not {here}'s own, and it forwards nothing that {ending.link.name} brings"


@sentence.register
def reverse_path(ending: ReversePath) -> str:
    """rp_filter drops the packet."""
    here, source, link = ending.namespace.label, ending.packet.source, ending.link.name
    settings = _either(ending.sysctls)
    match ending.way_back:
        case None:
            return (
                f"{here} has no route back to {source}, so rp_filter drops what {link} brings from there ({settings})"
            )
        case PolicyRule() | Route(kind=RouteKind.UNREACHABLE | RouteKind.PROHIBIT | RouteKind.BLACKHOLE) as by:
            return f"{forbidding(by)} of {here} forbids the way back to {source}, so rp_filter drops it ({settings})"
    return f"{here} would not answer {source} by {link}, so rp_filter drops it ({settings})"


@sentence.register
def martian(ending: Martian) -> str:
    """The kernel takes no such address there."""
    here, link, address = ending.namespace.label, ending.link.name, ending.address
    settings = f" ({_either(ending.sysctls)})" if ending.sysctls else ""
    if ending.leaving:
        return f"{address} of {here} may not leave by {link}{settings}"
    if address.is_loopback:
        what = "to" if address == ending.destination else "from"
        return f"{here} takes no packet {what} {address} from {link}{settings}"
    return f"{here} takes no packet from its own {address} from {link}{settings}"


def _either(sysctls: tuple[Sysctl, ...]) -> str:
    return ", ".join(f"{one.name} = {one.value or 0}" for one in sysctls)


@sentence.register
def no_neighbour(ending: NoNeighbour) -> str:
    """Nobody answers for the next hop."""
    said = f"nobody answers for {ending.hop} on {ending.link.name} of {ending.namespace.label}"
    return f"{said}: {keeps(ending.barrier)}" if ending.barrier else said


@sentence.register
def stale_neighbour(ending: StaleNeighbour) -> str:
    """The neighbour table is out of date."""
    known = ending.neighbour
    here, link = ending.namespace.label, ending.link.name
    return f"{here} believes that {known.address} is at {known.mac}, which nobody on {link} has"


@sentence.register
def hairpin(ending: Hairpin) -> str:
    """The bridge sends nothing back."""
    here, port = ending.namespace.label, ending.port.name
    return f"{ending.bridge.name} of {here} sends nothing back by the port that it came in by ({port})"


@sentence.register
def left(ending: Left) -> str:
    """The packet leaves the picture."""
    here, link = ending.namespace.label, ending.link
    if link is None:
        return f"the route of {here} leads out of the picture"
    if link.holder:
        return f"{link.name} of {here} is held by {link.holder}, which takes the connection over"
    return f"{ending.hop} is beyond {link.name} of {here}, which the picture does not show"


@sentence.register
def unasked(ending: Unasked) -> str:
    """The answer is to nothing that was asked."""
    here = ending.namespace.label
    return f"the answer comes from {ending.source}, and {here} called {ending.called}: it takes no notice"


@sentence.register
def returned(_: Returned) -> str:
    """The answer is back."""
    return "the answer is back"
