"""The option ``--bind``, which is about the tunnel of one scenario."""

from __future__ import annotations

from testbed.bind import Bind, NoTunnel, parse
from testbed.errors import UsageError
from testbed.scenarios import table

_USUAL = parse("127.0.0.1")


def read(scenario: str, written: str | None) -> Bind | None:
    """Read a bind address, None where none was given.

    :raises UsageError: it is none, or the scenario has no tunnel
    """
    if written is not None and scenario != table.PORTAINER:
        raise UsageError(f"--bind is about the tunnel of portainer, and {scenario} has none: leave it out")
    return None if written is None else parse(written)


def or_usual(scenario: str, bind: Bind | None) -> Bind:
    """What the tunnel of a lab that stays is bound to where nothing is said; what has no tunnel has none."""
    if scenario != table.PORTAINER:
        return NoTunnel()
    return _USUAL if bind is None else bind
