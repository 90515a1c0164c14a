"""From a container's specification to a container that can be started: every field is honoured, for every role.

Cables, routes and the sysctls of cables' interfaces are the lab's to add (:mod:`testbed.cabling`): they need a network
namespace that is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from testbed.containers.container import HostContainer
from testbed.containers.roles import role
from testbed.host.protocol import Host
from testbed.topology import ContainerSpec
from testbed.topology.interfaces import sysctls_but


def configured(
    host: Host, image: str, spec: ContainerSpec, *, by_hand: str, cable_links: Iterable[str] = ()
) -> HostContainer:
    """A container of a topology, not created yet.

    :param image: the tag of its role's image
    :param by_hand: the command that stands before another one to run it in this container's network
    :param cable_links: the names of its ends of cables, whose sysctls the lab sets
    :raises EngineError: its host's Podman does not answer
    """
    container = role(spec.role).container(host, image, spec.name, by_hand=by_hand)
    for attachment in spec.networks:
        container.on(attachment.network, attachment.address, ipv6_address=attachment.ipv6_address, mac=attachment.mac)
    if spec.mode:
        container.in_mode(spec.mode)
    for published in spec.publish:
        container.publish(published.port, host_address=published.host_address, host_port=published.host_port)
    for name, value in spec.environment.items():
        container.with_env(name, value)
    _mount(container, spec)
    if spec.names:
        container.knows(spec.names)
    if spec.sealed:
        container.seal()
    container.with_capabilities(add=spec.add_capabilities, drop=spec.drop_capabilities)
    container.with_sysctls(sysctls_but(cable_links, spec.sysctls))
    container.with_restart_policy(spec.restart)
    if spec.command:
        container.with_command(list(spec.command))
    return container


def secret_file(host: Host, name: str) -> str:
    """The path on a host of one of its secrets; only root may look into that folder."""
    return f"{host.scratch}/secrets/{name}"


def _mount(container: HostContainer, spec: ContainerSpec) -> None:
    host = container.host
    for name in spec.secrets:
        container.with_volume_mapping(secret_file(host, name), f"/run/secrets/{name}", "ro")
    for name, folder in spec.volumes.items():
        container.with_volume_mapping(name, folder, "rw")
    for number, file in enumerate(spec.files):
        source = f"{host.scratch}/files/{spec.name}/{number}"
        path = host.path(source)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        path.chmod(file.mode)
        container.with_volume_mapping(source, file.path, "ro")
