"""What a lab is made of, as values: hosts, cables between them, Podman's networks, containers. Nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from testbed.errors import UsageError

#: The resolver of every private host (TEST-NET-3, RFC 5737). Never loopback: Podman then writes public servers into
#: containers.
RESOLVER_ADDRESS: Final = "203.0.113.253"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A host."""

    name: str
    with_engine: bool = True
    names: Mapping[str, str] = field(default_factory=dict)
    """Further lines of its hosts file: name to address."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Destination, such as ``default`` or ``203.0.113.0/27``, to the gateway that leads there."""
    secrets: tuple[str, ...] = ()
    """What only some of its containers may read, by name; each is made up anew for every lab."""


@dataclass(frozen=True, slots=True)
class CableSpec:
    """A veth pair between two hosts; ``link`` is the interface's name on its host."""

    host: str
    link: str
    address: str
    """With prefix length, such as ``198.51.100.1/24``."""
    to_host: str
    to_link: str
    to_address: str


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One of Podman's bridge networks, beside the default one."""

    host: str
    name: str
    subnet: str
    gateway: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """A published TCP port."""

    port: int
    host_address: str
    host_port: int


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container. It has either a network or a mode."""

    host: str
    name: str
    role: str
    """Its image, and for some its class; ``base`` for one that only is there."""
    network: str | None = None
    address: str | None = None
    mac: str | None = None
    """The MAC address that it shall have there; by default one that Podman makes up."""
    mode: str | None = None
    """``host``, ``none``, or ``container:NAME``."""
    publish: tuple[Publish, ...] = ()
    command: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Further lines of its hosts file: name to address."""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Those of its host that it may read, at /run/secrets/NAME."""
    sealed: bool = False
    """Whether it has no capability, and a read-only file system but for its volumes and what is in memory (/tmp)."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """What outlives it: a volume's name to where it is mounted."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything a lab starts."""

    hosts: tuple[HostSpec, ...]
    cables: tuple[CableSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    containers: tuple[ContainerSpec, ...] = ()

    def __post_init__(self) -> None:
        names = [host.name for host in self.hosts] + [container.name for container in self.containers]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise UsageError(f"hosts and containers share names in one lab; given twice: {', '.join(sorted(twice))}")

    @property
    def roles(self) -> tuple[str, ...]:
        """The images it needs."""
        return tuple(sorted({container.role for container in self.containers}))
