"""Putting another value into a picture in the place of one of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from testbed.change.change import ImpossibleChangeError
from testbed.evidence import Container, Evidence, HostFacts, Link, Namespace, Network


def namespace_of(evidence: Evidence, key: str) -> Namespace:
    """A namespace by its key.

    :raises ImpossibleChangeError: it is not in the picture
    """
    found = evidence.namespaces.get(key)
    if found is None:
        raise ImpossibleChangeError("its network namespace is not in the picture")
    return found


def with_namespace(evidence: Evidence, namespace: Namespace) -> Evidence:
    """The picture with a namespace in the place of the one with its key."""
    return replace(evidence, namespaces=MappingProxyType({**evidence.namespaces, namespace.key: namespace}))


def edited(evidence: Evidence, key: str, edit: Callable[[Namespace], Namespace]) -> Evidence:
    """The picture with a namespace changed.

    :raises ImpossibleChangeError: the namespace is not in the picture
    """
    return with_namespace(evidence, edit(namespace_of(evidence, key)))


def container_of(evidence: Evidence, host: str, identity: str) -> Container:
    """A container by its host's key and its id.

    :raises ImpossibleChangeError: it is not in the picture
    """
    for container in evidence.containers:
        if (container.host, container.id) == (host, identity):
            return container
    raise ImpossibleChangeError("there is no such container any more")


def with_container(evidence: Evidence, container: Container) -> Evidence:
    """The picture with a container in the place of the one with its host and id."""
    key = (container.host, container.id)
    return replace(evidence, containers=tuple(container if (c.host, c.id) == key else c for c in evidence.containers))


def network_of(evidence: Evidence, host: str, name: str) -> Network:
    """A network by its host's key and its name.

    :raises ImpossibleChangeError: it is not in the picture
    """
    for network in evidence.networks:
        if (network.host, network.name) == (host, name):
            return network
    raise ImpossibleChangeError(f"there is no network {name}")


def with_network(evidence: Evidence, network: Network) -> Evidence:
    """The picture with a network in the place of the one with its host and name."""
    key = (network.host, network.name)
    return replace(evidence, networks=tuple(network if (n.host, n.name) == key else n for n in evidence.networks))


def with_host(evidence: Evidence, host: HostFacts) -> Evidence:
    """The picture with a host in the place of the one with its key."""
    return replace(evidence, hosts=tuple(host if h.key == host.key else h for h in evidence.hosts))


def with_link(namespace: Namespace, link: Link) -> Namespace:
    """A namespace with an interface in the place of the one with its index."""
    return replace(namespace, links=tuple(link if one.index == link.index else one for one in namespace.links))
