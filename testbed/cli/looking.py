"""Where the commands that look at hosts look."""

from __future__ import annotations

from typing import Any, Final

import click

from testbed.background import Running, running
from testbed.errors import UsageError
from testbed.namespaces.user import is_root, join_user_namespace
from testbed.readers.sources import of_machine, of_running_lab
from testbed.readers.take import Source

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

    :raises UsageError: no lab of that name runs
    """
    labs = [] if host else [one for one in running() if lab in (None, one.name)]
    if not labs:
        if lab is not None:
            raise UsageError(f"no lab called {lab!r} is running; see 'testbed list'")
        return (of_machine(),)
    return _of_labs(labs)


def sources_for(place: str | None, *, lab: str | None = None, host: bool = False) -> tuple[Source, ...]:
    """The same for whoever starts at a place: the lab that has that name, else the machine, where none is named.

    :raises UsageError: as :func:`sources`
    """
    if lab is None and not host and place not in (None, "host"):
        labs = running()
        having = [one.name for one in labs if any(n.startswith(place or "") for n in (*one.hosts, *one.containers))]
        if labs and not having:
            return sources(host=True)
        if len(having) == 1:
            return sources(lab=having[0])
    return sources(lab=lab, host=host)


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
    return tuple(source for lab in labs for source in of_running_lab(lab.hosts, lab.zones))
