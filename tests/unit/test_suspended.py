"""A listener whose program does not run at the moment: how it is read, predicted and explained."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.change import ImpossibleChangeError, apply
from testbed.change.resuming import Continue, Unpause
from testbed.evidence import Evidence, Process
from testbed.explain.codes import Cause
from testbed.model import Outcome
from testbed.predict.ending import Accepted, Suspended
from testbed.readers.processes import holders
from testbed.waiting import wait_for
from tests.unit.test_relay import ask, listener, told, world

PORT = 8000


@contextmanager
def child_with(sock: socket.socket) -> Iterator[int]:
    """A process that holds a socket and sleeps; its number."""
    child = subprocess.Popen(["sleep", "600"], pass_fds=[sock.fileno()])
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def stop(pid: int) -> None:
    """Stop a process by a signal, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: b") T " in Path(f"/proc/{pid}/stat").read_bytes(), f"{pid} to stop")


def test_a_holder_that_is_stopped_is_read_so() -> None:
    """A socket is held by a stopped process only where nobody else who has it runs: a server may have many."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        inode = os.fstat(listening.fileno()).st_ino
        with child_with(listening) as one, child_with(listening) as other:
            listening.close()
            wait_for(lambda: holders({inode}, {}).sockets[inode].pid == min(one, other), "it to be theirs alone")
            stop(one)
            assert not holders({inode}, {}).sockets[inode].stopped
            stop(other)
            assert holders({inode}, {}).sockets[inode].stopped


def listened(evidence: Evidence, process: Process, *, state: str = "running") -> Evidence:
    """The picture with a process that listens in ``client``, which is in a state."""
    there = evidence.namespaces["client"]
    entry = replace(listener("0.0.0.0"), process=process)
    client, *others = evidence.containers
    return replace(
        evidence,
        containers=(replace(client, state=state), *others),
        namespaces={**evidence.namespaces, "client": replace(there, listeners=(entry,))},
    )


@pytest.mark.parametrize(
    ("process", "state", "words"),
    [
        (Process(7, "app", "client", stopped=True), "running", "app is stopped"),
        (Process(7, "app", "client"), "paused", "client is paused"),
        (Process(7, "app"), "paused", ""),
        (Process(7, "app", "client"), "running", ""),
    ],
    ids=["stopped", "paused", "another's process in a paused container's namespace", "runs"],
)
def test_the_kernel_accepts_for_who_does_not_run(process: Process, state: str, words: str) -> None:
    """The connection is made and nobody speaks; of UDP nothing comes back."""
    made = listened(world(), process, state=state)
    ended = {scheme: ask(made, "client", f"{scheme}://10.0.2.100:{PORT}") for scheme in ("tcp", "http")}
    kind, outcome = (Suspended, Outcome.TIMED_OUT) if words else (Accepted, Outcome.CONNECTED)
    assert [type(one.ending) for one in ended.values()] == [kind, kind]
    assert [one.outcome for one in ended.values()] == [Outcome.CONNECTED, outcome]
    assert words in ended["tcp"].why


@pytest.mark.parametrize(
    ("process", "state", "command"),
    [
        (Process(7, "app", "client"), "paused", "podman unpause client"),
        (Process(7, "app", "client", stopped=True), "running", "kill -CONT 7"),
    ],
    ids=["paused", "stopped"],
)
def test_a_program_that_is_stopped_is_told_to_go_on(process: Process, state: str, command: str) -> None:
    """The cause is that it says nothing, and letting it run is predicted to cure."""
    made = listened(world(), process, state=state)
    found = told(made, "client", f"http://10.0.2.100:{PORT}", Outcome.TIMED_OUT)
    assert found.cause is Cause.PEER_SILENT
    assert found.diagnosis is not None
    assert found.diagnosis.cures[0].command == command


def test_what_runs_cannot_be_let_run() -> None:
    """Neither a container that is not paused, nor a program that is not stopped."""
    made = listened(world(), Process(7, "app", "client"))
    client, entry = made.containers[0], made.namespaces["client"].listeners[0]
    for change in (Unpause(client.host, client.id), Continue("client", entry)):
        with pytest.raises(ImpossibleChangeError, match="is not"):
            apply(change, made)
