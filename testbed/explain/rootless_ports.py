"""Causes of a port that rootless Podman publishes: a program accepts for the container, whatever that does. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.change.listening import Rebind, StartProgram
from testbed.change.publishing import Republish
from testbed.evidence import Listener, Namespace
from testbed.explain.by_ending import propose
from testbed.explain.case import Case, any_address, at, covers, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import listener_row
from testbed.predict.ending import RelayCloses

_ACCEPTS_ANYWAY: Final = (
    "Connecting to a port that rootless Podman publishes succeeds even where nobody listens behind.",
)


@propose.register
def published_port(ending: RelayCloses, case: Case) -> Iterator[Proposal]:
    """rootlessport or pasta accepts for a published port, whatever the container does."""
    container, published, there = ending.container, ending.published, ending.onward.namespace
    port = published.container_port
    ports = f"{published.host_port}->{port}/tcp {container.name}"
    rows = (listener_row(ending.namespace, ending.listener), Row("published", case.named(container.host), ports))
    takes = f"Rootless Podman's {ending.program} takes the connection for {container.name}, where"
    found = listeners(there, port, case.protocol)
    if found:
        yield _elsewhere_inside(ending, there, found, rows, takes)
    for other in there.listeners:
        if other.protocol is case.protocol and not other.address.is_loopback and other.port != port:
            yield _wrong_port(ending, there, other, rows, takes)
    if not found:
        yield Proposal(
            Cause.NOBODY_LISTENS,
            f"{takes} nobody listens on port {port}: so the connection is made, and closed again without an answer.",
            rows,
            (
                Remedy(
                    f"Start the program that is to listen on port {port} of {container.name}",
                    f"podman logs {container.name}",
                    (StartProgram(there.key, case.protocol, any_address(4), port),),
                ),
            ),
            _ACCEPTS_ANYWAY,
            f"the program for port {port} of {container.name} does not run",
        )


def _elsewhere_inside(
    ending: RelayCloses, there: Namespace, found: tuple[Listener, ...], rows: tuple[Row, ...], takes: str
) -> Proposal:
    """The program listens on that port, and not on the IPv4 address that whoever accepted calls."""
    bound = " and ".join(at(entry.address, entry.port) for entry in found)
    cause, says = Cause.OTHER_ADDRESS, f"{ending.program} calls {there.label} by its IPv4 address"
    if all(entry.address.is_loopback for entry in found):
        cause = Cause.ROOTLESS_PORT_LOOPBACK
        says = f"that is the container's own loopback, which {ending.program} does not call"
    elif not any(covers(entry, 4) for entry in found):
        cause = Cause.OTHER_FAMILY
    return Proposal(
        cause,
        f"{takes} {holder(found[0])} listens only on {bound}, and {says}: so the connection is made, and closed again "
        "without an answer.",
        (*rows, *(listener_row(there, entry) for entry in found)),
        (
            Remedy(
                f"Make {holder(found[0])} in {there.label} listen on every address of the container",
                at(any_address(4), found[0].port),
                (Rebind(there.key, found[0], any_address(4), found[0].port),),
            ),
        ),
        _ACCEPTS_ANYWAY,
    )


def _wrong_port(ending: RelayCloses, there: Namespace, other: Listener, rows: tuple[Row, ...], takes: str) -> Proposal:
    """Another port is listened on than the one that is published."""
    container, published = ending.container, ending.published
    new = replace(published, container_port=other.port)
    return Proposal(
        Cause.WRONG_CONTAINER_PORT,
        f"{takes} nobody listens on port {published.container_port}; {holder(other)} listens on {other.port}: so the "
        "connection is made, and closed again without an answer.",
        (*rows, listener_row(there, other)),
        (
            Remedy(
                f"Publish port {other.port}, which {holder(other)} listens on",
                f"podman run -p {published.host_port}:{other.port} ... (a new container)",
                (Republish(container.host, container.id, published, new),),
            ),
        ),
        _ACCEPTS_ANYWAY,
        f"port {published.host_port} was to be published to port {other.port}",
    )
