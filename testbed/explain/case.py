"""One case to explain: the picture, where it starts, what was predicted, and questions that causes ask of it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from testbed.evidence import (
    Attempt,
    Container,
    Evidence,
    Forwarder,
    Listener,
    Namespace,
    Network,
    Place,
    Protocol,
    Published,
    Subnet,
)
from testbed.model import Address, Observation, bracketed
from testbed.predict import Prediction
from testbed.predict.ending import PacketEnding
from testbed.predict.unresolved import walked


@dataclass(frozen=True, slots=True)
class Case:
    """What causes are found from."""

    evidence: Evidence
    attempt: Attempt
    prediction: Prediction
    observation: Observation | None = None

    @property
    def place(self) -> Place:
        """Where the attempt starts."""
        return self.attempt.place

    @property
    def protocol(self) -> Protocol:
        """The transport protocol that is spoken."""
        return self.attempt.protocol

    @property
    def walked(self) -> PacketEnding | None:
        """How the packet ended, or the one that asked for the name; None where none was sent."""
        return walked(self.prediction.ending)

    @property
    def port(self) -> int:
        """The port in the end, after all rewriting."""
        packet = self.walked
        return (packet.packet.destination_port if packet else None) or self.attempt.target.port

    @property
    def end(self) -> Namespace | None:
        """The namespace where it ended."""
        return self.prediction.namespace

    @property
    def said(self) -> str:
        """The target as people say it: a name with its address."""
        host, address = self.attempt.target.host, self.prediction.address
        return host if address is None or str(address) == host else f"{host} ({address})"

    def containers_in(self, namespace: str | None) -> tuple[Container, ...]:
        """The running containers that live in a namespace."""
        return tuple(c for c in self.evidence.containers if c.namespace == namespace and c.state == "running")

    def is_host(self, namespace: str | None) -> bool:
        """Whether a namespace is a host's own."""
        return any(host.namespace == namespace for host in self.evidence.hosts)

    def machine(self, namespace: Namespace) -> str:
        """The name of the host where commands for a namespace are run."""
        return next((self.named(key) for key in self.hosts_of(namespace.key)), namespace.label)

    def named(self, host: str) -> str:
        """The name of a host, by its key."""
        return self.evidence.host(host).name

    def hosts_of(self, namespace: str | None) -> tuple[str, ...]:
        """The keys of the hosts that have a namespace, else of those whose containers live in it.

        Several have one: the rootful and the rootless Podman of a machine share its own.
        """
        own = tuple(host.key for host in self.evidence.hosts if host.namespace == namespace)
        return own or tuple(dict.fromkeys(c.host for c in self.evidence.containers if c.namespace == namespace))

    def networks_of(self, container: Container) -> tuple[Network, ...]:
        """The networks that a container is on."""
        names = {attachment.network for attachment in container.attachments}
        return tuple(n for n in self.evidence.networks if n.host == container.host and n.name in names)

    def networks_with(self, address: Address, hosts: Collection[str]) -> tuple[Network, ...]:
        """The networks of some hosts, by their keys, whose subnet has an address."""
        return tuple(
            n for n in self.evidence.networks if n.host in hosts and any(address in subnet for subnet in n.subnets)
        )

    def forwarder_of(self, listener: Listener) -> Forwarder | None:
        """What the ssh process that holds a listener was told about it; None for a listener of anybody else."""
        pid = listener.process.pid if listener.process else None
        return next((f for f in self.evidence.forwards if f.pid == pid and f.port == listener.port), None)

    def only_port_of(self, container: Container) -> int | None:
        """The one TCP port that is listened on in a container; None where there is none, or several."""
        there = self.evidence.namespaces.get(container.namespace or "")
        ports = {entry.port for entry in there.listeners if entry.protocol is Protocol.TCP} if there else set()
        return ports.pop() if len(ports) == 1 else None

    def log_of(self, here: Namespace) -> str:
        """The command that shows what a container's program says; empty for a host's own namespace."""
        containers = () if self.is_host(here.key) else self.containers_in(here.key)
        return f"podman logs {containers[0].name}" if containers else ""

    def restart_of(self, listener: Listener) -> str:
        """The command that restarts the container whose process holds a listener; empty for a process of the host."""
        name = listener.process.container if listener.process else None
        return f"podman restart {name}" if name else ""

    def published_at(self, hosts: Collection[str], port: int) -> Iterator[tuple[Container, Published]]:
        """Containers of some hosts, by their keys, that publish a port there, running or not."""
        for container in self.evidence.containers:
            for published in container.published:
                if container.host in hosts and published.host_port == port and published.protocol == self.protocol:
                    yield container, published


def listeners(namespace: Namespace, port: int, protocol: Protocol = Protocol.TCP) -> tuple[Listener, ...]:
    """Who listens on a port of a namespace."""
    return tuple(entry for entry in namespace.listeners if entry.port == port and entry.protocol is protocol)


def covers(listener: Listener, version: int) -> bool:
    """Whether a listener takes connections of an IP version."""
    if listener.address.version == version:
        return True
    return version == 4 and listener.address.is_unspecified and not listener.v6only


def holder(listener: Listener) -> str:
    """Who holds a listener, as people say it."""
    if listener.process is None:
        return "a process that is not visible"
    return f"{listener.process.name} (pid {listener.process.pid})"


def at(address: Address | str, port: int) -> str:
    """An address and a port as ss(8) prints them."""
    return f"{bracketed(str(address))}:{port}"


def any_address(version: int) -> Address:
    """The wildcard address of an IP version."""
    return ipaddress.ip_address("0.0.0.0" if version == 4 else "::")


def as_subnet(text: str) -> Subnet | None:
    """A subnet in CIDR notation, None for another text."""
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def as_address(text: str) -> Address | None:
    """An address, None for another text."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
