"""Whole labs in a test suite of several workers, as ``pytest -n`` runs it: a fresh one for each test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench, Figures, Stopwatch, Subject, in_turns
from benchmarks.values import Series, Unit
from testbed import tools
from testbed.errors import HostError

NAME: Final = "parallel"
_ROOT: Final = Path(__file__).parent.parent
_SUITE: Final = Path(__file__).with_name("suite_of_labs.py")
_WORKERS: Final = (1, 2, 4)
_SECONDS: Final = 300


def measure(bench: Bench) -> tuple[Series, ...]:
    """The same suite under each number of workers, in turns."""
    labs = bench.rounds(8, 4)
    samples = in_turns(
        NAME,
        bench.rounds(2, 1),
        {f"-n {workers}": lambda workers=workers: _suite(labs, workers) for workers in _WORKERS},  # type: ignore[misc]
        bench.say,
    )
    return tuple(
        Series(
            NAME,
            f"n{workers}",
            f"pytest -n {workers}: {labs} tests, each with a whole lab",
            Unit.SECONDS,
            samples[f"n{workers}"],
            base=None if workers == 1 else "n1",
        )
        for workers in _WORKERS
    )


def _suite(labs: int, workers: int) -> Figures:
    watch = Stopwatch()
    done = subprocess.run(
        [
            *(
                tools.need("setpriv", "util-linux"),
                "--pdeathsig",
                "KILL",
                "--",
            ),  # it ends with us, and its labs with it
            *(sys.executable, "-m", "pytest", "-q", f"-n{workers}", str(_SUITE)),
            *("-p", "no:cacheprovider", "-p", "no:tmpdir"),  # nothing is written
        ],
        cwd=_ROOT,
        env={**os.environ, "BENCH_LABS": str(labs)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0 or f"{labs} passed" not in done.stdout:
        raise HostError(f"{_SUITE.name} under -n {workers} did not pass:\n{(done.stdout + done.stderr)[-2000:]}")
    return {f"n{workers}": watch.lap()}


SUBJECT: Final = Subject(NAME, measure, ())
