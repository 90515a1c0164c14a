"""``testbed up``, ``down`` and ``list``: labs that run in the background."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import click
from rich.table import Column, Table

from testbed.background import Running, running, spawn
from testbed.background.find import stop
from testbed.cli.ending import leaving
from testbed.cli.progress import status
from testbed.cli.scenarios import ScenarioCommand, chosen
from testbed.errors import HostError, UsageError
from testbed.report.columns import columns
from testbed.report.console import make, plain
from testbed.scenarios import table

#: Of what ``list --json`` prints: raised whenever a key goes, or means something else.
VERSION: Final = 1


@click.command(
    cls=ScenarioCommand,
    epilog="\b\nExample:\n  testbed up portainer --bind 127.0.0.1 && testbed exec portainer -- curl -k https://localhost:19001/ping",
)
@click.argument("scenario", type=click.Choice(table.NAMES))
@click.option("--name", help="The lab's name; the scenario's by default.")
def up(scenario: str, *, name: str | None, **given: str | None) -> None:
    """Leave a scenario running in the background, until 'testbed down' or the machine goes down."""
    kept = table.find(scenario)
    options = kept.written(chosen(kept, given))
    name = scenario if name is None else name
    with status(f"starting {name}") as say:
        spawn.up(scenario, name=name, options=options, say=say)
    with leaving(f"{name} is up: 'testbed down {name}' ends it"):
        _show_up(name)


def _show_up(name: str) -> None:
    lab = next((lab for lab in running() if lab.name == name), None)
    if lab is None:
        raise HostError(f"{name} came up, and its keeper has ended or does not answer: see 'testbed list'")
    console = make()
    console.print(plain(f"{name} is up: hosts {', '.join(lab.hosts)}; containers {', '.join(lab.containers)}"))
    console.print(
        plain(
            f"  testbed exec {next(iter(lab.containers))} -- COMMAND    testbed shell {next(iter(lab.hosts))}    "
            f"testbed down {name}"
        )
    )


@click.command(epilog="\b\nExample:\n  testbed down portainer")
@click.argument("name", required=False)
def down(name: str | None) -> None:
    """End a lab that runs in the background; without a name, the only one there is."""
    with leaving("a lab that was told to end goes on ending: 'testbed list' shows what still runs"):
        for lab in _to_end(name):
            stop(lab)
            make().print(plain(f"{lab.name} is gone, with all that was on it"))


def _to_end(name: str | None) -> list[Running]:
    labs = running()
    if name is None and len(labs) > 1:
        raise UsageError(f"several labs are running ({', '.join(lab.name for lab in labs)}): say which")
    chosen = [lab for lab in labs if name in (None, lab.name)]
    if not chosen:
        raise UsageError(f"no lab {'is' if name is None else f'called {name!r} is'} running; see 'testbed list'")
    return chosen


@click.command(name="list", epilog="\b\nExample:\n  testbed list --json")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object: version, and labs.")
def list_labs(json_: bool) -> None:
    """Show the labs that run in the background."""
    labs = running()
    if json_:
        click.echo(
            json.dumps(
                {"version": VERSION, "labs": [_object(lab) for lab in labs]},
                indent=1,  # and ASCII only: what another process says of its lab may hold what a terminal obeys
            )
        )
        return
    if not labs:
        make().print(plain("no lab is running; start one with 'testbed up portainer'"))
        return
    _table([_HEADING, *map(_row, labs)])


def _object(lab: Running) -> dict[str, object]:
    return {
        "name": lab.name,
        "scenario": lab.scenario,
        "options": dict(lab.options),
        "seconds": round(lab.seconds, 1),
        "keeper": lab.keeper,
        "hosts": dict(lab.hosts),
        "containers": {name: {"host": host, "pid": pid} for name, (host, pid) in lab.containers.items()},
    }


_HEADING: Final = ("lab", "scenario", "options", "up for", "hosts", "containers")


def _row(lab: Running) -> tuple[str, ...]:
    return (
        lab.name,
        lab.scenario,
        " ".join(f"{name}={text}" for name, text in lab.options.items()) or "-",
        f"{lab.seconds:.0f} s",
        " ".join(lab.hosts),
        " ".join(lab.containers),
    )


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    """The first row is the heading. In a pipe each is one line, for grep(1)."""
    console = make()
    if not console.is_terminal:
        for line in columns(rows):
            console.print(plain(line))
        return
    shown = Table(*(Column(title, overflow="fold") for title in rows[0]), pad_edge=False)
    for row in rows[1:]:
        shown.add_row(*map(plain, row))
    console.print(shown)
