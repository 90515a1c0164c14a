"""Ending commands that were started on a host."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path


def end(process: subprocess.Popen[bytes], *, seconds: float = 5.0) -> None:
    """End a command and what it started, and wait for them: SIGTERM first, SIGKILL after ``seconds``.

    It must have been started in a session of its own: nsenter stands between us and the command and passes no signal
    on, but both are in one process group. nsenter goes first, so that it is not enough to wait for that one.
    """
    if process.poll() is not None:
        return
    with ExitStack() as stack:
        members = _group(process.pid)
        for pidfd in members:
            stack.callback(os.close, pidfd)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)  # still ours: nobody has waited for the process yet
            if ended(members, seconds):
                break
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _group(leader: int) -> list[int]:
    """An open pidfd of each process of a process group."""
    pidfds = []
    for pid in (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()):
        with suppress(ProcessLookupError):
            if os.getpgid(pid) == leader:
                pidfds.append(os.pidfd_open(pid))
    return pidfds


def ended(pidfds: Iterable[int], seconds: float) -> bool:
    """Wait until all have ended; a pidfd is readable from then on (pidfd_open(2))."""
    deadline = time.monotonic() + seconds
    left = set(pidfds)
    while left:
        poller = select.poll()
        for pidfd in left:
            poller.register(pidfd, select.POLLIN)
        ended = poller.poll(max(deadline - time.monotonic(), 0) * 1000)
        if not ended:
            return False
        left -= {pidfd for pidfd, _ in ended}
    return True
