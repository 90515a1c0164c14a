"""``python -m benchmarks``: measure, print, end. Everything that it starts ends with it, however it ends."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from benchmarks import explaining, growth, host, machine, ordering, parallel, probes, report, startup, tracing
from benchmarks.bench import Bench
from benchmarks.values import Run, Series, judge
from testbed import images
from testbed.cli.ending import run
from testbed.cli.progress import status
from testbed.images import ImageStore
from testbed.namespaces import become_root
from testbed.report.console import make
from testbed.scenarios.portainer.topology import TOPOLOGY

_SUBJECTS: Final = {
    subject.name: subject
    for subject in (m.SUBJECT for m in (host, startup, probes, growth, parallel, explaining, tracing, ordering))
}
_MISSED: Final = 1


@click.command(epilog="Exit codes: 0 measured, 1 a target was missed (only with --strict), 2 cannot run here.")
@click.option(
    "--only", multiple=True, type=click.Choice(list(_SUBJECTS)), help="Measure this; may be given several times."
)
@click.option("--quick", is_flag=True, help="Fewer repetitions, and nothing that takes long.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object, every sample in it, instead of tables.")
@click.option("--strict", is_flag=True, help="End with 1 where a target is missed.")
def measure(only: tuple[str, ...], quick: bool, json_: bool, strict: bool) -> None:
    """Measure what the testbed costs, beside its rivals, in one run."""
    become_root()
    subjects = [subject for name, subject in _SUBJECTS.items() if not only or name in only]
    before, start = machine.load(), time.monotonic()
    series: list[Series] = []
    with status("looking for images") as say:
        store = ImageStore()
        bench = Bench(store, images.ensure(TOPOLOGY.roles, store=store, say=say), quick, say)
        for subject in subjects:
            series += subject.measure(bench)
    verdicts = judge([target for subject in subjects for target in subject.targets], tuple(series))
    run = Run(machine.read(before), quick, time.monotonic() - start, tuple(series), verdicts)
    if json_:
        click.echo(report.as_json(run))
    else:
        report.tables(make(), run)
    if strict and any(verdict.met is False for verdict in verdicts):
        sys.exit(_MISSED)


if __name__ == "__main__":
    run(measure, "python -m benchmarks")
