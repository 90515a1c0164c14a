"""Causes that have to do with published ports. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from testbed.change.containers import Start
from testbed.change.listening import Rebind, StopListening
from testbed.change.publishing import Publish, Republish, Unpublish
from testbed.evidence import Container, Namespace, Published
from testbed.explain.calling import by_another_port, direct, publications
from testbed.explain.case import Case, any_address, as_address, at, covers, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Proposal, Remedy, Row
from testbed.explain.not_running import not_running
from testbed.explain.rows import listener_row
from testbed.model import Address, bracketed
from testbed.predict.ending import NoListener
from testbed.predict.steps import Translation

_IN_USE: Final = frozenset({"running", "paused"})
#: Where a usual witness misleads.
HOLDS_ONLY: Final = (
    "The host's ss shows the published port as listened on: that is Podman's conmon, which only holds the port.",
)


def proposals(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """Causes of a published port, or of one that is not published, where no socket takes the packet."""
    here, address = ending.namespace, ending.destination
    if case.is_host(here.key):
        hosts = case.hosts_of(here.key)
        for container, published in case.published_at(hosts, case.port):
            if container.state in _IN_USE:
                yield from _published_elsewhere(case, container, published, address)
            else:
                yield not_running(case, container, f"publishes port {case.port} there")
        yield from _not_published(case, hosts, address)
    else:
        yield from _wrong_container_port(case, here)


def _wrong_container_port(case: Case, here: Namespace) -> Iterator[Proposal]:
    """The port is published and leads into a container where nobody listens on the container's port."""
    container = next(iter(case.containers_in(here.key)), None)
    if container is None or listeners(here, case.port, case.protocol):
        return
    outside = case.attempt.target.port
    meant = next((p for p in container.published if (p.container_port, p.host_port) == (case.port, outside)), None)
    rewritten = [s for s in case.prediction.steps if isinstance(s, Translation) and not s.back]
    if not rewritten or meant is None:
        return
    version = case.prediction.address.version if case.prediction.address else 4
    for listener in here.listeners:
        if listener.protocol is not case.protocol or listener.address.is_loopback or not covers(listener, version):
            continue
        new = replace(meant, container_port=listener.port)
        yield Proposal(
            Cause.WRONG_CONTAINER_PORT,
            f"Port {outside} is published to port {case.port} of the container {here.label}, and nobody listens on "
            f"{case.port} there; {holder(listener)} listens on {listener.port}.",
            (published_row(case, container, meant), listener_row(here, listener)),
            (
                *by_another_port(case, container, listener.port),
                Remedy(
                    f"Publish port {listener.port}, which {holder(listener)} listens on",
                    f"podman run -p {spelled(new)} ... (a new container)",
                    (Republish(container.host, container.id, meant, new),),
                ),
                Remedy(
                    f"Make {holder(listener)} listen on port {case.port}",
                    at(any_address(version), case.port),
                    (Rebind(here.key, listener, any_address(version), case.port),),
                ),
            ),
            HOLDS_ONLY,
            f"port {outside} was to be published to port {listener.port}",
        )


def _port(case: Case) -> str:
    """The port that is called in the end, as ``podman port`` writes one."""
    return f"{case.port}/{case.protocol}"


def taken(case: Case, said: str) -> Diagnosis | None:
    """Somebody else answers at the port that a container publishes, which does not run.

    :param said: what he answered, in a few words
    """
    listener, here = case.prediction.listener, case.end
    if listener is None or listener.process is None or here is None or not case.is_host(here.key):
        return None
    published = [container for container, _ in case.published_at(case.hosts_of(here.key), case.port)]
    if not published or listener.process.container or any(container.state in _IN_USE for container in published):
        return None
    container = published[0]
    return Diagnosis(
        Cause.PORT_TAKEN,
        f"{holder(listener)} of {here.label}, listening on {at(listener.address, listener.port)}, answered{said}. It "
        f"is the container {container.name} that publishes port {case.port} there, which does not run "
        f"({container.state}), and cannot be started while that port is taken.",
        (
            listener_row(here, listener),
            Row("container", case.named(container.host), f"{container.id[:12]} {container.name} {container.state}"),
        ),
        (
            Cure(
                f"End what holds the port, if it is not meant, and start {container.name}",
                f"kill {listener.process.pid}\npodman start {container.name}",
                changes=(StopListening(here.key, listener), Start(container.host, container.id)),
            ),
        ),
    )


