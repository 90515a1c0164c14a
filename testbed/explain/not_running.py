"""A container that does not run: the one that is meant, or the one that it starts from. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.containers import Start
from testbed.evidence import Container
from testbed.explain.by_ending import propose
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.model import Address
from testbed.predict.unresolved import NotRunning


def not_running(case: Case, container: Container, meant: str = "") -> Proposal:
    """The container that is meant does not run, or the one that it starts from.

    :param meant: the words after "which" that say why it is, where that is neither by its name nor by its address
    """
    code = f" with status {container.exit_code}" if container.state == "exited" else ""
    role = ""
    if container == case.place.container:
        role = ", which it is to be tried from,"
    elif meant:
        role = f", which {meant},"
    elif case.attempt.target.host != container.name:
        role = f", which {case.said} leads to,"
    host = case.named(container.host)
    # Its image does not tell what its program listens on: what was called is taken for that.
    # Where its name is not known that port is the resolver's.
    port = case.port if case.prediction.address else case.attempt.target.port
    ports = () if container == case.place.container else (port,)
    return Proposal(
        Cause.NOT_RUNNING,
        f"The container {container.name} on {host}{role} does not run: it is {container.state}{code}.",
        (Row("container", host, f"{container.id[:12]} {container.name} {container.state}"),),
        (
            Remedy(
                "Start it (podman logs says why it ended)",
                changes=(Start(container.host, container.id, ports, _known_by(case, container)),),
            ),
        ),
    )


def _known_by(case: Case, container: Container) -> tuple[Address, ...]:
    """The addresses that a container is called by: that of its name in the caller's hosts file, or what was called."""
    called = case.prediction.address
    named = case.place.names.hosts.lookup(container.name)
    return tuple(a for a in named if a == called) or tuple(a for a in named if not a.is_loopback)


@propose.register
def place_not_running(_: NotRunning, case: Case) -> Iterator[Proposal]:
    """The container that it is to be tried from does not run."""
    if case.place.container is not None:
        yield not_running(case, case.place.container)
