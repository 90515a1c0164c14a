"""The sentences for the steps of a packet's way, and the rows that decide in them. Pure."""

from __future__ import annotations

from functools import singledispatch

from testbed.evidence import RouteKind
from testbed.predict.steps import (
    Crossing,
    Delivery,
    FirewallStop,
    Forwarding,
    NameLookup,
    ProgramConnects,
    ProgramForwards,
    ProgramRefuses,
    RouteLookup,
    Step,
    Translation,
)
from testbed.predict.wording.programs import keeps_closed
from testbed.predict.wording.rows import at, holder, hook, route_row, rule


@singledispatch
def text(step: Step) -> str:
    """Say what happens in a step, and what decides it.

    :raises NotImplementedError: no sentence is registered for a step of that class
    """
    raise NotImplementedError(f"{type(step).__name__} has no sentence in testbed.predict.wording")


@singledispatch
def row(step: Step) -> str:
    """Show the row of the evidence that decides in a step, as its tool prints it; empty where there is none.

    :raises NotImplementedError: no row is registered for a step of that class
    """
    raise NotImplementedError(f"{type(step).__name__} has no row in testbed.predict.wording")


@text.register
def _(step: NameLookup) -> str:
    by = f"the resolver {step.resolver}" if step.resolver else f"the hosts file of {step.place}"
    asked = f", as {step.asked}" if step.asked else ""
    return f"{step.host} is {' and '.join(map(str, step.addresses))}{asked}, by {by}"


@row.register
def _(step: NameLookup) -> str:
    return str(step.resolver) if step.resolver else f"{step.addresses[0]} {step.host}"


@text.register
def _(step: RouteLookup) -> str:
    here, chosen = step.namespace.label, step.chosen
    if chosen.kind is RouteKind.LOCAL:
        return f"{step.destination} is {here}'s own"
    via = f" by way of {chosen.hop}" if chosen.hop else ""
    name = chosen.link.name if chosen.link else "?"
    return f"{here} sends to {step.destination} by {name}{via}, from {step.source}"


@row.register
def _(step: RouteLookup) -> str:
    return route_row(step.chosen)


@text.register
def _(step: FirewallStop) -> str:
    return f"{hook(step.verdict, step.namespace)} {'rejects' if step.rejects else 'drops'} it"


@row.register
def _(step: FirewallStop) -> str:
    return rule(step.verdict)


@text.register
def _(step: Translation) -> str:
    packet = step.after
    to = at(packet.destination, packet.destination_port)
    return f"{step.namespace.label} rewrites it: from {packet.source}, to {to}"


@row.register
def _(step: Translation) -> str:
    return rule(step.by) if step.by else ""


@text.register
def _(step: Crossing) -> str:
    station = step.station
    through = "".join(f", across {b.bridge.name} of {b.namespace.label}," for b in station.bridges)
    link = f"{step.link.name} of {step.sender.label}"
    return f"{link} leads{through} to {station.link.name} of {station.namespace.label}"


@row.register
def _(step: Crossing) -> str:
    return f"{step.hop} is at {step.station.link.mac}"


@text.register
def _(step: Forwarding) -> str:
    out = step.chosen.link.name if step.chosen.link else ""
    return f"{step.namespace.label} forwards from {step.incoming.name} to {out}"


@row.register
def _(step: Forwarding) -> str:
    return route_row(step.chosen)


@text.register
def _(step: Delivery) -> str:
    here, packet, listener = step.namespace.label, step.packet, step.listener
    to = at(packet.destination, packet.destination_port)
    if listener is None:
        return f"{packet.destination} is {here}'s own, and nothing there takes {packet.protocol} for {to}"
    return f"{here} listens on {at(listener.address, listener.port)}{holder(listener)}, which takes {to}"


@row.register
def _(step: Delivery) -> str:
    return at(step.listener.address, step.listener.port) if step.listener else ""


@text.register
def _(step: ProgramConnects) -> str:
    to = at(step.address, step.port)
    return f"{step.program} takes it and connects to {to} from {step.namespace.label}"


@row.register
def _(step: ProgramConnects) -> str:
    return f"{step.link.name} of {step.inside.label} is held by {step.program}"


@text.register
def _(step: ProgramRefuses) -> str:
    return f"{step.program} takes it and refuses: {keeps_closed(step.program, step.address, step.namespace)}"


@row.register
def _(step: ProgramRefuses) -> str:
    return f"{step.link.name} {step.program}"


@text.register
def _(step: ProgramForwards) -> str:
    port = step.published.container_port
    return f"{step.program} takes it and connects to port {port} in {step.namespace.label}"


@row.register
def _(step: ProgramForwards) -> str:
    published = step.published
    return f"{published.host_port}->{published.container_port}/tcp {step.container.name}"
