"""Remedies that leave a machine as it is: a service that is there is called by another address or port. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.networks import Connect
from testbed.evidence import Container, Namespace, Protocol, Published
from testbed.explain.case import Case, as_address
from testbed.explain.explanation import Remedy
from testbed.model import Scheme, Target


def direct(case: Case, there: Namespace, port: int) -> Iterator[Remedy]:
    """Calling a container itself, where the one that calls is on a network of its; making it so where it is on none."""
    caller, container = case.place.container, next(iter(case.containers_in(there.key)), None)
    if caller is None or container is None:
        return
    for network in case.networks_of(caller):
        addresses = [a for on in container.attachments if on.network == network.name for a in on.addresses]
        if network in case.networks_of(container) and addresses:
            how, name = ("name", container.name) if network.dns_enabled else ("address", str(addresses[0]))
            target = called(case.attempt.target, name, port)
            yield Remedy(f"Call {container.name} itself, by its {how} on the network {network.name}", target=target)
            return
    for network in case.networks_of(container):
        addresses = [a for on in container.attachments if on.network == network.name for a in on.addresses]
        name = container.name if network.dns_enabled else str(next(iter(addresses), ""))
        if name:
            yield Remedy(
                f"Put {caller.name} on the network {network.name} of {container.name} too, and call it there",
                changes=(Connect(caller.host, caller.id, network.name),),
                target=called(case.attempt.target, name, port),
            )


def by_another_port(case: Case, container: Container, port: int) -> Iterator[Remedy]:
    """Calling another port of the host that leads to a container's port already."""
    for published in publications(case, container, port):
        bound = as_address(published.host_address)
        host = case.attempt.target.host if bound is None or bound.is_unspecified else str(bound)
        target = called(case.attempt.target, host, published.host_port)
        if target != case.attempt.target:
            yield Remedy(
                f"Call {target.authority}, which is published to port {port} of {container.name}",
                str(target),
                target=target,
            )


def publications(case: Case, container: Container, port: int) -> tuple[Published, ...]:
    """Where a container's port is published."""
    return tuple(one for one in container.published if (one.container_port, one.protocol) == (port, case.protocol))


def called(target: Target, host: str, port: int) -> Target:
    """A target with another host and port."""
    return replace(target, host=host, port=port)


def speak(case: Case, protocol: Protocol) -> Remedy:
    """Calling the port by the other protocol."""
    target = replace(case.attempt.target, scheme=Scheme.UDP if protocol is Protocol.UDP else Scheme.TCP)
    return Remedy(f"Speak {protocol.upper()} to it", str(target), target=target)
