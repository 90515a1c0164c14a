"""Changes of the networks that containers are on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange, anew
from testbed.change.edit import container_of, network_of, with_container, with_network
from testbed.change.podman.attaching import BRIDGE, on, set_up, take_down, with_attachment
from testbed.change.podman.files import own_names, renamed, with_servers, without_servers
from testbed.change.podman.lifecycle import former, is_up, placed, started, stopped
from testbed.evidence import Attachment, Container, Evidence, Network, Subnet
from testbed.model import Address

#: It is there as long as Podman is, and has no DNS (podman-network(1)).
DEFAULT_NETWORK: Final = "podman"
_SHORT_ID: Final = 12


@dataclass(frozen=True, slots=True)
class Connect(ContainerChange):
    """A container is connected to one more network (podman-network-connect(1))."""

    network: str
    aliases: tuple[str, ...] = ()
    """Further names that it has there."""


@dataclass(frozen=True, slots=True)
class Disconnect(ContainerChange):
    """A container is disconnected from a network (podman-network-disconnect(1))."""

    network: str


@dataclass(frozen=True, slots=True)
class NewOnNetwork(ContainerChange):
    """A container is made anew on one network, instead of what it has, and without an address of its own choice."""

    effort = 4

    network: str


@dataclass(frozen=True, slots=True)
class NewWithNetworkOf(ContainerChange):
    """A container is made anew so that it shares the network of another one."""

    effort = 4

    other: str
    """The other one's id."""


@dataclass(frozen=True, slots=True)
class NewOnHostNetwork(ContainerChange):
    """A container is made anew so that it has the host's own network."""

    effort = 4


@dataclass(frozen=True, slots=True)
class RecreateNetwork(Change):
    """A network is removed and made anew with other options; the containers on it are made anew with it."""

    effort = 5

    host: str
    """The key of the host that it is on."""
    network: str
    isolate: str | None = None
    """The option: ``true``, ``false`` or ``strict``; None leaves it as it is, here and below."""
    internal: bool | None = None
    dns_enabled: bool | None = None
    subnets: tuple[Subnet, ...] | None = None
    """With an IPv6 one among them the network has IPv6."""


@apply.register
def _connect(change: Connect, evidence: Evidence) -> Evidence:
    container = _connectable(container_of(evidence, change.host, change.container))
    network = network_of(evidence, change.host, change.network)
    if network.driver != BRIDGE:
        raise ImpossibleChangeError(f"the network {network.name} is of the driver {network.driver}, not modelled")
    if on(container, network.name) is not None:
        raise ImpossibleChangeError(f"{container.name} is on {network.name} already")
    bare = Attachment(network.name, aliases=(*change.aliases, container.id[:_SHORT_ID]))
    if not is_up(container):
        return with_container(evidence, with_attachment(container, bare))
    attachment = placed(evidence, network, container, bare)
    names = renamed(container.names, own_names(container), (), attachment.addresses)
    connected = replace(with_attachment(container, attachment), names=with_servers(names, network))
    return set_up(with_container(evidence, connected), network, connected, attachment)


@apply.register
def _disconnect(change: Disconnect, evidence: Evidence) -> Evidence:
    container = _connectable(container_of(evidence, change.host, change.container))
    network = network_of(evidence, change.host, change.network)
    attachment = on(container, network.name)
    if attachment is None:
        raise ImpossibleChangeError(f"{container.name} is not on {network.name}")
    left = tuple(one for one in container.attachments if one.network != network.name)
    names = without_servers(renamed(container.names, own_names(container), attachment.addresses, ()), network)
    without = with_container(evidence, replace(container, attachments=left, names=names))
    return take_down(without, network, container, attachment) if is_up(container) else without


@apply.register
def _on_network(change: NewOnNetwork, evidence: Evidence) -> Evidence:
    container = _of_no_other(container_of(evidence, change.host, change.container))
    network = network_of(evidence, change.host, change.network)
    known = on(container, network.name)
    attachment = known or Attachment(network.name, aliases=(container.id[:_SHORT_ID],))
    # Its own --ip goes with --network, which is given anew.
    return anew(evidence, replace(container, mode=BRIDGE, attachments=(attachment,), static=()))


@apply.register
def _with_network_of(change: NewWithNetworkOf, evidence: Evidence) -> Evidence:
    container = _of_no_other(container_of(evidence, change.host, change.container))
    other = container_of(evidence, change.host, change.other)
    if other.id == container.id:
        raise ImpossibleChangeError("a container cannot share its own network")
    _unpublished(container)
    mode = f"container:{other.id}"
    return anew(evidence, replace(container, mode=mode, attachments=(), published=other.published))


@apply.register
def _on_host_network(change: NewOnHostNetwork, evidence: Evidence) -> Evidence:
    container = _of_no_other(container_of(evidence, change.host, change.container))
    # With the host's network --publish says nothing, and is discarded (podman-run(1)).
    return anew(evidence, replace(container, mode="host", attachments=(), published=()))


@apply.register
def _recreate(change: RecreateNetwork, evidence: Evidence) -> Evidence:
    network = network_of(evidence, change.host, change.network)
    if network.name == DEFAULT_NETWORK:
        raise ImpossibleChangeError(f"the default network {network.name} cannot be removed")
    found = [c for c in evidence.containers if c.host == change.host and on(c, network.name) is not None]
    up = [container for container in found if is_up(container)]
    was = {one.id: former(evidence, one) for one in up}
    for one in up:
        evidence = stopped(evidence, one)
    evidence = with_network(evidence, _made_anew(network, change))
    for one in up:
        evidence = started(evidence, one, was[one.id])
    return evidence


def _made_anew(network: Network, change: RecreateNetwork) -> Network:
    options = dict(network.options)
    if change.isolate is not None:
        options["isolate"] = change.isolate
    subnets = network.subnets if change.subnets is None else change.subnets
    internal = network.internal if change.internal is None else change.internal
    dns = network.dns_enabled if change.dns_enabled is None else change.dns_enabled
    gateways: tuple[Address, ...] = tuple(subnet.network_address + 1 for subnet in subnets)
    if subnets == network.subnets and network.gateways:
        gateways = network.gateways
    return replace(
        network,
        options=options,
        subnets=subnets,
        # Without a use for one it has none (containers/common, libnetwork/netavark/config.go).
        gateways=() if internal and not dns else gateways,
        internal=internal,
        dns_enabled=dns,
        ipv6=any(subnet.version == 6 for subnet in subnets),
    )


def _connectable(container: Container) -> Container:
    """A container that networks can be added to.

    :raises ImpossibleChangeError: its mode is another than bridge (libpod, Container.NetworkConnect)
    """
    if container.mode != BRIDGE:
        raise ImpossibleChangeError(
            f"{container.name} has the network mode {container.mode}, and only one of mode {BRIDGE} can be connected"
        )
    return container


def _of_no_other(container: Container) -> Container:
    """A container whose network is its own affair.

    :raises ImpossibleChangeError: it is a member of a pod, which has the network
    """
    if container.pod:
        raise ImpossibleChangeError(f"{container.name} is in the pod {container.pod}, which has the network")
    return container


def _unpublished(container: Container) -> None:
    if container.published:
        raise ImpossibleChangeError(f"{container.name} publishes ports, which one that shares a network cannot")
