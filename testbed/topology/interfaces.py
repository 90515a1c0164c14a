"""The ends of cables, sysctls and routes of a topology, sorted by interface. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from testbed.topology.specs import CableEndSpec, CableSpec


def ends_at(cables: Iterable[CableSpec], place: str) -> Iterator[CableEndSpec]:
    """The ends of cables that a host or container has.

    :param place: its name
    """
    for cable in cables:
        for end in (cable.one, cable.other):
            if end.place == place:
                yield end


def sysctls_of(link: str, sysctls: Mapping[str, str]) -> dict[str, str]:
    """Those of some sysctls that are one interface's own (Documentation/networking/ip-sysctl.rst).

    :param link: the interface's name
    :param sysctls: name to value
    """
    return {name: value for name, value in sysctls.items() if link_of(name) == link}


def sysctls_but(links: Iterable[str], sysctls: Mapping[str, str]) -> dict[str, str]:
    """Those of some sysctls that are none of these interfaces' own."""
    taken = set(links)
    return {name: value for name, value in sysctls.items() if link_of(name) not in taken}


def sysctl_path(name: str) -> str:
    """The file of a sysctl below /proc/sys: dots separate its parts, and an interface's name may have dots in it.

    :param name: such as ``net.ipv4.conf.to-b.rp_filter``
    """
    link = link_of(name)
    if link is None:
        return name.replace(".", "/")
    net, family, kind, _ = name.split(".", 3)
    return "/".join((net, family, kind, link, name.rpartition(".")[2]))


def routes_through(address: str | None, routes: Mapping[str, str]) -> dict[str, str]:
    """Those of some routes whose gateway is on the link of an interface.

    :param address: the interface's own, with prefix length; None for none
    :param routes: destination to gateway
    """
    if address is None:
        return {}
    on_link = ipaddress.ip_interface(address).network
    return {to: gateway for to, gateway in routes.items() if ipaddress.ip_address(gateway) in on_link}


def link_of(name: str) -> str | None:
    """The interface in ``net.ipv4.conf.LINK.…``, ``net.ipv4.neigh.LINK.…`` and the same of IPv6."""
    match name.split("."):
        case ["net", "ipv4" | "ipv6", "conf" | "neigh", *link, _] if link:
            return ".".join(link)
        case _:
            return None
