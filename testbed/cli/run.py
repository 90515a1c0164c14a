"""``testbed run``: a scenario from nothing to verdict."""

from __future__ import annotations

import itertools
import sys
import time

import click

from testbed.background import spawn
from testbed.cli.progress import status
from testbed.namespaces import become_root
from testbed.report import as_json, text
from testbed.report.console import make, plain
from testbed.results import Cell, Report, Step
from testbed.scenarios import portainer
from testbed.scenarios.portainer.topology import TARGETS

DIFFERS = 1


@click.command(
    epilog="""
\b
Examples:
  testbed run portainer
  testbed run portainer --bind 10.88.0.1
  testbed run portainer --json | jq '.cells[] | select(.ok | not)'

--json prints one object: scenario, ok, seconds, ready_seconds, holes, steps, and cells; each cell has vantage, bind,
target, ok, expected and observed (outcome, errno, text, phase; observed also seconds and command), control and client.
"""
)
@click.argument("scenario", type=click.Choice(["portainer"]))
@click.option("--bind", metavar="ADDR", help="See one bind address of the tunnel: 127.0.0.1, localhost, ::, '*', ...")
@click.option("--keep", is_flag=True, help="Leave the lab running afterwards; 'testbed down' removes it.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object instead of tables.")
def run(scenario: str, bind: str | None, keep: bool, json_: bool) -> None:
    """Run a scenario on private hosts: the story in steps, the matrix, the verdict.

    Nothing of this machine is touched, and nothing is left behind (unless --keep).
    """
    become_root()
    console = make()
    numbers = itertools.count(1)

    def tell(thing: Step | Cell) -> None:
        if isinstance(thing, Step) and not json_:
            text.step(console, next(numbers), thing)

    start = time.monotonic()
    with status("starting two hosts, a neighbour and their containers") as say:
        lab = portainer.PortainerLab(say=say)
    with lab:
        report = portainer.run(lab, bind=bind, ready_seconds=time.monotonic() - start, tell=tell)
    _print(report, json_)
    if keep:
        with status("starting the lab that stays") as say:
            spawn.up(scenario, name=scenario, bind=bind or "127.0.0.1", say=say)
        make(stderr=True).print(plain(f"kept: testbed exec portainer -- COMMAND; testbed down {scenario}"))
    if not report.ok:
        sys.exit(DIFFERS)


def _print(report: Report, json_: bool) -> None:
    console = make()
    if json_:
        click.echo(as_json.report(report))
        return
    console.print()
    text.matrix(console, report.cells, TARGETS)
    console.print()
    text.verdict(console, report)
