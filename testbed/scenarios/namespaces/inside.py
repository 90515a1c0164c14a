"""Commands that were started on a host, seen from outside: nsenter(1) stands in front of each and waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

from testbed.processes import end

_SECONDS: Final = 5.0


def children(pid: int) -> tuple[int, ...]:
    """The child processes of the first thread of a process (proc(5)); none where it has ended."""
    with suppress(OSError):
        return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))
    return ()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a command by its own SIGTERM, so that nsenter collects it, and whatever is left of it as usual.

    Were nsenter gone first, the command would stay as a zombie until the machine's first process looks, and the end of
    a host waits for every process that was in its pid namespace (kernel/pid_namespace.c, zap_pid_ns_processes).
    """
    for pid in children(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS)
    end(process)
