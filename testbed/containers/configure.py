"""From what a topology says of a container to one that can be started: the class of its role, and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from testbed.containers.agent import AgentContainer
from testbed.containers.container import HostContainer
from testbed.containers.ledger import LedgerContainer
from testbed.containers.portainer import PortainerContainer
from testbed.containers.sshd import SshdContainer
from testbed.host.protocol import Host
from testbed.topology import ContainerSpec


def configured(host: Host, image: str, spec: ContainerSpec, *, by_hand: str) -> HostContainer:
    """A container of a topology, not started yet.

    :param image: the tag of its role's image
    :param by_hand: the command that stands before another one to run it in this container's network
    """
    return _ROLES.get(spec.role, _general)(host, image, spec, by_hand)


def secret_file(host: Host, name: str) -> str:
    """Where a secret of a host's is there; only root may look into that folder."""
    return f"{host.scratch}/secrets/{name}"


def _general(host: Host, image: str, spec: ContainerSpec, by_hand: str) -> HostContainer:
    return _with_options(HostContainer(host, image, spec.name, by_hand=by_hand), spec)


def _ledger(host: Host, image: str, spec: ContainerSpec, by_hand: str) -> HostContainer:
    return _with_options(LedgerContainer(host, image, spec.name, by_hand=by_hand), spec)


def _portainer(host: Host, image: str, spec: ContainerSpec, by_hand: str) -> HostContainer:
    assert spec.address, "the server's API is called by its address"
    return PortainerContainer(host, image, spec.name, address=spec.address, by_hand=by_hand)


def _agent(host: Host, image: str, spec: ContainerSpec, by_hand: str) -> HostContainer:
    (published,) = spec.publish
    return AgentContainer(
        host,
        image,
        spec.name,
        host_address=published.host_address,
        host_port=published.host_port,
        by_hand=by_hand,
    )


def _sshd(host: Host, image: str, spec: ContainerSpec, by_hand: str) -> HostContainer:
    assert spec.address, "others reach it at an address of its host"
    return SshdContainer(host, image, spec.name, address=spec.address, by_hand=by_hand)


_ROLES: Final[Mapping[str, Callable[[Host, str, ContainerSpec, str], HostContainer]]] = {
    "portainer": _portainer,
    "agent": _agent,
    "sshd": _sshd,
    "ledger": _ledger,
}


def _with_options(container: HostContainer, spec: ContainerSpec) -> HostContainer:
    if spec.network:
        container.on(spec.network, spec.address, mac=spec.mac)
    if spec.mode:
        container.in_mode(spec.mode)
    for published in spec.publish:
        container.publish(published.port, host_address=published.host_address, host_port=published.host_port)
    for name, value in spec.environment.items():
        container.with_env(name, value)
    for name in spec.secrets:
        container.with_volume_mapping(secret_file(container.host, name), f"/run/secrets/{name}", "ro")
    for name, folder in spec.volumes.items():
        container.with_volume_mapping(name, folder, "rw")
    if spec.names:
        container.knows(spec.names)
    if spec.sealed:
        container.seal()
    if spec.command:
        container.with_command(list(spec.command))
    return container
