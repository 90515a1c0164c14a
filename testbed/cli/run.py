"""``testbed run``: a scenario from nothing to verdict."""

from __future__ import annotations

import itertools
import os
import sys
import time

import click

from testbed.background import spawn
from testbed.background.naming import need_free
from testbed.cli.progress import later, status
from testbed.cli.scenarios import ScenarioCommand, chosen
from testbed.namespaces import become_root
from testbed.report import as_json, matrix, story
from testbed.report.console import make, plain
from testbed.report.verdict import verdict
from testbed.results import Axes, Cell, Event, Report, Scene
from testbed.scenarios import table
from testbed.scenarios.scenario import Options, Scenario

DIFFERS = 1


@click.command(
    cls=ScenarioCommand,
    epilog="""
\b
Examples:
  testbed run portainer
  testbed run portainer --bind 10.88.0.1
  testbed run portainer --json | jq '.cells[] | select(.ok | not)'
  testbed run switch

--json prints one object, of the same shape for every scenario: version, scenario, options, ok, seconds, ready_seconds,
scenes, cells and holes. Each scene has title, ok, picture, remark, and checks (text, ok, seen, expected, observed). A
scenario with a matrix has cells: vantage, bind, target, ok, expected and observed (outcome, errno, text, phase;
observed also seconds and command), control and client; holes counts those that are missing. docs/json.md has it all.

Exit codes: 0 all as claimed, 1 something was not, 2 cannot run here.
""",
)
@click.argument("scenario", type=click.Choice(table.NAMES))
@click.option("--keep", is_flag=True, help="Then start one that stays; 'testbed down' removes it.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object instead of text.")
def run(scenario: str, *, keep: bool, json_: bool, **given: str | None) -> None:
    """Run a scenario on private hosts: the story, what was claimed and seen, the verdict.

    Nothing of this machine is touched, and nothing is left behind (unless --keep).
    """
    told = table.find(scenario)
    options = chosen(told, given)
    uid = os.getuid()
    if keep:
        need_free(uid, scenario)  # after the whole run it would be late to hear that the name is taken
    become_root()
    report = _report(told, options, json_=json_)
    if json_:
        click.echo(as_json.report(report))
    else:
        _print(report)
    if keep:
        with status("starting the lab that stays") as say:
            spawn.up(scenario, name=scenario, options=told.written(options), say=say, uid=uid)
        make(stderr=True).print(plain(f"kept: testbed list; testbed exec NAME -- COMMAND; testbed down {scenario}"))
    if not report.ok:
        sys.exit(DIFFERS)


def _report(scenario: Scenario, options: Options, *, json_: bool) -> Report:
    """Start the lab and tell the story on it; what happens is shown as it happens."""
    # Once the words are known to make sense: what makes hosts and containers takes a quarter of a second to load.
    from testbed.scenarios.scenario_lab import start  # noqa: PLC0415
    from testbed.scenarios.telling import tell  # noqa: PLC0415

    console = make()
    scenes, cells = itertools.count(1), itertools.count(1)
    size = 0

    begin = time.monotonic()
    with status("starting hosts and containers") as say:
        lab = start(scenario, say=say)
    ready = time.monotonic() - begin
    with lab, later() as say:

        def heard(event: Event) -> None:
            nonlocal size
            match event:
                case Axes():
                    size = event.size
                case Cell():
                    say(f"trying cells: {next(cells)} of {size}")
                case Scene() if json_:
                    say(event.title)
                case Scene():
                    story.scene(console, next(scenes), event)

        return tell(scenario, lab, options, ready_seconds=ready, heard=heard)


def _print(report: Report) -> None:
    console = make()
    console.print()
    if report.matrix is not None:
        matrix.tables(console, report.matrix)
        console.print()
    verdict(console, report)
