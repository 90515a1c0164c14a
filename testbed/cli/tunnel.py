"""The option ``--bind``, which is about the tunnel of one scenario."""

from __future__ import annotations

from testbed.errors import UsageError
from testbed.scenarios import table

_USUAL = "127.0.0.1"


def check(scenario: str, bind: str | None) -> None:
    """Refuse a bind address of what has no tunnel.

    :raises UsageError: so
    """
    if bind is not None and scenario != table.PORTAINER:
        raise UsageError(f"--bind is about the tunnel of portainer, and {scenario} has none: leave it out")


def or_usual(scenario: str, bind: str | None) -> str | None:
    """What the tunnel of a lab that stays is bound to where nothing is said; None for what has none."""
    if scenario != table.PORTAINER:
        return None
    return _USUAL if bind is None else bind  # empty is an address, as for ssh: every one
