"""The hosts file and the resolv.conf that Podman writes for a container. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from testbed.change.podman.rules import version_of
from testbed.evidence import Attachment, Container, Evidence, HostFacts, Names, Namespace, Network
from testbed.hosts_file import HostsFile
from testbed.model import Address

#: The names by which a container calls its host (podman-run(1), --add-host; the second one from Podman 4.7 on).
HOST_NAMES: Final = ("host.containers.internal", "host.docker.internal")
_BOTH: Final = (4, 7)
#: The search domain of networks with DNS, until netavark 1.15 left it out (Podman 5.5).
_DOMAIN: Final = "dns.podman"
_WITHOUT_DOMAIN: Final = (5, 5)
#: From this Podman on a container that asks aardvark-dns asks nobody else (libpod, generateResolvConf).
_ONLY_OWN: Final = (4, 5)
#: From this Podman on a container with the host's network calls its host 127.0.0.1.
_LOOPBACK_ON_HOST: Final = (6,)
_SHORT_ID: Final = 12
#: resolv.conf(5), MAXNS.
_MOST: Final = 3


def renamed(names: Names, own: Iterable[str], old: Collection[Address], new: Iterable[Address]) -> Names:
    """Names with the lines for a container's own names made anew (libpod, etchosts.New).

    :param own: the container's names
    :param old: the addresses that its lines have now
    :param new: those that they are to have
    """
    addresses = dict(names.hosts.addresses)
    mine = {name for name, found in addresses.items() if any(one in old for one in found)} - set(HOST_NAMES)
    for name in (*own, *sorted(mine - set(own))):
        kept = tuple(one for one in addresses.get(name.lower(), ()) if one not in old)
        addresses[name.lower()] = tuple(dict.fromkeys((*kept, *new)))
    return replace(names, hosts=HostsFile({name: found for name, found in addresses.items() if found}))


def own_names(container: Container) -> tuple[str, ...]:
    """The names that a container has in its own hosts file, as far as a picture has them."""
    return (container.id[:_SHORT_ID], container.name)


def with_host_name(names: Names, host: HostFacts, address: Address | None) -> Names:
    """Names whose host.containers.internal is an address; None removes it."""
    wanted = HOST_NAMES if version_of(host) >= _BOTH else HOST_NAMES[:1]
    addresses = {name: found for name, found in names.hosts.addresses.items() if name not in HOST_NAMES}
    if address is not None:
        addresses |= dict.fromkeys(wanted, (address,))
    return replace(names, hosts=HostsFile(addresses))


def host_address(networks: Iterable[Network], attachments: Iterable[Attachment]) -> Address | None:
    """The address of host.containers.internal in a container of root's Podman: a gateway, an IPv4 one before others.

    Of several networks any may be taken, by chance; here the first (containers/common, libnetwork/etchosts/ip.go).
    """
    drivers = {network.name: network.driver for network in networks}
    gateways = [g for on in attachments if drivers.get(on.network) == "bridge" for g in on.gateways]
    return next((one for one in gateways if one.version == 4), next(iter(gateways), None))


def names_on_host(container: Container, host: HostFacts, here: Namespace, old: Collection[Address]) -> Names:
    """Names of a container with the host's own network: its host is an address of that one (etchosts/ip.go).

    :param here: the host's namespace
    :param old: the addresses that the container had until now
    """
    names = replace(renamed(container.names, (), old, ()), nameservers=host.names.nameservers, search=host.names.search)
    if version_of(host) >= _LOOPBACK_ON_HOST:
        return with_host_name(names, host, ipaddress.ip_address("127.0.0.1"))
    own = [row.address.ip for row in here.addresses if row.scope == "global"]
    return with_host_name(names, host, next((one for one in own if one.version == 4), next(iter(own), None)))


def names_beside(names: Names, container: Container) -> Names:
    """The names of a container whose network another one shares, which share the files; the other is 127.0.0.1 there.

    :param names: those of the one that has the network
    :param container: the one that shares it
    """
    lines = {**names.hosts.addresses, **dict.fromkeys(own_names(container), (ipaddress.ip_address("127.0.0.1"),))}
    return replace(names, hosts=HostsFile(lines))


def names_without(names: Names, container: Container) -> Names:
    """The names of a container's file without those of one that shared its network."""
    lines = {name: found for name, found in names.hosts.addresses.items() if name not in own_names(container)}
    return replace(names, hosts=HostsFile(lines))


def resolving(
    names: Names, host: HostFacts, evidence: Evidence, networks: Iterable[Network], old: Collection[Address]
) -> Names:
    """Names as resolv.conf has them for a container that starts on networks.

    One that was given its resolvers by --dns keeps those: none of them is of its networks or its host.

    :param old: the gateways that it had until now
    """
    ours = {g for network in evidence.networks if network.host == host.key for g in network.gateways} | set(old)
    hosts_own = tuple(one for one in host.names.nameservers if not one.is_loopback)
    others = tuple(one for one in names.nameservers if one not in ours)
    if others and not set(others) <= set(hosts_own) and not set(names.nameservers) & ours:
        return names
    asked = tuple(g for network in networks if network.dns_enabled for g in network.gateways)
    rest = others or hosts_own
    if asked and version_of(host) >= _ONLY_OWN:
        rest = ()
    search = tuple(word for word in names.search if word != _DOMAIN)
    if asked and version_of(host) < _WITHOUT_DOMAIN:
        search = (_DOMAIN, *search)
    return replace(names, nameservers=(*asked, *rest)[:_MOST], search=search)


def with_servers(names: Names, network: Network) -> Names:
    """Names with the resolver of a network that a running container is connected to put first (resolvconf.Add)."""
    if not network.dns_enabled:
        return names
    rest = tuple(one for one in names.nameservers if one not in network.gateways)
    return replace(names, nameservers=(*network.gateways, *rest)[:_MOST])


def without_servers(names: Names, network: Network) -> Names:
    """Names without the resolver of a network that a running container is disconnected from."""
    return replace(names, nameservers=tuple(one for one in names.nameservers if one not in network.gateways))
