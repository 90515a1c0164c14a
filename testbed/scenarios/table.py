"""The scenarios by name. Each is imported when it is asked for: a command that wants one does not load the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from testbed.lab import Lab
from testbed.results import Scene

PORTAINER: Final = "portainer"
#: Those that are told by scenes: the class of the lab, in the package of that name.
_LABS: Final = {"switch": "SwitchLab", "namespaces": "NamespacesLab"}
NAMES: Final = (PORTAINER, *_LABS)


def make(name: str, *, say: Callable[[str], None]) -> Lab:
    """Start a scenario's lab.

    :param say: told what takes long, a line at a time
    :raises Error: it did not start; nothing is left of it
    """
    package = import_module(f"testbed.scenarios.{name}")
    lab = getattr(package, "PortainerLab" if name == PORTAINER else _LABS[name])(say=say)
    assert isinstance(lab, Lab)
    return lab


def scenes(name: str, lab: Lab) -> Iterator[Scene]:
    """Tell the story of a scenario on its lab, a scene at a time."""
    yield from import_module(f"testbed.scenarios.{name}").scenes(lab)
