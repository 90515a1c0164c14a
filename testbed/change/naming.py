"""Changes of names: hosts files, resolvers, search domains, aliases. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange, RestartAll, anew
from testbed.change.edit import container_of, namespace_of, with_container, with_host, with_namespace
from testbed.change.networks import Connect, Disconnect
from testbed.change.podman.attaching import bridges_in, on
from testbed.change.podman.files import HOST_NAMES, with_host_name
from testbed.change.podman.helpers import without_resolver
from testbed.change.podman.lifecycle import is_up, restarted
from testbed.change.podman.redirection import with_redirection
from testbed.evidence import Container, Evidence, Names
from testbed.hosts_file import HostsFile
from testbed.model import Address

_SHORT_ID: Final = 12


@dataclass(frozen=True, slots=True)
class HostNaming(Change):
    """A change of how a host itself resolves names; the base of those below."""

    effort = 1

    host: str
    """The key of the host."""


@dataclass(frozen=True, slots=True)
class AddHostsLine(HostNaming):
    """A line is added to a host's hosts file, before those that it has for the name (hosts(5))."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class RemoveHostsLine(HostNaming):
    """A name loses an address in a host's hosts file."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class SetResolver(HostNaming):
    """A host asks one resolver, and no other (resolv.conf(5), nameserver)."""

    address: Address


@dataclass(frozen=True, slots=True)
class RemoveSearchDomain(HostNaming):
    """A host loses a search domain (resolv.conf(5), search)."""

    domain: str


@dataclass(frozen=True, slots=True)
class NewWithHostsLine(ContainerChange):
    """A container is made anew with one more line in its hosts file (podman-run(1), --add-host).

    Podman writes that file at each start, so that a line which is written into it by hand is lost then.
    """

    effort = 4

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class NewWithoutHostsLine(ContainerChange):
    """A container is made anew without a line that --add-host put into its hosts file."""

    effort = 4

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class NewWithResolver(ContainerChange):
    """A container is made anew so that it asks one resolver, and no other (podman-run(1), --dns).

    Podman then leaves the search domains of its networks out (libpod, generateResolvConf).
    """

    effort = 4

    address: Address


@dataclass(frozen=True, slots=True)
class NewWithoutSearchDomain(ContainerChange):
    """A container is made anew without any search domain (podman-run(1), --dns-search=.)."""

    effort = 4


@dataclass(frozen=True, slots=True)
class AddAlias(Change):
    """A container gets one more name on a network, for which it is taken off and put on again."""

    effort = 3

    host: str
    """The key of the host that it is on."""
    container: str
    """Its id."""
    network: str
    alias: str


@dataclass(frozen=True, slots=True)
class SetHostName(Change):
    """host.containers.internal gets a fixed address in all containers of a host, and one of them is restarted.

    It is ``host_containers_internal_ip`` in containers.conf(5), which counts as a container starts.
    """

    effort = 3

    host: str
    """The key of the host."""
    container: str
    """The id of the container that is restarted."""
    address: Address


@dataclass(frozen=True, slots=True)
class SetResolverPort(Change):
    """aardvark-dns answers on another port, to which netavark leads questions (containers.conf(5), dns_bind_port).

    It counts once the containers of the networks with DNS are started anew.
    """

    effort = 3

    host: str
    """The key of the host."""
    port: int


@apply.register
def _add_line(change: AddHostsLine, evidence: Evidence) -> Evidence:
    return _of_host(change, evidence, lambda names: _with_line(names, change.name, change.address))


@apply.register
def _remove_line(change: RemoveHostsLine, evidence: Evidence) -> Evidence:
    return _of_host(change, evidence, lambda names: _without_line(names, change.name, change.address))


@apply.register
def _set_resolver(change: SetResolver, evidence: Evidence) -> Evidence:
    return _of_host(change, evidence, lambda names: _asking(names, change.address))


@apply.register
def _remove_domain(change: RemoveSearchDomain, evidence: Evidence) -> Evidence:
    def edit(names: Names) -> Names:
        if change.domain not in names.search:
            raise ImpossibleChangeError(f"{change.domain} is no search domain there")
        return replace(names, search=tuple(one for one in names.search if one != change.domain))

    return _of_host(change, evidence, edit)


@apply.register
def _new_with_line(change: NewWithHostsLine, evidence: Evidence) -> Evidence:
    return _of_container(change, evidence, lambda names: _with_line(names, change.name, change.address))


@apply.register
def _new_without_line(change: NewWithoutHostsLine, evidence: Evidence) -> Evidence:
    return _of_container(change, evidence, lambda names: _without_line(names, change.name, change.address))


@apply.register
def _new_with_resolver(change: NewWithResolver, evidence: Evidence) -> Evidence:
    _resolving(container_of(evidence, change.host, change.container))
    return _of_container(change, evidence, lambda names: replace(_asking(names, change.address), search=()))


@apply.register
def _new_without_domain(change: NewWithoutSearchDomain, evidence: Evidence) -> Evidence:
    _resolving(container_of(evidence, change.host, change.container))
    return _of_container(change, evidence, lambda names: replace(names, search=()))


@apply.register
def _add_alias(change: AddAlias, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    attachment = on(container, change.network)
    known = tuple(one for one in attachment.aliases if one != container.id[:_SHORT_ID]) if attachment else ()
    if change.alias in known:
        raise ImpossibleChangeError(f"{container.name} is called {change.alias} on {change.network} already")
    if attachment is not None:
        evidence = apply(Disconnect(change.host, change.container, change.network), evidence)
    return apply(Connect(change.host, change.container, change.network, (*known, change.alias)), evidence)


@apply.register
def _set_host_name(change: SetHostName, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    if container.names.hosts.lookup(HOST_NAMES[0]) == (change.address,):
        raise ImpossibleChangeError(f"{HOST_NAMES[0]} is {change.address} already")
    host = evidence.host(change.host)
    if is_up(container):
        evidence = restarted(evidence, container)
        container = container_of(evidence, change.host, change.container)
    names = with_host_name(container.names, host, change.address)
    return with_container(evidence, replace(container, names=names))


@apply.register
def _set_resolver_port(change: SetResolverPort, evidence: Evidence) -> Evidence:
    host = evidence.host(change.host)
    names = {one.network for c in evidence.containers if c.host == host.key and is_up(c) for one in c.attachments}
    networks = [n for n in evidence.networks if n.host == host.key and n.dns_enabled and n.name in names]
    if not networks:
        raise ImpossibleChangeError("no container runs on a network with DNS")
    for network in networks:
        evidence = apply(RestartAll(host.key, network.name), evidence)
    here = namespace_of(evidence, bridges_in(host))
    for network in networks:
        here = with_redirection(without_resolver(here, network, last=True), host, network, change.port)
    return with_namespace(evidence, here)


def _resolving(container: Container) -> None:
    """Make sure that Podman takes options of DNS for a container.

    :raises ImpossibleChangeError: it does not for one without a network, or with another one's
        (podman, cmd/podman/containers/create.go, createInit)
    """
    if container.mode == "none" or container.mode.startswith("container:"):
        raise ImpossibleChangeError(f"Podman takes no resolver for {container.name}, whose network is {container.mode}")


def _of_host(change: HostNaming, evidence: Evidence, edit: Callable[[Names], Names]) -> Evidence:
    host = evidence.host(change.host)
    return with_host(evidence, replace(host, names=edit(host.names)))


def _of_container(change: ContainerChange, evidence: Evidence, edit: Callable[[Names], Names]) -> Evidence:
    """The picture with a container made anew, and its names changed as they are then."""
    container = container_of(evidence, change.host, change.container)
    edit(container.names)
    made = anew(evidence, container)
    new = container_of(made, change.host, change.container)
    return with_container(made, replace(new, names=edit(new.names)))


def _with_line(names: Names, name: str, address: Address) -> Names:
    found = names.hosts.lookup(name)
    if found[:1] == (address,):
        raise ImpossibleChangeError(f"the hosts file has {address} for {name} already")
    others = tuple(one for one in found if one != address)
    return replace(names, hosts=HostsFile({**names.hosts.addresses, _key(name): (address, *others)}))


def _without_line(names: Names, name: str, address: Address) -> Names:
    found = names.hosts.lookup(name)
    if address not in found:
        raise ImpossibleChangeError(f"the hosts file has no line {address} {name} any more")
    lines = {**names.hosts.addresses, _key(name): tuple(one for one in found if one != address)}
    return replace(names, hosts=HostsFile({key: value for key, value in lines.items() if value}))


def _asking(names: Names, address: Address) -> Names:
    if names.nameservers == (address,):
        raise ImpossibleChangeError(f"it asks {address} already")
    return replace(names, nameservers=(address,))


def _key(name: str) -> str:
    return name.rstrip(".").lower()
