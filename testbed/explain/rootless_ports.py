"""Causes of a port that rootless Podman publishes: a program accepts for the container, whatever that does. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import Listener, Namespace, Protocol
from testbed.explain.case import Case, at, covers, holder, listener_row, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.predict.ending import RelayCloses

_ACCEPTS_ANYWAY: Final = (
    "Connecting to a port that rootless Podman publishes succeeds even where nobody listens behind."
)


def published_port(case: Case) -> Diagnosis | None:
    """rootlessport or pasta accepts for a published port, whatever the container does."""
    ending = case.prediction.ending
    if not isinstance(ending, RelayCloses):
        return None
    program, container, published = ending.program, ending.container, ending.published
    there = ending.onward.namespace
    accepted = listener_row(ending.namespace, ending.listener)
    found = listeners(there, published.container_port, Protocol.TCP)
    ports = f"{published.host_port}->{published.container_port}/tcp {container.name}"
    row = Row("published", case.named(container.host), ports)
    takes = f"Rootless Podman's {program} takes the connection for {container.name}, where"
    everywhere = Cure(
        f"Make the program in {container.name} listen on all of the container's addresses",
        at("0.0.0.0", published.container_port),
        "whoever reaches the published port",
    )
    if found and not all(entry.address.is_loopback for entry in found):
        return _other_address(there, found, accepted, takes, program)
    if found:
        bound = " and ".join(at(entry.address, entry.port) for entry in found)
        return Diagnosis(
            Cause.ROOTLESS_PORT_LOOPBACK,
            f"{takes} {holder(found[0])} listens only on {bound}, the container's own loopback, which "
            f"{program} does not call: so the connection is made, and closed again without an answer.",
            (accepted, row, *(listener_row(there, entry) for entry in found)),
            (everywhere,),
            (_ACCEPTS_ANYWAY,),
        )
    others = [e for e in there.listeners if e.protocol is Protocol.TCP and not e.address.is_loopback]
    if others:
        return Diagnosis(
            Cause.WRONG_CONTAINER_PORT,
            f"{takes} nobody listens on port {published.container_port}; {holder(others[0])} listens on "
            f"{others[0].port}: so the connection is made, and closed again without an answer.",
            (accepted, row, listener_row(there, others[0])),
            (
                Cure(
                    "Publish the port that it listens on",
                    f"podman run -p {published.host_port}:{others[0].port} ... (a new container)",
                ),
            ),
            (_ACCEPTS_ANYWAY,),
        )
    return Diagnosis(
        Cause.NOBODY_LISTENS,
        f"{takes} nobody listens on port {published.container_port}: so the connection is made, and closed again "
        "without an answer.",
        (accepted, row),
        (Cure("Start the program that is to listen there", f"podman logs {container.name}"),),
        (_ACCEPTS_ANYWAY,),
    )


def _other_address(there: Namespace, found: tuple[Listener, ...], accepted: Row, takes: str, program: str) -> Diagnosis:
    """The program listens outside its loopback, and not on the IPv4 address that whoever accepted calls."""
    bound = " and ".join(at(entry.address, entry.port) for entry in found)
    family = not any(covers(entry, 4) for entry in found)
    return Diagnosis(
        Cause.OTHER_FAMILY if family else Cause.OTHER_ADDRESS,
        f"{takes} {holder(found[0])} listens only on {bound}, and {program} calls {there.label} by its IPv4 "
        "address: so the connection is made, and closed again without an answer.",
        (accepted, *(listener_row(there, entry) for entry in found)),
        (
            Cure(
                f"Make the program in {there.label} listen on all of its IPv4 addresses",
                at("0.0.0.0", found[0].port),
                "whoever reaches the published port",
            ),
        ),
        (_ACCEPTS_ANYWAY,),
    )
