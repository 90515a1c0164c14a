"""``testbed trace``: one request of Jack's through the whole shop, and the whole process around it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from benchmarks.background import in_background
from benchmarks.bench import Bench, Stopwatch, Subject
from benchmarks.values import Series, Target, Unit
from testbed.errors import Error
from testbed.model import Target as Goal
from testbed.readers.sources import of_host
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.trace import follow

NAME: Final = "tracing"
_URL: Final = "http://shop/api/stock"
_COMMAND: Final = (sys.executable, "-c", "from testbed.cli import main; main()", "trace", "--from", "jack")
TARGETS: Final = (Target(NAME, "trace", "a trace of one request", Unit.SECONDS, at_most=1),)


def measure(bench: Bench) -> tuple[Series, ...]:
    """The same request as often by either; the first one, which imports things, is not counted."""
    bench.say(f"{NAME}: the shop")
    with ToasterLab(store=bench.store, say=bench.say) as lab, in_background(lab, f"bench-{os.getpid()}-trace") as name:
        sources = [of_host(host) for host in lab.hosts.values()]
        rounds = bench.rounds(10, 3)
        traces = [follow(sources, "jack", Goal.parse(_URL)) for _ in range(rounds + 1)][1:]
        if not all(journey.answered for journey in traces):
            raise Error(f"{_URL} was not answered: {traces[-1].ended}")
        commands = tuple(_command(name) for _ in range(rounds))
    return (
        Series(NAME, "trace", "a trace of one request", Unit.SECONDS, tuple(journey.seconds for journey in traces)),
        Series(NAME, "command", "testbed trace, whole process", Unit.SECONDS, commands),
    )


def _command(lab: str) -> float:
    watch = Stopwatch()
    done = subprocess.run([*_COMMAND, "--lab", lab, _URL], capture_output=True, check=False)
    seconds = watch.lap()
    if done.returncode:
        raise Error(f"'testbed trace' ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return seconds


SUBJECT: Final = Subject(NAME, measure, TARGETS)
