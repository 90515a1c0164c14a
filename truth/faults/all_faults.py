"""Every fault: importing this puts them on the list."""

from __future__ import annotations

from truth.faults import listening
from truth.faults.fault import FAULTS

__all__ = ["FAULTS", "listening"]
