"""``testbed evidence``: the picture that an explanation rests on, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.cli.looking import sources
from testbed.evidence import codec
from testbed.readers.take import take


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
    picture = take(sources(lab=lab, host=host))
    if output == "-":
        click.echo(codec.to_json(picture))
    else:
        codec.write(Path(output), picture)
