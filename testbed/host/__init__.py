"""Hosts: machines as far as networking goes, each with a Podman of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# At once: asked for later, the function would be hidden by the module of the same name.
from testbed.host.listeners import listeners

if TYPE_CHECKING:
    from testbed.host.links import CableEnd, join
    from testbed.host.private import PrivateHost
    from testbed.host.protocol import Host

__all__ = ["CableEnd", "Host", "PrivateHost", "join", "listeners"]

#: Where each name is. Who only looks at hosts need not wait for what makes them: pyroute2 takes a fifth of a second.
_HOMES = {
    "CableEnd": "links",
    "Host": "protocol",
    "PrivateHost": "private",
    "join": "links",
}


def __getattr__(name: str) -> Any:
    """A name of this package, imported when it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - so that it is no name of this package

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
