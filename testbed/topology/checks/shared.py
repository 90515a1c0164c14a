"""Checks of what hosts and containers both have: names, routes and sysctls."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from testbed.topology.checks.syntax import address, is_sysctl
from testbed.topology.interfaces import link_of

#: What ip-sysctl.rst knows beside names of interfaces, and the interface that every namespace has.
_ALWAYS: Final = frozenset({"all", "default", "lo"})


def of_names(who: str, names: Mapping[str, str]) -> Iterator[str]:
    """Lines of a hosts file that hosts(5) knows no meaning for.

    :param who: how the sentences begin, such as ``host 'laptop'``
    """
    for name, text in names.items():
        if not name or any(character.isspace() or character in "#:" for character in name):
            yield f"{who}: names: {name!r} cannot stand in a hosts file: a name has no white space, '#' or ':'"
        if address(text) is None:
            yield f"{who}: names: {name!r} leads to {text!r}, which is no IPv4 or IPv6 address"


def of_routes(
    who: str,
    routes: Mapping[str, str],
    on_link: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network],
    where: str,
) -> Iterator[str]:
    """Routes that the kernel would refuse.

    :param on_link: the prefixes of its interfaces
    :param where: what it has those by, for the sentences
    """
    for destination, text in routes.items():
        gateway = address(text)
        if gateway is None:
            yield f"{who}: routes: {destination!r} has the gateway {text!r}, which is no IPv4 or IPv6 address"
            continue
        if destination != "default":
            try:
                prefix = ipaddress.ip_network(destination)
            except ValueError as exc:
                yield f"{who}: routes: the destination {destination!r} is no prefix ({exc}) and not 'default'"
                continue
            if prefix.version != gateway.version:
                yield f"{who}: routes: {destination!r} and its gateway {text!r} are of different families"
        if not any(gateway.version == prefix.version and gateway in prefix for prefix in on_link):
            known = ", ".join(map(str, on_link)) or "no prefix"
            yield f"{who}: routes: the gateway {text!r} of {destination!r} is on none of its {where} ({known})"


def of_sysctls(who: str, sysctls: Mapping[str, str], links: Collection[str]) -> Iterator[str]:
    """Kernel parameters that are none, or those of an interface that is not there.

    :param links: the names of its interfaces
    """
    for name, value in sysctls.items():
        if not is_sysctl(name, value):
            yield f"{who}: sysctls: {name!r} = {value!r} is none: write for example 'net.ipv4.ip_forward' to '1'"
            continue
        link = link_of(name)
        if link is not None and link not in _ALWAYS and link not in links:
            yield f"{who}: sysctls: {name!r} is of an interface {link!r}: there are {', '.join(links) or 'none'}"
