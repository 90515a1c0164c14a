"""The scenarios by name. Each is imported when it is asked for: a command that wants one does not load the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from testbed.lab import Lab
from testbed.results import Scene

PORTAINER: Final = "portainer"
#: The class of each one's lab, in the package of that name.
_LABS: Final = {
    PORTAINER: "PortainerLab",
    "switch": "SwitchLab",
    "namespaces": "NamespacesLab",
    "toaster": "ToasterLab",
}
NAMES: Final = tuple(_LABS)


def make(name: str, *, say: Callable[[str], None]) -> Lab:
    """Start a scenario's lab.

    :param say: told what takes long, a line at a time
    :raises Error: it did not start; nothing is left of it
    """
    lab = getattr(import_module(f"testbed.scenarios.{name}"), _LABS[name])(say=say)
    assert isinstance(lab, Lab)
    return lab


def scenes(name: str, lab: Lab) -> Iterator[Scene]:
    """Tell the story of a scenario on its lab, a scene at a time; portainer's is of steps and cells instead."""
    yield from import_module(f"testbed.scenarios.{name}").scenes(lab)
