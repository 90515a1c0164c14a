"""Changes of containers as they are: started, restarted, their networks set up anew. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import container_of, network_of
from testbed.change.podman.attaching import BRIDGE, reloaded
from testbed.change.podman.lifecycle import former, in_order, is_up, published_by, restarted, started, stopped
from testbed.evidence import Container, Evidence
from testbed.model import Address


@dataclass(frozen=True, slots=True)
class ContainerChange(Change):
    """A change of one container; the base of those below."""

    effort = 3

    host: str
    """The key of the host that it is on."""
    container: str
    """Its id."""


@dataclass(frozen=True, slots=True)
class Start(ContainerChange):
    """A container that does not run is started."""

    ports: tuple[int, ...] = ()
    """TCP ports that its program is taken to listen on, beside those that the container publishes."""
    addresses: tuple[Address, ...] = ()
    """Addresses that it is known by, taken for fixed where its command line is not known (made through the API)."""


@dataclass(frozen=True, slots=True)
class Restart(ContainerChange):
    """A container is restarted: Podman makes its namespace, interfaces, rules, hosts file and helpers anew."""


@dataclass(frozen=True, slots=True)
class RestartAll(Change):
    """All running containers of a network are stopped, and then started: its bridge and its rules are made anew."""

    effort = 3

    host: str
    """The key of the host that it is on."""
    network: str


@dataclass(frozen=True, slots=True)
class ReloadNetworks(Change):
    """Each running container is taken off its networks and put on them again, with the same addresses.

    ``podman network reload --all`` (podman-network-reload(1)): interfaces and rules are made anew, and a bridge where
    it was gone; no process, hosts file or helper is. Containers on slirp4netns or pasta are left alone.
    """

    effort = 1

    host: str
    """The key of the host whose containers these are."""


@dataclass(frozen=True, slots=True)
class Stop(ContainerChange):
    """A container is stopped."""


@apply.register
def _start(change: Start, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    if is_up(container):
        raise ImpossibleChangeError(f"{container.name} runs already")
    fixed = replace(container, static=container.static or change.addresses)
    return started(evidence, fixed, ports=(*published_by(container), *change.ports))


@apply.register
def _restart(change: Restart, evidence: Evidence) -> Evidence:
    return restarted(evidence, _running(container_of(evidence, change.host, change.container)))


@apply.register
def _stop(change: Stop, evidence: Evidence) -> Evidence:
    return stopped(evidence, _running(container_of(evidence, change.host, change.container)))


@apply.register
def _restart_all(change: RestartAll, evidence: Evidence) -> Evidence:
    network_of(evidence, change.host, change.network)
    found = [one for one in evidence.containers if _is_on(one, change) and is_up(one)]
    if not found:
        raise ImpossibleChangeError(f"no container runs on the network {change.network}")
    was = {one.id: former(evidence, one) for one in found}
    for one in found:
        evidence = stopped(evidence, one)
    for one in found:
        evidence = started(evidence, one, was[one.id])
    return evidence


@apply.register
def _reload(change: ReloadNetworks, evidence: Evidence) -> Evidence:
    found = [one for one in evidence.containers if one.host == change.host and one.mode == BRIDGE and is_up(one)]
    if not found:
        raise ImpossibleChangeError("no container runs on a network with a bridge")
    for container in found:
        for attachment in in_order(evidence, container):
            network = network_of(evidence, container.host, attachment.network)
            evidence = reloaded(evidence, network, container, attachment)
    return evidence


def _running(container: Container) -> Container:
    if not is_up(container):
        raise ImpossibleChangeError(f"{container.name} does not run")
    return container


def _is_on(container: Container, change: RestartAll) -> bool:
    on = any(one.network == change.network for one in container.attachments)
    return container.host == change.host and container.mode == BRIDGE and on


def anew(evidence: Evidence, container: Container, *, ports: tuple[int, ...] = ()) -> Evidence:
    """The picture with a container in the place of the one of its id, started whether or not that one ran.

    Podman would give it another id; it keeps this one here, so that whoever names it finds it.

    :param container: as it is to be, with the addresses and the namespace of the one that it takes the place of
    :param ports: as for :func:`~testbed.change.podman.lifecycle.started`
    :raises ImpossibleChangeError: it is in a pod, or as for :func:`~testbed.change.podman.lifecycle.started`
    """
    old = container_of(evidence, container.host, container.id)
    if old.pod:
        raise ImpossibleChangeError(f"{old.name} is in the pod {old.pod}, which would have to be made anew")
    if not is_up(old):
        return started(_replaced(evidence, container), container, ports=(*published_by(container), *ports))
    was = former(evidence, old)
    return started(_replaced(stopped(evidence, old), container), container, was, ports)


def _replaced(evidence: Evidence, container: Container) -> Evidence:
    key = (container.host, container.id)
    return replace(evidence, containers=tuple(container if (c.host, c.id) == key else c for c in evidence.containers))
