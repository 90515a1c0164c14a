"""Why an address could not be bound, said so that the next step is clear."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from testbed.bind import WILDCARDS
from testbed.errors import EngineError
from testbed.host.listeners import listeners, owner
from testbed.host.protocol import Host
from testbed.model import Address


def bind_failure(host: Host, address: Address, port: int, number: int) -> str:
    """One sentence: OpenSSH's own words for the failed bind, then the reason as this host shows it."""
    words = f"bind [{address}]:{port}: {os.strerror(number)}"
    if number == errno.EADDRINUSE:
        return f"{words}: {_holder(host, address, port)}"
    if number == errno.EADDRNOTAVAIL:
        return f"{words}: {_missing(host, address)}"
    return f"{words} on {host.name}"


def _holder(host: Host, address: Address, port: int) -> str:
    for listener in listeners(host.net):
        if listener.port != port or listener.address.version != address.version:
            continue
        if listener.address in (address, *WILDCARDS) or address in WILDCARDS:
            who = (
                owner(listener, host.path("/proc")) or owner(listener, Path("/proc")) or "a process that is not visible"
            )
            return f"{who} listens on [{listener.address}]:{port} of {host.name}; end it or take another port"
    return f"the port was taken on {host.name}, and is free again now: try once more"


def _missing(host: Host, address: Address) -> str:
    network = _network_with_gateway(host, address)
    if network:
        return (
            f"{host.name} has no such address yet. It is the gateway of the network {network!r}, whose bridge exists "
            "only while a container is on it: start one first"
        )
    return f"{host.name} has no such address; see 'ip address' there"


def _network_with_gateway(host: Host, address: Address) -> str:
    try:
        networks = host.engine.networks()
    except EngineError:
        return ""
    return next((network.name for network in networks if address in network.gateways), "")
