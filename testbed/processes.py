"""Ending commands that were started on a host."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress


def end(process: subprocess.Popen[bytes], *, seconds: float = 5.0) -> None:
    """End a command and what it started, and wait for it: SIGTERM first, SIGKILL after ``seconds``.

    It must have been started in a session of its own: nsenter stands between us and the command and passes no signal
    on, but both are in one process group.
    """
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
