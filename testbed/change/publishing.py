"""Changes of published ports; each makes a container anew (podman-run(1), --publish). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.change.change import ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange, anew
from testbed.change.edit import container_of
from testbed.evidence import Container, Evidence, Published

#: Network modes in which a container has no ports of its own to publish.
_WITHOUT = ("host", "none", "container", "ns")


@dataclass(frozen=True, slots=True)
class Publish(ContainerChange):
    """A container is made anew with one more published port."""

    effort = 4

    published: Published


@dataclass(frozen=True, slots=True)
class Republish(ContainerChange):
    """A container is made anew with another published port instead of one that it has."""

    effort = 4

    old: Published
    new: Published


@dataclass(frozen=True, slots=True)
class Unpublish(ContainerChange):
    """A container is made anew without a published port."""

    effort = 4

    published: Published


@apply.register
def _publish(change: Publish, evidence: Evidence) -> Evidence:
    container = _own_network(container_of(evidence, change.host, change.container))
    if change.published in container.published:
        raise ImpossibleChangeError(f"{container.name} publishes that already")
    return anew(evidence, _with(container, (*container.published, change.published)))


@apply.register
def _republish(change: Republish, evidence: Evidence) -> Evidence:
    container = _own_network(container_of(evidence, change.host, change.container))
    kept = _without(container, change.old)
    return anew(evidence, _with(container, (*kept, change.new)))


@apply.register
def _unpublish(change: Unpublish, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    return anew(evidence, _with(container, _without(container, change.published)))


def _own_network(container: Container) -> Container:
    """A container that can publish ports.

    :raises ImpossibleChangeError: it has no network of its own
    """
    mode = container.mode.partition(":")[0]
    if mode not in _WITHOUT:
        return container
    reason = {
        "host": "has the host's own network, where nothing is to publish",
        "none": "has no network",
        "container": "shares another container's network: that one publishes for it",
        "ns": "is in a namespace that Podman did not make",
    }[mode]
    raise ImpossibleChangeError(f"{container.name} {reason}")


def _without(container: Container, published: Published) -> tuple[Published, ...]:
    if published not in container.published:
        raise ImpossibleChangeError(f"{container.name} does not publish that any more")
    return tuple(one for one in container.published if one != published)


def _with(container: Container, published: tuple[Published, ...]) -> Container:
    """A container with published ports, in the order in which a picture has them."""
    order = sorted(published, key=lambda one: (one.protocol, one.container_port, one.host_port))
    return replace(container, published=tuple(order))
