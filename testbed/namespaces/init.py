"""The first process of a set of namespaces: killing it is the whole of tearing down.

Its lifeline is a pipe whose write end only the owner holds, so it ends with its owner however that one ended (SIGKILL
too); when it ends the kernel ends every process inside and removes mounts, links, rules and sockets
(pid_namespaces(7)).

PR_SET_PDEATHSIG would tie it to the thread that forked, and a host made in a thread pool would die with that thread.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Final

from testbed import processes, tools
from testbed.errors import CommandError, HostError
from testbed.namespaces.enter import environment, host_command

_KINDS: Final = ("--mount", "--cgroup", "--pid", "--uts", "--ipc")
_SCRIPT: Final = resources.files("testbed.namespaces").joinpath("init.sh").read_text(encoding="utf-8")


class Init:
    """A set of namespaces under one process. It runs from construction until :meth:`close`.

    :param name: for error messages
    :param settings: TESTBED_... variables that init.sh reads
    :param private_network: False keeps the machine's network namespace (to build images from a mirror)
    :raises UnfitError: unshare, ip, catatonit or mount is not installed
    :raises HostError: a step of init.sh failed; the message has its text
    """

    def __init__(self, name: str, settings: Mapping[str, str], *, private_network: bool) -> None:
        self.name = name
        self._kinds = (*_KINDS, "--net") if private_network else _KINDS
        unshare = tools.need("unshare", "util-linux")
        tools.need("ip", "iproute2")
        tools.need("catatonit", "catatonit")
        self.environment = environment()
        lifeline, self._owner_end = os.pipe2(os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                [unshare, *self._kinds, "--propagation", "private", "--fork", "--kill-child", "sh", "-c", _SCRIPT],
                stdin=lifeline,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self.environment, **settings},
                start_new_session=True,  # a Ctrl-C is the owner's to handle, and ends this through the lifeline
            )
        finally:
            os.close(lifeline)
        #: The first process, as seen from outside; 0 until it is ready.
        self.pid = 0
        self._pidfd = -1
        try:
            self._await_ready()
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> None:
        assert self._process.stdout and self._process.stderr
        with self._process.stdout as stdout, self._process.stderr as stderr:
            word, _, pid = stdout.readline().partition(b" ")
            if word != b"ready":
                reason = stderr.read().decode(errors="replace").strip() or "it ended without a word"
                raise HostError(f"{self.name} did not start: {reason}; see 'testbed doctor'")
        self.pid = int(pid)
        self._pidfd = os.pidfd_open(self.pid)

    @property
    def alive(self) -> bool:
        """Whether the first process still runs, with its namespaces: it lets go of those before it has ended."""
        try:
            return (
                self._pidfd >= 0
                and bool(Path(f"/proc/{self.pid}/ns/net").readlink())
                and not processes.ended([self._pidfd], 0)
            )
        except OSError:
            return False

    @property
    def root(self) -> Path:
        """The file system as seen from inside, usable from outside (proc(5), /proc/PID/root)."""
        self._require_alive()
        return Path(f"/proc/{self.pid}/root")

    def _require_alive(self) -> None:
        if not self.alive:
            raise HostError(f"{self.name} is gone: its first process ended")

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command that runs ``argv`` inside.

        :raises HostError: it is gone
        """
        self._require_alive()
        return host_command(self.pid, argv, private_network="--net" in self._kinds)

    def popen(
        self, argv: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command inside; it ends with the namespaces at the latest."""
        return subprocess.Popen(
            self.command(argv),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=self.environment,
            start_new_session=True,
        )

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0) -> str:
        """Run a command inside and return what it printed.

        :raises CommandError: it ended with another status than 0
        :raises HostError: it did not end in time, and was ended; or all inside is gone
        """
        with subprocess.Popen(
            self.command(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,  # so that it can be ended with all that it started
        ) as process:
            try:
                out, err = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired as exc:
                raise HostError(f"{argv[0]!r} in {self.name} did not end within {seconds:g} s") from exc
            finally:
                processes.end(process)
        if process.returncode != 0:
            self._require_alive()
            raise CommandError(" ".join(argv), process.returncode, err.decode(errors="replace"))
        return out.decode(errors="replace")

    @property
    def lifeline(self) -> int:
        """The descriptor that keeps it alive: whoever holds it too keeps it when this process ends."""
        return self._owner_end

    def let_go(self) -> None:
        """Leave it to whoever else holds the lifeline; it goes on when this process ends."""
        self._process.returncode = 0  # it is still running, on purpose: nothing is to be warned about

    def close(self) -> None:
        """End everything inside and wait until the kernel has ended it. Calling it twice does no harm."""
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        elif self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._owner_end >= 0:
            os.close(self._owner_end)
            self._owner_end = -1
