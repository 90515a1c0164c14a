"""A port that is published for the transport protocol that was not spoken. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.publishing import Publish, Republish
from testbed.evidence import Container, Protocol, Published
from testbed.explain.calling import direct, speak
from testbed.explain.case import Case, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy
from testbed.explain.publishing import published_row, spelled
from testbed.explain.rows import listener_row
from testbed.predict.ending import NoListener


def proposals(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """A container publishes the port for TCP, and UDP was spoken, or the other way round (podman-run(1), --publish)."""
    if not case.is_host(ending.namespace.key):
        return
    hosts, address = case.hosts_of(ending.namespace.key), ending.destination
    for container in case.evidence.containers:
        there = case.evidence.namespaces.get(container.namespace or "")
        if container.host not in hosts or there is None or case.is_host(there.key):
            continue
        for old in container.published:
            found = listeners(there, old.container_port, case.protocol)
            if old.host_port != case.port or old.protocol == case.protocol:
                continue
            if not found:
                yield _spoken_otherwise(case, container, old)
                continue
            new = replace(old, protocol=case.protocol, host_address=old.host_address and str(address))
            also = bool(listeners(there, old.container_port, Protocol(old.protocol)))
            change = Publish(container.host, container.id, new)
            yield Proposal(
                Cause.NOT_PUBLISHED,
                f"{container.name} publishes port {old.host_port} for {old.protocol.upper()} only, and you spoke "
                f"{case.protocol.upper()}, for which {holder(found[0])} listens on port {old.container_port} there.",
                (published_row(case, container, old), listener_row(there, found[0])),
                (
                    *direct(case, there, old.container_port),
                    Remedy(
                        f"Publish it for {case.protocol.upper()}{' too' if also else ' instead'}",
                        f"podman run -p {spelled(new)} ... (a new container)",
                        (change if also else Republish(container.host, container.id, old, new),),
                    ),
                ),
            )


def _spoken_otherwise(case: Case, container: Container, published: Published) -> Proposal:
    """Nobody in the container listens for what was spoken: what the port is published for is to be spoken."""
    meant = Protocol(published.protocol)
    return Proposal(
        Cause.UDP_NOT_TCP,
        f"{container.name} publishes port {published.host_port} for {meant.upper()} only: you spoke "
        f"{case.protocol.upper()}, which nobody takes, there or in the container.",
        (published_row(case, container, published),),
        (speak(case, meant),),
    )
