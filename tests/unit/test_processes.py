"""Ending commands, the stubborn ones too."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from testbed import processes

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a shell script in a session of its own and wait until it says that it is ready; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(script: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def nobody_is_left(process: subprocess.Popen[bytes]) -> bool:
    """Whether all who hold the write end of its standard output have ended."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 2.0)
    return bool(ready) and process.stdout.read() == b""


def test_command_is_asked_to_end_first(start: Start) -> None:
    """A command that listens to SIGTERM ends by it, with a status of its own."""
    process = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done")
    processes.end(process)
    assert process.returncode == 7


def test_stubborn_command_and_its_child_are_killed(start: Start) -> None:
    """A command that ignores SIGTERM is killed after the seconds, and so is what it started."""
    process = start("trap '' TERM; sleep 60 & echo ready; wait")
    processes.end(process, seconds=0.05)
    assert process.returncode == -signal.SIGKILL
    assert nobody_is_left(process)


def test_stubborn_child_is_killed_though_its_parent_went_by_itself(start: Start) -> None:
    """A child that ignores SIGTERM is killed after the seconds, also where its parent, like nsenter, ended at once."""
    process = start("(trap '' TERM; echo ready; while :; do sleep 0.01; done) & wait")
    processes.end(process, seconds=0.05)
    assert process.returncode == -signal.SIGTERM
    assert nobody_is_left(process)


def test_child_is_given_its_time_though_its_parent_went_at_once(start: Start) -> None:
    """A child that ends by SIGTERM in its own way is waited for, and not killed in the middle of it."""
    process = start("(trap 'sleep 0.05; echo tidied; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait")
    processes.end(process)
    assert process.stdout is not None
    assert process.stdout.read() == b"tidied\n"


def test_ending_leaves_no_descriptor_open(start: Start) -> None:
    """What is opened to wait for the processes is closed again."""
    process = start("echo ready; exec sleep 60")
    before = sorted(Path("/proc/self/fd").iterdir())
    processes.end(process)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_command_that_has_ended_is_left_alone(start: Start) -> None:
    """Ending what has ended keeps its status."""
    process = start("echo ready; exit 3")
    process.wait()
    processes.end(process)
    processes.end(process)
    assert process.returncode == 3


def test_nobody_else_is_ended(start: Start) -> None:
    """Commands of other sessions go on."""
    other = start("echo ready; exec sleep 60")
    processes.end(start("echo ready; exec sleep 60"))
    assert other.poll() is None
