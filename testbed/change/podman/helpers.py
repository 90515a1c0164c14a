"""Listeners of Podman's helper programs: who holds a published port, and who answers for names. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Final

from testbed.change.change import ImpossibleChangeError
from testbed.change.listening import collide
from testbed.change.podman.rules import version_of
from testbed.evidence import Container, HostFacts, Listener, Namespace, Network, Process, Protocol, Published
from testbed.evidence.programs import AARDVARK, CONMON, DNS_PORT, PASTA, ROOTLESSPORT, is_pasta
from testbed.model import bracketed

_BACKLOG: Final = 4096
_FIRST_FOR_ALL: Final = "1024"
#: From this Podman on conmon holds no port (libpod/oci_conmon_linux.go).
_HOLDS_NONE: Final = (6,)
#: aardvark-dns answers TCP from 1.12 on, which came with Podman 5.2.
_WITH_TCP: Final = (5, 2)


def with_holders(here: Namespace, host: HostFacts, container: Container) -> Namespace:
    """A host's own namespace with whoever holds the published ports of a container that starts.

    :raises ImpossibleChangeError: a port is taken, or the host has no such address (bind(2))
    """
    if not host.rootless and version_of(host) >= _HOLDS_NONE:
        return here
    program = _program(host, container)
    for published in container.published:
        if published.protocol not in (Protocol.TCP, Protocol.UDP):
            continue
        wanted = _listener(published, program, host)
        check(here, wanted, ordinary=host.rootless)
        here = replace(here, listeners=(*here.listeners, wanted))
    return here


def without_holders(here: Namespace, container: Container) -> Namespace:
    """A host's own namespace without whoever holds the published ports of a container."""
    holders = (CONMON, ROOTLESSPORT, PASTA)
    ports = {(published.protocol, published.host_port) for published in container.published}

    def ours(listener: Listener) -> bool:
        if listener.process is None or (listener.protocol, listener.port) not in ports:
            return False
        name = listener.process.name
        return name in holders or name.startswith(ROOTLESSPORT) or is_pasta(name)

    return replace(here, listeners=tuple(one for one in here.listeners if not ours(one)))


def check(here: Namespace, wanted: Listener, *, ordinary: bool = False) -> None:
    """See that a listener can be there.

    :param ordinary: whether it is an ordinary user's, who may not have the lowest ports (ip-sysctl,
        ip_unprivileged_port_start)
    :raises ImpossibleChangeError: bind(2) would fail with EADDRNOTAVAIL, EADDRINUSE or EACCES
    """
    address = wanted.address
    first = int(here.sysctls.get("ipv4/ip_unprivileged_port_start", _FIRST_FOR_ALL))
    if ordinary and wanted.port < first:
        raise ImpossibleChangeError(f"on {here.label} an ordinary user may not listen on ports below {first}")
    own = address.is_unspecified or address.is_loopback or any(row.address.ip == address for row in here.addresses)
    if not own and here.sysctls.get(f"ipv{address.version}/ip_nonlocal_bind", "0") != "1":
        raise ImpossibleChangeError(f"{here.label} has no address {address} to listen on")
    for other in here.listeners:
        if other.protocol is wanted.protocol and other.port == wanted.port and collide(wanted, other):
            who = f"{other.process.name} (pid {other.process.pid})" if other.process else "another process"
            taken = f"{bracketed(str(other.address))}:{other.port}"
            raise ImpossibleChangeError(f"{who} of {here.label} already listens on {taken}")


def with_resolver(here: Namespace, host: HostFacts, network: Network) -> Namespace:
    """A namespace in which aardvark-dns answers on a network's gateways, where it has them and the port is free there.

    It binds all its listeners anew for each container that comes or goes (aardvark-dns, src/server/serve.rs), so that
    it loses those whose address has gone meanwhile.
    """
    here = _bound_anew(here)
    if not network.dns_enabled:
        return here
    protocols = (Protocol.UDP, Protocol.TCP) if version_of(host) >= _WITH_TCP else (Protocol.UDP,)
    process = next((one.process for one in here.listeners if _is_resolver(one)), None)
    own = {row.address.ip for row in here.addresses}
    for gateway in network.gateways:
        for protocol in protocols:
            wanted = Listener(protocol, gateway, DNS_PORT, process=process or Process(0, AARDVARK))
            taken = any(
                one.protocol is protocol and one.port == DNS_PORT and collide(wanted, one) for one in here.listeners
            )
            if gateway in own and not taken:
                here = replace(here, listeners=(*here.listeners, wanted))
    return here


def without_resolver(here: Namespace, network: Network, *, last: bool) -> Namespace:
    """A namespace in which aardvark-dns has one container of a network less.

    :param last: whether it was the last one, after which nobody answers on the network's gateways any more
    """
    here = _bound_anew(here)
    if not last:
        return here
    gone = network.gateways
    left = tuple(one for one in here.listeners if not (_is_resolver(one) and one.address in gone))
    return replace(here, listeners=left)


def _bound_anew(here: Namespace) -> Namespace:
    own = {row.address.ip for row in here.addresses}
    left = tuple(one for one in here.listeners if not _is_resolver(one) or one.address in own)
    return here if len(left) == len(here.listeners) else replace(here, listeners=left)


def _is_resolver(listener: Listener) -> bool:
    return listener.process is not None and listener.process.name == AARDVARK


def _program(host: HostFacts, container: Container) -> str:
    if not host.rootless:
        return CONMON
    return PASTA if container.mode == PASTA else ROOTLESSPORT


def _listener(published: Published, program: str, host: HostFacts) -> Listener:
    address = ipaddress.ip_address(published.host_address or ("::" if host.rootless else "0.0.0.0"))
    return Listener(
        Protocol(published.protocol),
        address,
        published.host_port,
        backlog=_BACKLOG if published.protocol == Protocol.TCP else 0,
        process=Process(0, program),
    )
