"""A container that stops and starts: its namespace, networks, published ports, files and program. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from testbed.change.change import ImpossibleChangeError
from testbed.change.edit import namespace_of, network_of, with_container, with_namespace
from testbed.change.podman.addressing import next_addresses
from testbed.change.podman.attaching import BRIDGE, bridges_in, host_of, set_up, take_down, with_attachment
from testbed.change.podman.files import (
    HOST_NAMES,
    host_address,
    names_beside,
    names_on_host,
    names_without,
    own_names,
    renamed,
    resolving,
    with_host_name,
)
from testbed.change.podman.helpers import check, with_holders, without_holders
from testbed.change.podman.links import interface_of
from testbed.change.podman.rootless import bare, with_rootless_netns, with_tap
from testbed.evidence import (
    Attachment,
    Container,
    Evidence,
    HostFacts,
    Listener,
    Namespace,
    Network,
    Protocol,
)
from testbed.model import Address

RUNNING: Final = "running"
_EXITED: Final = "exited"
_SHARED: Final = "container:"
_ANY: Final = ipaddress.ip_address("0.0.0.0")
_BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Former:
    """The container before it is started again: what it has then depends on that."""

    namespace: Namespace | None = None
    """The one that it had; None where it did not run."""
    program: tuple[Listener, ...] = ()
    """The listeners of its own processes."""
    addresses: frozenset[Address] = frozenset()
    """All that it had."""
    given: frozenset[Address] = frozenset()
    """The gateways of its networks, and the resolvers that these gave it."""


def is_up(container: Container) -> bool:
    """Tell if a container has its networks now."""
    return container.state in (RUNNING, "paused") and container.namespace is not None


def published_by(container: Container) -> tuple[int, ...]:
    """The TCP ports that a container publishes, by their numbers in it."""
    return tuple(dict.fromkeys(one.container_port for one in container.published if one.protocol == Protocol.TCP))


def former(evidence: Evidence, container: Container) -> Former:
    """The container as it is now."""
    here = evidence.namespaces.get(container.namespace or "")
    addresses = frozenset(address for attachment in container.attachments for address in attachment.addresses)
    given = {gateway for attachment in container.attachments for gateway in attachment.gateways}
    if here is None:
        return Former(addresses=addresses, given=frozenset(given))
    near = [row.address.network for row in here.addresses if row.scope == "global"]
    helpers = {link.pasta.resolver for link in here.links if link.pasta}
    given |= {one for one in container.names.nameservers if one in helpers or any(one in subnet for subnet in near)}
    return Former(here, tuple(_program(here, container)), addresses, frozenset(given))


def stopped(evidence: Evidence, container: Container) -> Evidence:
    """The picture after ``podman stop``: its networks are taken down, its ports let go, its addresses forgotten.

    :raises ImpossibleChangeError: a namespace is not in the picture
    """
    host = host_of(evidence, container)
    key = container.namespace
    if container.mode == BRIDGE:
        for attachment in container.attachments:
            network = network_of(evidence, container.host, attachment.network)
            evidence = take_down(evidence, network, container, attachment)
    if container.published and not _shares(container) and host.namespace in evidence.namespaces:
        evidence = with_namespace(evidence, without_holders(namespace_of(evidence, host.namespace), container))
    gone = replace(container, state=_EXITED, pid=0, namespace=None, exit_code=0)
    if _shares(container):
        gone = replace(gone, names=names_without(gone.names, container))
        evidence = _beside_no_more(evidence, container)
    else:
        bare = tuple(replace(one, addresses=(), gateways=()) for one in container.attachments)
        gone = replace(gone, attachments=bare)
    evidence = told_of(with_container(evidence, gone), gone)
    here = evidence.namespaces.get(key or "")
    if here is None:
        return evidence
    hosts = [one.name for one in evidence.hosts if one.namespace == here.key]
    users = [*hosts, *(one.name for one in evidence.containers if one.namespace == here.key)]
    if users:
        ended = set(_program(here, container))
        left_there = tuple(one for one in here.listeners if one not in ended)
        # Those that shared its network stay in it, and that has another's name then.
        label = here.label if _shares(container) else users[0]
        return with_namespace(evidence, replace(here, listeners=left_there, label=label))
    left = {name: namespace for name, namespace in evidence.namespaces.items() if name != here.key}
    return replace(evidence, namespaces=MappingProxyType(left))


def started(
    evidence: Evidence, container: Container, was: Former | None = None, ports: tuple[int, ...] = ()
) -> Evidence:
    """The picture after ``podman start`` of a container that does not run.

    Its program does again what it did before, as far as its listeners are of addresses that it still has.

    :param container: with the addresses that it had, where it had any
    :param was: what it was until now; None where it did not run
    :param ports: TCP ports that its program is taken to listen on, which no picture of a stopped container shows
    :raises ImpossibleChangeError: Podman would refuse: a port is taken, a network or another container is gone
    """
    was = was or Former()
    host = host_of(evidence, container)
    if container.mode.startswith("ns:"):
        raise ImpossibleChangeError("what else is in its namespace then is not known")
    if container.mode == "host":
        names = names_on_host(container, host, namespace_of(evidence, host.namespace), was.addresses)
        return _in(evidence, replace(container, names=names), host.namespace, was, ports)
    if container.mode.startswith(_SHARED):
        other = _owner(evidence, container)
        if not is_up(other):
            # Podman starts first what a container depends on (libpod, Container.Start).
            # In a pod that is the infra container, which listens on nothing.
            evidence = started(evidence, other, ports=() if other.pod else published_by(other))
            other = _owner(evidence, container)
        names = names_beside(other.names, container)
        evidence = with_container(evidence, replace(other, names=names))
        # Podman tells the other's networks of it too (libpod, Container.getContainerNetworkInfo).
        sharing = replace(container, names=names, attachments=other.attachments)
        return _in(evidence, sharing, other.namespace or "", was, ports)
    here = _fresh(evidence, container, was.namespace)
    evidence = with_namespace(evidence, here)
    running = replace(container, state=RUNNING, namespace=here.key, exit_code=0)
    evidence = with_container(evidence, running)
    if container.mode == BRIDGE:
        evidence = with_rootless_netns(evidence, host)
        evidence, running = _attached(evidence, running, was.namespace)
    elif container.mode != "none":
        tapped = with_tap(namespace_of(evidence, here.key), evidence, running, was.namespace)
        evidence = with_namespace(evidence, tapped)
    if container.published:
        evidence = with_namespace(evidence, with_holders(namespace_of(evidence, host.namespace), host, running))
    running = _named(evidence, running, was, host)
    evidence = told_of(with_container(evidence, running), running)
    return with_namespace(evidence, _listening(namespace_of(evidence, here.key), was, ports))


def restarted(evidence: Evidence, container: Container) -> Evidence:
    """The picture after ``podman restart``, which for the network is a stop and a start (measured, Podman 4.3.1).

    :raises ImpossibleChangeError: as for :func:`started`
    """
    was = former(evidence, container)
    return started(stopped(evidence, container), container, was)


def in_order(evidence: Evidence, container: Container) -> tuple[Attachment, ...]:
    """A container's networks in the order of its interfaces, as far as they are there."""
    inside = evidence.namespaces.get(container.namespace or "")
    outside = evidence.namespaces.get(bridges_in(host_of(evidence, container)))
    if inside is None or outside is None:
        return container.attachments
    names = {}
    for attachment in container.attachments:
        network = next((n for n in evidence.networks if (n.host, n.name) == (container.host, attachment.network)), None)
        link = interface_of(outside, inside, network, attachment) if network else None
        names[attachment.network] = link.name if link else "~"
    return tuple(sorted(container.attachments, key=lambda one: names[one.network]))