def _published_elsewhere(
    case: Case, container: Container, published: Published, address: Address
) -> Iterator[Proposal]:
    """The port is published on another address of the host than the one that was called, or for the other family."""
    bound = as_address(published.host_address) if published.host_address else None
    row = published_row(case, container, published)
    there = case.evidence.namespaces.get(container.namespace or "")
    straight = tuple(direct(case, there, published.container_port)) if there is not None else ()
    again = tuple(_republished(container, published, address))
    if address.version == 6 and (bound is None or bound.version == 4 or address.is_loopback):
        where = "[::1]" if address.is_loopback else f"[{address}]"
        four = bound if bound is not None and bound.version == 4 and not bound.is_unspecified else "127.0.0.1"
        target = replace(case.attempt.target, host=str(four))
        why = "Podman holds the port on IPv4 only, and a rule cannot lead from the IPv6 loopback to a container"
        if case.evidence.host(container.host).rootless:
            why = "what takes the port for a rootless container listens there on IPv4 only"
        yield Proposal(
            Cause.PUBLISHED_IPV6_LOOPBACK,
            f"Port {published.host_port} of {container.name} is published for IPv4, and you called {where}: nothing "
            f"takes it there, for {why}.",
            (row,),
            (
                Remedy("Call it by its IPv4 address", target=target),
                *straight,
                *by_another_port(case, container, published.container_port),
                *again,
            ),
            ("localhost is often ::1 first: a client that tries only one address fails, another one works.",),
        )
        return
    if bound is None or bound.is_unspecified or bound == address:
        return
    where = f"the host's own loopback only ({bound})" if bound.is_loopback else f"{bound} only"
    yield Proposal(
        Cause.PUBLISHED_ON_LOOPBACK,
        f"{container.name} publishes port {published.host_port} on {where}, and "
        f"{case.said} is another address of {case.named(container.host)}.",
        (row,),
        (
            *straight,
            *by_another_port(case, container, published.container_port),
            *again,
        ),
    )


def _republished(container: Container, published: Published, address: Address) -> Iterator[Remedy]:
    """Publishing it on the address that was called, or on all."""
    everywhere = replace(published, host_address="")
    for new, where in ((replace(published, host_address=str(address)), str(address)), (everywhere, "every address")):
        yield Remedy(
            f"Publish it on {where}",
            f"podman run -p {spelled(new)} ... (a new container)",
            (Republish(container.host, container.id, published, new),),
        )


def _not_published(case: Case, hosts: Collection[str], address: Address) -> Iterator[Proposal]:
    """A container listens on that port, and the host was called, where it is not published."""
    for container in case.evidence.containers:
        if container.host not in hosts or container.namespace is None or case.is_host(container.namespace):
            continue
        if container.namespace == case.place.namespace or any(
            (p.host_port, p.protocol) == (case.port, case.protocol) for p in container.published
        ):
            continue
        there = case.evidence.namespaces.get(container.namespace)
        found = listeners(there, case.port, case.protocol) if there else ()
        found = tuple(entry for entry in found if covers(entry, address.version))
        if there is None or not found or all(e.address.is_loopback for e in found):
            continue
        new = Published(case.protocol, case.port, case.port, str(address))
        host, known = case.named(container.host), publications(case, container, case.port)
        ports = ", ".join(f"{at(p.host_address or '0.0.0.0', p.host_port)}" for p in known)
        only = f"only published as {ports} on {host}" if known else f"not published on {host}"
        yield Proposal(
            Cause.NOT_PUBLISHED,
            f"{holder(found[0])} listens on port {case.port} inside the container {container.name}, but that port "
            f"is {only}: at {at(address, case.port)} nobody takes it.",
            (
                listener_row(there, found[0]),
                *(replace(published_row(case, container, one), removal=None) for one in known),
                *([] if known else [Row("published", host, f"{container.name}: nothing for {_port(case)}")]),
            ),
            (
                *by_another_port(case, container, case.port),
                *direct(case, there, case.port),
                Remedy(
                    f"Publish it on {address}",
                    f"podman run -p {spelled(new)} ... (a new container)",
                    (Publish(container.host, container.id, new),),
                ),
            ),
        )


def published_row(case: Case, container: Container, published: Published) -> Row:
    """A published port as ``podman port`` shows it."""
    where = at(published.host_address or "0.0.0.0", published.host_port)
    text = f"{where}->{published.container_port}/{published.protocol} {container.name}"
    return Row("published", case.named(container.host), text, Unpublish(container.host, container.id, published))


def spelled(published: Published) -> str:
    """A publication as podman-run(1), --publish, is given it."""
    where = f"{bracketed(published.host_address)}:" if published.host_address else ""
    protocol = "" if published.protocol == "tcp" else f"/{published.protocol}"
    return f"{where}{published.host_port}:{published.container_port}{protocol}"
