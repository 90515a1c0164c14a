"""Every fault: importing this puts them on the list."""

from __future__ import annotations

from truth.faults import (
    above_tcp,
    binding,
    filtering,
    listening,
    naming,
    pasta,
    proxying,
    publishing,
    rootless,
    routing,
    tls,
    tunnels,
)
from truth.faults.fault import FAULTS, MADE, NOT_MADE

__all__ = [
    "FAULTS",
    "MADE",
    "NOT_MADE",
    "above_tcp",
    "binding",
    "filtering",
    "listening",
    "naming",
    "pasta",
    "proxying",
    "publishing",
    "rootless",
    "routing",
    "tls",
    "tunnels",
]