def _program(here: Namespace, container: Container) -> Iterator[Listener]:
    """The listeners of a container's own processes, and where the namespace is its own, those of no other container.

    Whoever listens in a container's own namespace listens there for it: it is started again with the container, by the
    container itself or by whoever started it.
    """
    shared = _shares(container)
    for listener in here.listeners:
        whose = listener.process.container if listener.process else None
        if whose == container.name or (whose is None and not shared):
            yield listener


def _shares(container: Container) -> bool:
    """Tell if a container has no network of its own."""
    return container.mode == "host" or container.mode.startswith(_SHARED)


def _is_beside(other: Container, owner: Container) -> bool:
    """Tell if a container shares the network of another one."""
    shared = other.mode.removeprefix(_SHARED)
    return other.mode != shared and other.host == owner.host and shared in (owner.id, owner.name)


def told_of(evidence: Evidence, owner: Container) -> Evidence:
    """The picture with what Podman tells of those that share a container's network: they are where that one is.

    It does so even of those that were left behind in the namespace that the other one had before.
    """
    for other in evidence.containers:
        if _is_beside(other, owner) and other.attachments != owner.attachments:
            evidence = with_container(evidence, replace(other, attachments=owner.attachments))
    return evidence


def _beside_no_more(evidence: Evidence, container: Container) -> Evidence:
    """The picture without the name of a container in the hosts file of the one whose network it shares."""
    for other in evidence.containers:
        if _is_beside(container, other):
            evidence = with_container(evidence, replace(other, names=names_without(other.names, container)))
    return evidence


def _in(evidence: Evidence, container: Container, key: str, was: Former, ports: tuple[int, ...]) -> Evidence:
    """A container without a network of its own, in the namespace that it shares."""
    here = namespace_of(evidence, key)
    on_host = key == evidence.host(container.host).namespace
    for listener in _again(here, was, ports):
        check(here, listener, ordinary=on_host and evidence.host(container.host).rootless)
        here = replace(here, listeners=(*here.listeners, listener))
    evidence = with_namespace(evidence, here)
    return with_container(evidence, replace(container, state=RUNNING, namespace=key, exit_code=0))


