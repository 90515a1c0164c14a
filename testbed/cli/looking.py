"""Where the commands that look at hosts look."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from testbed.background import Running, running
from testbed.background.members import called, known, missing
from testbed.errors import UsageError
from testbed.evidence import lookup
from testbed.evidence.beyond import is_remote
from testbed.namespaces.user import is_root, join_user_namespace
from testbed.readers.sources import of_machine, of_running_lab
from testbed.readers.take import Source

#: What --from and exec take, in the words of :mod:`testbed.evidence.lookup`.
NOTATION: Final = (
    "NAME is a container's name or id, or the first letters of one, a pod's or a host's name, or 'host' for the host "
    "itself. "
    "Where several are called so: LAB/NAME, HOST/NAME or LAB/HOST/NAME."
)
#: What --from takes beside, where it is enough to predict.
BEYOND: Final = (
    "'lan' is a neighbour on the host's LAN (lan:INTERFACE where it has several), and 'outside' a host beyond its "
    "router; from there nothing is tried."
)
#: What explain and trace end with where they cannot look: 2 is an answer of theirs.
UNUSABLE: Final = 3


class _Misused(click.UsageError):
    exit_code = UNUSABLE


class LookingCommand(click.Command):
    """A command that ends with :data:`UNUSABLE` also where its words make no sense."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As :class:`click.Command`, which would end with 2."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as exc:
            raise _Misused(exc.format_message(), exc.ctx) from exc


def sources(*, lab: str | None = None, host: bool = False) -> tuple[Source, ...]:
    """What a picture is taken of: the labs of this user that are up, else the machine.

    This process joins the user namespace of their owner where it is not root.

    :raises UsageError: no lab of that name runs, or both are asked for
    """
    labs = _labs(lab, host=host)
    return _of_labs(labs) if labs else (of_machine(),)


def sources_for(place: str | None, *, lab: str | None = None, host: bool = False) -> tuple[Source, ...]:
    """Sources for an attempt from a place: the lab that has it; where none is named and none has it, the machine.

    :param place: in the notation of :mod:`testbed.evidence.lookup`; None where it is to be told from words that were
        pasted
    :raises UsageError: as :func:`sources`, or the place may be in several labs
    """
    labs = _labs(lab, host=host)
    if place is not None and is_remote(place, ()):
        # The host whose LAN it is: a place that is called so is in a picture of the same hosts.
        place = place.rpartition("/")[0] or None
    if not labs or place is None:
        return _of_labs(labs) if labs else (of_machine(),)
    members = known(place, labs, join=lab is not None)
    if lookup.matching(place, members, called):
        found = lookup.find(place, members, called, missing=lambda: missing(place, members))
        return _of_labs([found.lab])
    if lab is not None:
        return _of_labs(labs)
    within, separator, _ = place.partition("/")
    if separator and within != os.uname().nodename:
        raise missing(place, members)
    return (of_machine(),)


def _labs(lab: str | None, *, host: bool) -> list[Running]:
    """The labs to look in; none for the machine."""
    if lab is not None and host:
        raise UsageError("give --lab or --host, not both")
    labs = [] if host else [one for one in running() if lab in (None, one.name)]
    if lab is not None and not labs:
        raise UsageError(f"no lab called {lab!r} is running; see 'testbed list'")
    return labs


def needed(place: str | None) -> str:
    """The place that was named.

    :raises UsageError: none was
    """
    if place is None:
        raise UsageError("from where? add --from CONTAINER, or --from host")
    return place


def _of_labs(labs: list[Running]) -> tuple[Source, ...]:
    if not is_root():
        if len(labs) > 1:
            raise UsageError(f"several labs are running ({', '.join(lab.name for lab in labs)}): say which with --lab")
        join_user_namespace(labs[0].keeper)
    return tuple(source for lab in labs for source in of_running_lab(lab.hosts, lab.zones, lab=lab.name))
