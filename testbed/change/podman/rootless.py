"""The tap devices that slirp4netns or pasta hold: of containers without a bridge, and of the rootless-netns. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from testbed.change.change import ImpossibleChangeError
from testbed.change.edit import with_host, with_namespace
from testbed.change.podman.rules import version_of
from testbed.change.segments import with_address
from testbed.evidence import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Container,
    Evidence,
    HostFacts,
    InterfaceAddress,
    Link,
    LinkAddress,
    Namespace,
    Route,
    RouteKind,
)
from testbed.evidence.programs import PASTA, SLIRP, is_pasta
from testbed.model import Address

_LOOPBACK: Final = 1
#: From this Podman on it is pasta's by default (containers.conf(5), default_rootless_network_cmd).
_WITH_PASTA: Final = (5,)
#: slirp4netns(1), --cidr.
_SLIRP_ADDRESS: Final = ipaddress.ip_interface("10.0.2.100/24")
_SLIRP_GATEWAY: Final = ipaddress.ip_address("10.0.2.2")
_SLIRP_MTU: Final = 65520


def with_rootless_netns(evidence: Evidence, host: HostFacts) -> Evidence:
    """The picture with the namespace in which a rootless Podman has its bridges; one that is there is left as it is.

    Podman makes it with the first container on a bridge (containers/common, libnetwork/internal/rootlessnetns).

    :raises ImpossibleChangeError: its helper has nothing to copy
    """
    if not host.rootless or (host.rootless_namespace or "") in evidence.namespaces:
        return evidence
    key = f"net:[rootless-netns of {host.key}]"
    here = bare(key, f"rootless-netns of {host.name}", {})
    tapped = _by_slirp(here) if version_of(host) < _WITH_PASTA else _like_host(here, evidence, host)
    return with_host(with_namespace(evidence, tapped), replace(host, rootless_namespace=key))


def revived(here: Namespace, evidence: Evidence, host: HostFacts) -> Namespace:
    """A rootless-netns whose last container has gone: with the next one its helper is started anew.

    The device of a helper that had ended was gone with it (drivers/net/tun.c, __tun_detach), and is made again.
    """
    if not any(link.kind == "tun" for link in here.links):
        if version_of(host) < _WITH_PASTA:
            return _by_slirp(here)
        with suppress(ImpossibleChangeError):  # then the next container cannot be started, and this one is stopped
            return _like_host(here, evidence, host)
    links = tuple(
        replace(link, up=True, carrier=True, holder=link.holder or SLIRP) if link.kind == "tun" else link
        for link in here.links
    )
    return replace(here, links=links)


def bare(key: str, label: str, sysctls: Mapping[str, str]) -> Namespace:
    """A new namespace: its loopback and the kernel's own routes."""
    four, six = ipaddress.ip_interface("127.0.0.1/8"), ipaddress.ip_interface("::1/128")
    return Namespace(
        key=key,
        label=label,
        links=(Link(_LOOPBACK, "lo", "loopback", "00:00:00:00:00:00", 65536, up=True, carrier=True),),
        addresses=(LinkAddress(_LOOPBACK, four, "host"), LinkAddress(_LOOPBACK, six, "host")),
        routes=(
            Route(LOCAL_TABLE, RouteKind.LOCAL, four.network, _LOOPBACK, source=four.ip),
            Route(LOCAL_TABLE, RouteKind.LOCAL, ipaddress.ip_network(four.ip), _LOOPBACK, source=four.ip),
            Route(LOCAL_TABLE, RouteKind.LOCAL, six.network, _LOOPBACK),
        ),
        sysctls=MappingProxyType(dict(sysctls)),
    )


def with_tap(here: Namespace, evidence: Evidence, container: Container, before: Namespace | None) -> Namespace:
    """A new namespace with the tap device that a container has outside of bridges.

    :param before: the namespace that it had until now, whose device it gets again, with its helper alive
    :raises ImpossibleChangeError: its network mode is none that is modelled, or its helper has nothing to copy
    """
    program = container.mode.partition(":")[0]
    if program not in (SLIRP, PASTA):
        raise ImpossibleChangeError(f"a container of network mode {container.mode} is not modelled")
    old = next((link for link in before.links if link.kind == "tun"), None) if before else None
    if before is not None and old is not None and program == SLIRP:
        return _again(here, before, old, program)
    return _by_slirp(here) if program == SLIRP else _like_host(here, evidence, evidence.host(container.host), old)


def _by_slirp(here: Namespace) -> Namespace:
    link = Link(_next(here), "tap0", "tun", "", _SLIRP_MTU, up=True, carrier=True, holder=SLIRP, host_loopback=False)
    return _led(replace(here, links=(*here.links, link)), link, (_SLIRP_ADDRESS,), (_SLIRP_GATEWAY,))


def _again(here: Namespace, before: Namespace, old: Link, program: str) -> Namespace:
    """The device and its routes as they were, held by a new helper."""
    link = replace(old, up=True, carrier=True, holder=old.holder or program)
    return replace(
        here,
        links=(*here.links, link),
        addresses=(*here.addresses, *(row for row in before.addresses if row.link == old.index)),
        routes=(*here.routes, *(row for row in before.routes if row.link == old.index)),
        sysctls=MappingProxyType({**before.sysctls, **here.sysctls}),
    )


def _like_host(here: Namespace, evidence: Evidence, facts: HostFacts, old: Link | None = None) -> Namespace:
    """pasta copies the addresses and the default route of the host's interface that leads out (pasta(1)).

    :param old: the device that it held until now, with its options; None where it held none
    """
    host = evidence.namespaces.get(facts.namespace)
    routes = [r for r in host.routes if r.kind is RouteKind.UNICAST and not r.destination.prefixlen] if host else []
    if host is None or not routes:
        raise ImpossibleChangeError("the host has no default route whose interface pasta could copy")
    index = routes[0].link
    name = next((link.name for link in host.links if link.index == index), "eth0")
    link = Link(_next(here), name, "tun", "", _SLIRP_MTU, up=True, carrier=True, holder=_pasta_of(evidence))
    if old is not None:
        link = replace(link, holder=old.holder or link.holder, pasta=old.pasta)
    copied = tuple(row.address for row in host.addresses if row.link == index and row.scope == "global")
    gateways = tuple(route.gateway for route in routes if route.gateway is not None and route.link == index)
    return _led(replace(here, links=(*here.links, link)), link, copied, gateways)


def _next(here: Namespace) -> int:
    """The ifindex of a new interface."""
    return max(link.index for link in here.links) + 1


def _pasta_of(evidence: Evidence) -> str:
    """The name by which pasta runs there, as far as one runs."""
    links = (link for namespace in evidence.namespaces.values() for link in namespace.links)
    return next((link.holder for link in links if is_pasta(link.holder)), PASTA)


def _led(
    here: Namespace, link: Link, addresses: tuple[InterfaceAddress, ...], gateways: tuple[Address, ...]
) -> Namespace:
    for address in addresses:
        here = with_address(here, link, address)
    for gateway in gateways:
        everything = ipaddress.ip_network("0.0.0.0/0" if gateway.version == 4 else "::/0")
        route = Route(MAIN_TABLE, RouteKind.UNICAST, everything, link.index, gateway=gateway)
        here = replace(here, routes=(*here.routes, route))
    return here
