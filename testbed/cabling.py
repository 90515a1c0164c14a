"""The cables of a topology, with the routes and the sysctls of their interfaces, between namespaces that are there.

A container's cables are laid when its network namespace is made and before its first process runs (podman-init(1)): a
daemon that looks once at its interfaces, when it starts, finds them all. Its end vanishes with its namespace, and the
other end with it (veth(4)), so that they are laid again when it is restarted; what the other end had comes again too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pyroute2 import NetlinkError

from testbed.errors import HostError
from testbed.host.links import CableEnd, cut, join
from testbed.host.protocol import Host
from testbed.host.routes import add_route
from testbed.namespaces import NetworkNamespace
from testbed.topology import CableEndSpec, CableSpec, ContainerSpec, HostSpec, Topology
from testbed.topology.interfaces import ends_at, routes_through, sysctls_of


@dataclass(frozen=True, slots=True)
class CableSite:
    """A host or a container, as far as cables go."""

    host: Host
    net: NetworkNamespace


class Cabling:
    """Lays the cables of a topology.

    :param topology: whose cables, routes and sysctls
    :param find: finds a host or container by its name; None for one without a network namespace at the moment
    """

    def __init__(self, topology: Topology, find: Callable[[str], CableSite | None]) -> None:
        self._find = find
        self._cables = topology.cables
        self._specs: dict[str, HostSpec | ContainerSpec] = {
            **{host.name: host for host in topology.hosts},
            **{container.name: container for container in topology.containers},
        }
        self._hosts = {host.name for host in topology.hosts}

    def ends(self, name: str) -> list[CableEndSpec]:
        """The ends of cables that a host or container has."""
        return list(ends_at(self._cables, name))

    def between_hosts(self) -> list[CableSpec]:
        """The cables that need no container."""
        return [cable for cable in self._cables if {cable.one.place, cable.other.place} <= self._hosts]

    def to_containers(self) -> list[CableSpec]:
        """The cables with an end in a container, or two."""
        hosts = self.between_hosts()
        return [cable for cable in self._cables if cable not in hosts]

    def of(self, name: str) -> list[CableSpec]:
        """The cables with an end at a host or container."""
        return [cable for cable in self._cables if name in (cable.one.place, cable.other.place)]

    def waits_for(self, spec: ContainerSpec) -> bool:
        """Tell whether a container's namespace has to be completed before its first process runs."""
        return bool(spec.routes or self.ends(spec.name))

    def lay(self, cables: Iterable[CableSpec], *, again: bool = False) -> None:
        """Lay cables, one after the other, with the routes through them.

        A cable to a container that has no network namespace is left out: it is laid when that one is restarted.

        :param again: first remove what is left of them at either end; and routes that have come meanwhile stay
        :raises HostError: the kernel refused a cable, a sysctl or a route
        """
        for cable in cables:
            one, other = self._end(cable.one), self._end(cable.other)
            if one is None or other is None:
                continue
            if again:
                cut(one.net, one.link)
                cut(other.net, other.link)
            _join(one, other)
            for end, spec in ((one, cable.one), (other, cable.other)):
                for address in (spec.address, spec.ipv6_address):
                    for to, gateway in routes_through(address, self._specs[spec.place].routes).items():
                        add_route(end.net, to, gateway, or_leave=again)

    def add_routes(self, name: str) -> None:
        """Add those routes of a container whose gateway is on none of its cables, but on a network of Podman's.

        :raises HostError: the kernel refused
        """
        found = self._find(name)
        if found is None:
            return
        rest = dict(self._specs[name].routes)
        for end in self.ends(name):
            for address in (end.address, end.ipv6_address):
                for to in routes_through(address, rest):
                    del rest[to]
        for to, gateway in rest.items():
            add_route(found.net, to, gateway)

    def _end(self, spec: CableEndSpec) -> CableEnd | None:
        found = self._find(spec.place)
        if found is None:
            return None
        end = CableEnd(found.host, spec.link, spec.address, spec.ipv6_address, spec.mac, namespace=found.net)
        sysctls = sysctls_of(spec.link, self._specs[spec.place].sysctls)
        return replace(end, sysctls={**_as_on_a_host(found.host, spec.link), **sysctls})


def _join(one: CableEnd, other: CableEnd) -> None:
    try:
        join(one, other)
    except NetlinkError as exc:
        ends = f"{one.link!r} at {one.net.what} and {other.link!r} at {other.net.what}"
        raise HostError(f"the cable between {ends} was not laid: {os.strerror(exc.code)}") from exc


def _as_on_a_host(host: Host, link: str) -> dict[str, str]:
    """Sysctls that a private host has for its interfaces (namespaces/init.sh): usable at once, nothing is learned."""
    if not host.path("/proc/sys/net/ipv6").is_dir():
        return {}
    return {f"net.ipv6.conf.{link}.{key}": "0" for key in ("accept_dad", "accept_ra")}
