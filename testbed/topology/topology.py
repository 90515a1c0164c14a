"""A topology: everything that a lab starts."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.topology.checks import contradictions, refuse
from testbed.topology.specs import CableSpec, ContainerSpec, HostSpec, NetworkSpec


@dataclass(frozen=True, slots=True)
class Topology:
    """Hosts, the cables between them and their containers, and Podman's networks.

    :raises UsageError: it contradicts itself; the message has everything that was found
    """

    hosts: tuple[HostSpec, ...]
    cables: tuple[CableSpec, ...] = ()
    """They are laid in this order, those between hosts before those of containers."""
    networks: tuple[NetworkSpec, ...] = ()
    containers: tuple[ContainerSpec, ...] = ()

    def __post_init__(self) -> None:
        refuse(contradictions(self.hosts, self.cables, self.networks, self.containers))

    @property
    def roles(self) -> tuple[str, ...]:
        """The images it needs, once each, sorted."""
        return tuple(sorted({container.role for container in self.containers}))
