"""Roles that have a class or needs, a module each: it registers its role by being here (docs/adding/role.md)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from testbed.containers.container import HostContainer
from testbed.containers.role import Role
from testbed.topology import ContainerSpec
from testbed.topology.checks import refuse


@cache
def names() -> tuple[str, ...]:
    """The modules of roles, sorted; where a role's name has ``-`` its module has ``_``."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def role(name: str) -> Role:
    """The role of a name: the ``ROLE`` of its module, imported when first asked for, else one of an image alone."""
    module = name.replace("-", "_")
    if module not in names():
        return Role(name, HostContainer, (), ContainerSpec("host", name, name, mode="none"))
    found = import_module(f"{__name__}.{module}").ROLE
    assert isinstance(found, Role)
    return found


def check(containers: Iterable[ContainerSpec]) -> None:
    """Make sure that every container has what its role needs. Nothing is started.

    :raises UsageError: some have not; the message has all of them
    """
    refuse(reason for spec in containers for reason in role(spec.role).unmet(spec))