def _owner(evidence: Evidence, container: Container) -> Container:
    """The container that another one shares the network of."""
    wanted = container.mode.removeprefix(_SHARED)
    for other in evidence.containers:
        if other.host == container.host and wanted in (other.id, other.name):
            return other
    raise ImpossibleChangeError("the container whose network it shares is gone")


def _fresh(evidence: Evidence, container: Container, before: Namespace | None) -> Namespace:
    """A new namespace: its loopback and the kernel's own routes. It keeps the key of the one before, where it can."""
    like = before or next((evidence.namespaces.get(c.namespace or "") for c in evidence.containers if c.pid), None)
    key = before.key if before is not None else f"net:[{container.id}]"
    key = f"{key}+" if key in evidence.namespaces else key
    sysctls = {name: value for name, value in (like.sysctls if like else {}).items() if _is_general(name)}
    return bare(key, container.name, sysctls)


def _is_general(name: str) -> bool:
    """Tell if a parameter is not that of one interface."""
    words = name.split("/")
    return "conf" not in words or words[words.index("conf") + 1] in ("all", "default", "lo")


def _attached(evidence: Evidence, container: Container, before: Namespace | None) -> tuple[Evidence, Container]:
    order = container.attachments
    if before is not None:
        order = tuple(sorted(order, key=lambda one: _interface_name(before, one)))
    for old in order:
        network = network_of(evidence, container.host, old.network)
        attachment = placed(evidence, network, container, old)
        container = with_attachment(container, attachment)
        evidence = set_up(with_container(evidence, container), network, container, attachment)
    return evidence, container


def _interface_name(before: Namespace, attachment: Attachment) -> str:
    rows = [row.link for row in before.addresses if row.address.ip in attachment.addresses]
    return next((link.name for link in before.links if link.index in rows), "~")


def placed(evidence: Evidence, network: Network, container: Container, old: Attachment) -> Attachment:
    """A container's place on a network as it starts: new addresses, and the network's gateways.

    :param old: its place until now
    :raises ImpossibleChangeError: the address that it is to have is another container's, or none is free
    """
    addresses = next_addresses(evidence, network, container, old.addresses)
    return replace(old, addresses=addresses, gateways=network.gateways, mac="")


def _named(evidence: Evidence, container: Container, was: Former, host: HostFacts) -> Container:
    """A container with its hosts file and its resolv.conf made anew."""
    networks = tuple(
        network
        for attachment in container.attachments
        for network in evidence.networks
        if (network.host, network.name) == (container.host, attachment.network)
    )
    names = container.names
    for other in evidence.containers:
        if _is_beside(other, container):
            names = names_without(names, other)
    # Only Podman writes its id into the file: of one that did not run these are the addresses that it had last.
    old = {*was.addresses, *names.hosts.lookup(own_names(container)[0])}
    new = [address for attachment in container.attachments for address in attachment.addresses]
    if container.mode == BRIDGE:
        names = renamed(names, own_names(container), old, new)
        names = with_host_name(names, host, _host_name(evidence, container, networks, host, was))
        names = resolving(names, host, evidence, networks, was.given)
    return replace(container, names=names)


def _host_name(
    evidence: Evidence, container: Container, networks: tuple[Network, ...], host: HostFacts, was: Former
) -> Address | None:
    """The new address of host.containers.internal: the old one, where that was never a gateway of networks."""
    now = next(iter(container.names.hosts.lookup(HOST_NAMES[0])), None)
    everybody = {g for network in evidence.networks if network.host == host.key for g in network.gateways}
    everybody |= was.given
    if now is not None and now not in everybody:
        return now
    gateways = {gateway for attachment in container.attachments for gateway in attachment.gateways}
    if now is not None and now in gateways:
        return now
    if not host.rootless:
        return host_address(networks, container.attachments)
    beside = (one for one in evidence.containers if one.host == host.key and one.id != container.id)
    return next((found[0] for one in beside if (found := one.names.hosts.lookup(HOST_NAMES[0]))), None)


def _listening(here: Namespace, was: Former, ports: tuple[int, ...]) -> Namespace:
    """A namespace with the listeners of a program that starts."""
    return replace(here, listeners=(*here.listeners, *_again(here, was, ports)))


def _again(here: Namespace, was: Former, ports: tuple[int, ...]) -> Iterator[Listener]:
    """The listeners of a program that starts in a namespace."""
    own = {row.address.ip for row in here.addresses}
    known = {one.port for one in (*was.program, *here.listeners) if one.protocol is Protocol.TCP}
    for one in was.program:
        if one.address.is_unspecified or one.address.is_loopback or one.address in own:
            yield replace(one, queue=0)
    for port in ports:
        if port not in known:
            yield Listener(Protocol.TCP, _ANY, port, backlog=_BACKLOG)
