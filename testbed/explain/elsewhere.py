"""Causes of a loopback address: each network namespace has its own, and the listener is on another one's. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.listening import Rebind
from testbed.change.networks import NewOnHostNetwork, NewWithNetworkOf
from testbed.evidence import Container, Listener, Namespace
from testbed.evidence.programs import only_holds
from testbed.explain.by_ending import propose  # noqa: F401 - what listening registers comes here
from testbed.explain.calling import direct
from testbed.explain.case import Case, any_address, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy
from testbed.explain.rows import listener_row
from testbed.model import Address, Target
from testbed.predict.ending import NoListener

#: The name that Podman writes into the hosts files of containers (podman-run(1), --add-host).
HOST_NAME = "host.containers.internal"
#: Other namespaces whose listeners are proposed.
_MOST = 3


def proposals(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """The port is listened on in other namespaces, and the caller's own loopback was called."""
    here = ending.namespace
    if not ending.destination.is_loopback or here.key != case.place.namespace:
        return
    found = [
        (namespace, entry)
        for namespace in case.evidence.namespaces.values()
        if namespace.key != here.key
        for entry in listeners(namespace, case.attempt.target.port, case.protocol)
        if not only_holds(entry)
    ]
    # The host that the container is on is the one that people mean.
    found.sort(key=lambda pair: (pair[0].key != case.place.host.namespace, not case.is_host(pair[0].key)))
    for there, listener in found[:_MOST]:
        remedies = _of_the_host if case.is_host(there.key) else _of_a_container
        yield Proposal(
            Cause.OTHER_NAMESPACE,
            f"{case.said} in {case.place.name} is {case.place.name} itself: each network namespace has a loopback of "
            f"its own. On port {case.port} nobody listens there; {holder(listener)} does, in {there.label}.",
            (listener_row(there, listener),),
            tuple(remedies(case, there, listener)),
        )


def of_another_container(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """A container has the address, and another one on a network of the caller's listens on the port.

    Addresses are given anew: whoever keeps one, as nginx does of its upstreams, calls another container one day.
    """
    here, address = ending.namespace, ending.destination
    having = next((c for c in case.containers_in(here.key) if not case.is_host(here.key)), None)
    caller = case.place.container
    if having is None or caller is None or having is caller or str(address) != case.attempt.target.host:
        return
    for other in case.evidence.containers:
        there = case.evidence.namespaces.get(other.namespace or "")
        if other in (having, caller) or there is None or other.host != caller.host:
            continue
        found = [entry for entry in listeners(there, case.port, case.protocol) if not entry.address.is_loopback]
        if found:
            yield Proposal(
                Cause.STALE_ADDRESS,
                f"{address} is the address of {having.name} now, where nobody listens on port {case.port}; "
                f"{holder(found[0])} does, in {other.name}{_with_addresses(other)}.",
                (listener_row(there, found[0]),),
                tuple(direct(case, there, case.port)),
                ("A program that looks a name up once, when it starts, goes on calling an address of before.",),
                f"{other.name} was meant, which had {address} before",
            )


def _with_addresses(container: Container) -> str:
    found = ", ".join(str(address) for on in container.attachments for address in on.addresses)
    return f" ({found})" if found else ""


def _of_the_host(case: Case, there: Namespace, listener: Listener) -> Iterator[Remedy]:
    target = replace(case.attempt.target, host=HOST_NAME)
    yield Remedy(f"Call the host by {HOST_NAME}", target=target)
    for address, where in _gateways(case):
        yield Remedy(
            f"Call the host by {HOST_NAME}, and let {holder(listener)} listen on {where}",
            changes=(Rebind(there.key, listener, address, listener.port),),
            target=target,
        )
    container = case.place.container
    if container is not None:
        yield Remedy(
            f"Run {case.place.name} with the host's network",
            "podman run --network host ... (a new container)",
            (NewOnHostNetwork(container.host, container.id),),
        )


def _gateways(case: Case) -> Iterator[tuple[Address, str]]:
    """The addresses of the host that the name stands for, and its wildcard."""
    for address in case.place.names.hosts.lookup(HOST_NAME)[:1]:
        yield address, str(address)
        yield any_address(address.version), "every address"


def _of_a_container(case: Case, there: Namespace, listener: Listener) -> Iterator[Remedy]:
    yield from direct(case, there, listener.port)
    for container in case.containers_in(there.key):
        for published in container.published:
            if published.container_port == listener.port and case.place.container is None:
                target = Target(case.attempt.target.scheme, "127.0.0.1", published.host_port, case.attempt.target.path)
                yield Remedy("Call the port that it is published on", target=target)
        if case.place.container is not None:
            yield Remedy(
                f"Share its network namespace: make {case.place.name} anew",
                f"podman run --network container:{container.name} ... (a new container)",
                (NewWithNetworkOf(case.place.container.host, case.place.container.id, container.id),),
            )
