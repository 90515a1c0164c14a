"""A role: what a container is for. Its image, the class that knows it, and what it needs of a specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from testbed.containers.container import HostContainer
from testbed.topology import ContainerSpec


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a role needs of a specification, because its image or class would not work otherwise."""

    field: str
    """The field of :class:`ContainerSpec` that it is about."""
    met: Callable[[ContainerSpec], bool]
    """Tells whether a specification has it."""
    sentence: str
    """Said of the role where it is not met: the value to write, and why, as in ``needs mode='host': ...``."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of containers.

    A module of :mod:`testbed.containers.roles` that is called like the role has it as ``ROLE``. A role without a module
    is one of an image alone: any container, and no needs.
    """

    name: str
    """The image's, the name of its folder in images/."""
    container: type[HostContainer]
    """The class of its containers; constructed as :class:`HostContainer` is."""
    needs: tuple[Need, ...]
    example: ContainerSpec
    """A specification with what it needs and no more, on a host called ``host``."""

    def unmet(self, spec: ContainerSpec) -> Iterator[str]:
        """One sentence for each need that a specification does not meet.

        :param spec: of a container of this role
        """
        for need in self.needs:
            if not need.met(spec):
                value = getattr(spec, need.field)
                yield f"container {spec.name!r}: {need.field} {value!r}: the role {self.name!r} {need.sentence}"
