"""The picture that a prediction is made from: network namespaces, what they are joined by, and who listens."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from testbed.hosts_file import HostsFile
from testbed.model import Address

InterfaceAddress: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of a namespace, and the segment (a bridge or a cable) that it is reached over."""

    segment: str
    address: InterfaceAddress


@dataclass(frozen=True, slots=True)
class Stack:
    """One network namespace: its addresses beside loopback, its default route, its listeners."""

    interfaces: tuple[Interface, ...] = ()
    gateway: Address | None = None
    """The next hop of its default route, None where it has none."""
    forwards: bool = False
    """Whether it passes on what is not for itself (net.ipv4.ip_forward)."""
    listeners: frozenset[tuple[Address, int]] = frozenset()
    """Bind address and port of each TCP listener. ``::`` is IPv6 only, as OpenSSH and the testbed bind it."""

    def owns(self, address: Address) -> bool:
        """Whether an address is the namespace's own; all of 127.0.0.0/8 always is (the local routing table)."""
        return address.is_loopback or any(i.address.ip == address for i in self.interfaces)


@dataclass(frozen=True, slots=True)
class Place:
    """A vantage, as far as a prediction needs it."""

    stack: str
    hosts: HostsFile
    resolver_answers: bool = True
    """Whether it reaches a resolver, which then says "no such name" to everything the hosts file does not have."""


@dataclass(frozen=True, slots=True)
class World:
    """Every namespace by its name, and every vantage."""

    stacks: Mapping[str, Stack]
    places: Mapping[str, Place]
