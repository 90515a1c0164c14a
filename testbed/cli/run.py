"""``testbed run``: a scenario from nothing to verdict."""

from __future__ import annotations

import itertools
import os
import sys
import time

import click

from testbed.background import spawn
from testbed.background.naming import need_free
from testbed.bind import Bind
from testbed.cli import tunnel
from testbed.cli.progress import later, status
from testbed.namespaces import become_root
from testbed.report import as_json, story, text
from testbed.report.console import make, plain
from testbed.results import Cell, Report, Scene, Step, Story
from testbed.scenarios import portainer, table
from testbed.scenarios.portainer.topology import BINDS, TARGETS, VANTAGES

DIFFERS = 1


@click.command(
    epilog="""
\b
Examples:
  testbed run portainer
  testbed run portainer --bind 10.88.0.1
  testbed run portainer --json | jq '.cells[] | select(.ok | not)'
  testbed run switch
  testbed run namespaces
  testbed run toaster

--json prints one object. Of portainer: scenario, ok, seconds, ready_seconds, holes, steps, and cells; each cell has
vantage, bind, target, ok, expected and observed (outcome, errno, text, phase; observed also seconds and command),
control and client. Of the others: scenario, ok, seconds, ready_seconds, and scenes; each scene has title, ok, picture,
remark, and checks (text, ok, seen).

Exit codes: 0 all as claimed, 1 something was not, 2 cannot run here.
"""
)
@click.argument("scenario", type=click.Choice(table.NAMES))
@click.option(
    "--bind", metavar="ADDR", help="portainer: see one bind address of the tunnel: 127.0.0.1, localhost, ::, '*', ..."
)
@click.option("--keep", is_flag=True, help="Then start one that stays; 'testbed down' removes it.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object instead of tables.")
def run(scenario: str, bind: str | None, keep: bool, json_: bool) -> None:
    """Run a scenario on private hosts: the story, what was claimed and seen, the verdict.

    portainer: a tunnel bound where a container cannot reach it. switch: what podman0 does with a frame. namespaces: how
    one kernel has many 127.0.0.1. toaster: one click, through NAT, nginx, a backend and a database, and back. Nothing
    of this machine is touched, and nothing is left behind (unless --keep).
    """
    bound = tunnel.read(scenario, bind)
    uid = os.getuid()
    if keep:
        need_free(uid, scenario)  # after the whole run it would be late to hear that the name is taken
    become_root()
    ok = _portainer(bound, json_=json_) if scenario == table.PORTAINER else _story(scenario, json_=json_)
    if keep:
        with status("starting the lab that stays") as say:
            spawn.up(scenario, name=scenario, bind=tunnel.or_usual(scenario, bound), say=say, uid=uid)
        make(stderr=True).print(plain(f"kept: testbed list; testbed exec NAME -- COMMAND; testbed down {scenario}"))
    if not ok:
        sys.exit(DIFFERS)


def _portainer(bind: Bind | None, *, json_: bool) -> bool:
    """Whether all was as predicted."""
    console = make()
    steps, cells = itertools.count(1), itertools.count(1)
    expected = (len(BINDS) if bind is None else 1) * len(VANTAGES) * len(TARGETS)

    start = time.monotonic()
    with status("starting two hosts, a neighbour and their containers") as say:
        lab = portainer.PortainerLab(say=say)
    with lab, later() as say:

        def tell(thing: Step | Cell) -> None:
            if isinstance(thing, Cell):
                say(f"trying cells: {next(cells)} of {expected}")
            elif json_:
                say(thing.title)
            else:
                text.step(console, next(steps), thing)

        report = portainer.run(lab, bind=bind, ready_seconds=time.monotonic() - start, tell=tell)
    _print(report, json_)
    return report.ok


def _story(scenario: str, *, json_: bool) -> bool:
    """Whether all was as claimed."""
    console = make()
    start = time.monotonic()
    with status("starting hosts and containers") as say:
        lab = table.make(scenario, say=say)
    ready = time.monotonic() - start
    seen: list[Scene] = []
    with lab, later() as say:
        for scene in table.scenes(scenario, lab):
            seen.append(scene)
            if json_:
                say(scene.title)
            else:
                story.scene(console, len(seen), scene)
    told = Story(scenario, time.monotonic() - start, ready, tuple(seen))
    if json_:
        click.echo(story.as_json(told))
    else:
        console.print()
        story.verdict(console, told)
    return told.ok


def _print(report: Report, json_: bool) -> None:
    console = make()
    if json_:
        click.echo(as_json.report(report))
        return
    console.print()
    text.matrix(console, report.cells, TARGETS)
    console.print()
    text.verdict(console, report)
