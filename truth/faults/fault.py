"""What a fault is, and the list of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from testbed import machine
from testbed.diagnose import USUAL, Client
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure
from truth.faults.stage import Stage


@dataclass(frozen=True, slots=True)
class Broken:
    """What is tried while a fault is there."""

    place: str
    """A container or host of the stage, as ``--from`` takes it."""
    target: str
    """A URL or host:port."""
    pasted: str = ""
    """Instead of an attempt: the words of a program, for what only those tell."""
    cure: Callable[[], None] | None = None
    """Does what the explanation's first cure says; None where there is none to be shown."""
    cure_runs_on: str = ""
    """Instead of ``cure``: the host or container where the command of the explanation's first cure is run as it is."""
    cured_place: str = ""
    """Where it is tried from after that; the same place by default (a cure may be a new container)."""
    cure_connects: Callable[[Sequence[Cure]], None] | None = None
    """Instead of trying again: runs one of the printed cures that is an attempt of its own, such as curl with another
    option. It raises where that does not connect."""
    cured_target: str = ""
    """What is tried after that; the same target by default (a cure may be another address)."""
    cured_as: Client = USUAL
    """How certificates are verified then."""


#: Makes it and yields what is to be tried; undone when it is closed.
Maker: TypeAlias = Callable[[Stage], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A way of making one cause."""

    cause: Cause
    name: str
    make: Callable[[Stage], AbstractContextManager[Broken]]
    told_by_what_was_meant: bool = False
    """True where the picture does not tell it from another cause, so that both are named."""


#: Of the versions that were seen, 4.3.1 (with netavark 1.4) does it the one way and 5.4.2 (1.14) the other.
PODMAN_5: Final = (machine.podman_version() or (0,)) >= (5,)

#: Every fault that the installed Podman can show, by the order of the modules that make them.
FAULTS: Final[list[Fault]] = []
#: The causes that a fault of ours makes, whichever Podman is needed for it.
MADE: Final[set[Cause]] = set()
#: The causes that none makes, and why none can.
NOT_MADE: Final[Mapping[Cause, str]] = MappingProxyType({})


def fault(cause: Cause, *, shown: bool = True, meant: bool = False) -> Callable[[Maker], Maker]:
    """Put a generator of one :class:`Broken` on the list, under its own name.

    :param shown: whether the installed Podman can show it
    :param meant: whether only what was meant tells it from another cause
    """

    def register(make: Maker) -> Maker:
        MADE.add(cause)
        if shown:
            FAULTS.append(Fault(cause, make.__name__, contextmanager(make), meant))
        return make

    return register
