"""What every host can do, whether private or the machine itself."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from testbed.engine import Engine
from testbed.namespaces import NetworkNamespace


class Host(Protocol):
    """A machine as far as networking goes: a network namespace, and the Podman that runs on it."""

    name: str
    net: NetworkNamespace
    scratch: str
    """A folder of this host for files of ours, private to root there; a path on the host."""
    labels: Mapping[str, str]
    """What containers and networks are marked with there, so that ours are told from others."""

    @property
    def pid(self) -> int:
        """A process of it, seen from outside: the first of a private host."""

    @property
    def engine(self) -> Engine:
        """Its Podman."""

    def path(self, inside: str) -> Path:
        """A file of this host, as a path that works outside."""

    def process(self, pid: int) -> Path:
        """/proc/PID of one of its processes, by the pid that Podman reports, as a path that works outside."""

    def namespace(self, path: Path, what: str) -> NetworkNamespace:
        """Open a network namespace that lives on this host; it is let go of when the host is closed."""

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0) -> str:
        """Run a command on this host and return what it printed."""

    def popen(
        self, argv: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command on this host."""

    def close(self) -> None:
        """End what the testbed made on this host."""
