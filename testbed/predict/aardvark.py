"""Podman's resolver, aardvark-dns: the containers that it tells a caller of, and when it asks others. Pure.

Its rules are those of src/backend/mod.rs and src/dns/coredns.rs of containers/aardvark-dns.
"""

from __future__ import annotations

from typing import Final

from testbed.evidence import Container, Evidence, HostFacts, Network
from testbed.evidence.programs import AARDVARK
from testbed.model import Address
from testbed.predict.ending import Accepted

_DOMAIN: Final = ".dns.podman"
#: The first Podman that comes with an aardvark-dns (1.11) which hands nothing on for internal networks.
_CLOSED: Final = (5, 2)
#: The first that comes with one (1.13) which hands on names of one label, and has its domain on every network.
_RECENT: Final = (5, 3)


def is_aardvark(reached: Accepted) -> bool:
    """Tell if a question came to Podman's resolver."""
    process = reached.listener.process
    return process is not None and process.name == AARDVARK


def host_of(evidence: Evidence, reached: Accepted) -> HostFacts | None:
    """The host whose Podman runs the resolver that a question came to; None where it is not in the picture."""
    key = reached.namespace.key
    found = next((host for host in evidence.hosts if host.rootless_namespace == key), None)
    return found or next((host for host in evidence.hosts if host.namespace == key), None)


def addresses(evidence: Evidence, host: HostFacts, reached: Accepted, name: str) -> tuple[Address, ...]:
    """The addresses of the containers that are called so: by name, short id or alias, on networks of the caller's.

    Members of a pod are called by the pod's name, as all have the network of its infra container.

    A caller that is no container is told of those on the network that it asks. With the domain ``dns.podman`` an
    aardvark-dns before 1.13 tells everybody of that network alone.

    :param name: in lower case, without a dot at the end
    """
    bare = name.removesuffix(_DOMAIN)
    networks = _networks_of(evidence, host, reached.packet.source)
    if not networks or (bare != name and not _since(host, _RECENT)):
        networks = _asked(evidence, host, reached.destination)
    found: dict[Address, None] = {}
    for container in evidence.containers:
        if container.host != host.key or container.state not in ("running", "paused") or _borrows(container):
            continue
        for attachment in container.attachments:
            if attachment.network in networks and bare in _called(evidence, container, attachment.aliases):
                found |= dict.fromkeys(attachment.addresses)
    return tuple(found)


def hands_on(evidence: Evidence, host: HostFacts, reached: Accepted, name: str) -> bool:
    """Tell if it asks other resolvers for a name that no container has.

    It does not for its own domain; from 1.11 on not for a container that is on internal networks alone; and before 1.13
    not for a name of one label.

    :param name: in lower case, without a dot at the end
    """
    if name.endswith(_DOMAIN) or ("." not in name and not _since(host, _RECENT)):
        return False
    networks = _networks_of(evidence, host, reached.packet.source)
    return not _since(host, _CLOSED) or not networks or not all(network.internal for network in networks.values())


def upstream(evidence: Evidence, host: HostFacts, reached: Accepted) -> tuple[Address, ...]:
    """The resolvers that it hands a question on to: the caller's own, else its networks', else its host's."""
    caller = reached.packet.source
    for container in evidence.containers:
        own = not _borrows(container) and any(caller in one.addresses for one in container.attachments)
        if container.host == host.key and own and container.dns_servers:
            return container.dns_servers
    networks = _networks_of(evidence, host, caller).values()
    given = tuple(server for network in networks for server in network.dns_servers)
    return given or host.names.nameservers


def _borrows(container: Container) -> bool:
    """Tell if a container has no addresses of its own: Podman shows it with those of the one whose network it uses."""
    return container.mode.startswith("container:")


def _called(evidence: Evidence, container: Container, aliases: tuple[str, ...]) -> set[str]:
    """The names that Podman tells aardvark-dns; of a pod's infra container the pod's (libpod, getNetworkPodName)."""
    name = container.pod if container.pod and _is_infra(evidence, container) else container.name
    return {name.lower(), container.id[:12], *(alias.lower() for alias in aliases)}


def _is_infra(evidence: Evidence, container: Container) -> bool:
    """Tell if a container of a pod is the one whose network the others use."""
    shared = f"container:{container.id}"
    return container.name.endswith("-infra") or any(one.mode == shared for one in evidence.containers)


def _networks_of(evidence: Evidence, host: HostFacts, caller: Address) -> dict[str, Network]:
    """The networks with DNS that the container of an address is on; none where it is no container's."""
    names = {
        attachment.network
        for container in evidence.containers
        if container.host == host.key and any(caller in one.addresses for one in container.attachments)
        for attachment in container.attachments
    }
    return {n.name: n for n in evidence.networks if n.host == host.key and n.name in names and n.dns_enabled}


def _asked(evidence: Evidence, host: HostFacts, server: Address) -> dict[str, Network]:
    """The network on whose gateway a server listens."""
    return {n.name: n for n in evidence.networks if n.host == host.key and server in n.gateways and n.dns_enabled}


def _since(host: HostFacts, version: tuple[int, int]) -> bool:
    """Tell if a host's Podman is of a version or later; one that is not known is taken for the latest."""
    number = [int(part) if part.isdecimal() else 0 for part in host.podman.split(".")[:2]]
    return not host.podman or tuple(number) >= version
