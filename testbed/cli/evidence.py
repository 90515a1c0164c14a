"""``testbed evidence``: the picture that an explanation rests on, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.background import Running, running
from testbed.errors import UsageError
from testbed.evidence import codec
from testbed.namespaces.user import is_root, join_user_namespace
from testbed.readers.sources import of_machine, of_running_lab
from testbed.readers.take import Source, take


@click.command(
    epilog="""
\b
Examples:
  testbed evidence -o picture.json
  testbed evidence | jq '.containers[].name'
"""
)
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write it; standard output by default.")
@click.option("--lab", metavar="NAME", help="Of this lab; by default of all that run in the background.")
@click.option("--host", is_flag=True, help="Of this machine and its own Podman, even while a lab is up.")
def evidence(output: str, lab: str | None, host: bool) -> None:
    """Write what the network looks like now as JSON: interfaces, routes, listeners, rules, containers, names.

    Of the labs that run in the background, else of this machine's own Podman: as root the rootful one, otherwise yours.
    It holds names, addresses, firewall rules and process names, of every variable of an environment only the proxies,
    without their passwords. Nothing is changed, nothing is sent.
    """
    if lab is not None and host:
        raise UsageError("give --lab or --host, not both")
    picture = take(sources(lab=lab, host=host))
    if output == "-":
        click.echo(codec.to_json(picture))
    else:
        codec.write(Path(output), picture)


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


def _of_labs(labs: list[Running]) -> tuple[Source, ...]:
    if not is_root():
        if len(labs) > 1:
            raise UsageError(f"several labs are running ({', '.join(lab.name for lab in labs)}): say which with --lab")
        join_user_namespace(labs[0].keeper)
    return tuple(source for lab in labs for source in of_running_lab(lab.hosts))
