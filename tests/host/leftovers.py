"""Counting what a run leaves behind, exactly, on a machine that others use at the same time.

A stage is a machine to be looked at: processes, network, mounts and temporary folders of its own, made with unshare(1).
Whatever stands on it afterwards is from what ran on it, and from nobody else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

from testbed import tools
from testbed.images import ImageStore
from testbed.waiting import wait_for

TESTBED: Final = str(Path(sys.executable).with_name("testbed"))
CHECKOUT: Final = Path(__file__).parents[2]

#: Folders that the stage has for itself.
_FOLDERS: Final = ("/tmp", "/run", "/var/tmp", "/dev/shm")
_SCRIPT: Final = """
set -eu
read -r pid _ </proc/self/stat
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
number=0
for path; do # what is needed of the folders that are about to be hidden
    number=$((number + 1))
    mkdir "/mnt/$number"
    mount --rbind "$path" "/mnt/$number"
done
for folder in /tmp /run /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs $folder; done
number=0
for path; do
    number=$((number + 1))
    mkdir -p "$path"
    mount --move "/mnt/$number" "$path"
done
umount /mnt
mkdir -p /tmp/home
ip link set lo up
# Ready once nothing of it changes its name any more: what is compared later are processes by number, time and name.
exec catatonit -- sh -c 'echo "ready $0"; exec >/dev/null 2>&1; read -r _' "$pid"
"""
#: include/net/tcp_states.h: nobody's any more, only a number that waits.
_TIME_WAIT: Final = "06"
_KINDS: Final = ("--mount", "--net", "--pid", "--ipc", "--uts")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands on a stage at one moment; each member is one thing, in words."""

    processes: frozenset[str]
    """Pid, start time and name."""
    networks: frozenset[str]
    """Network namespaces that a process is in or a mount holds, by inode."""
    links: frozenset[str]
    mounts: frozenset[str]
    rules: frozenset[str]
    """Of iptables and of nftables."""
    sockets: frozenset[str]
    """TCP, UDP and unix sockets, abstract ones too."""
    files: frozenset[str]
    """Entries of the temporary folders."""

    def since(self, before: Snapshot) -> dict[str, list[str]]:
        """What is here and was not then, by kind; empty when nothing is."""
        new = {f.name: sorted(getattr(self, f.name) - getattr(before, f.name)) for f in fields(self)}
        return {kind: things for kind, things in new.items() if things}


class Run:
    """A command on a stage, in a session of its own, with what it prints in files."""

    def __init__(self, stage: Stage, argv: Sequence[str], name: str) -> None:
        self._stdout = stage.scratch / f"{name}.out"
        self._stderr = stage.scratch / f"{name}.err"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self._process = subprocess.Popen(
                # Whoever started us may have SIGINT ignored, as a background command of a shell has.
                stage.command(["setsid", "env", "--default-signal=INT", *argv]),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env=stage.environment,
                start_new_session=True,
            )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        #: Its process, as seen from outside the stage: nsenter's only child.
        self.pid = int(wait_for(lambda: children.read_text().strip(), "nsenter to start the command"))

    @property
    def stdout(self) -> str:
        """What it printed until now."""
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """What it said on standard error until now."""
        return self._stderr.read_text(errors="replace")

    def await_output(self, words: str, *, seconds: float = 60.0) -> None:
        """Wait until it has printed some words on either stream."""

        def said() -> bool:
            if words in self.stdout + self.stderr:
                return True
            assert self._process.poll() is None, f"it ended without {words!r}: {self.stdout}{self.stderr}"
            return False

        wait_for(said, f"{words!r}", seconds=seconds, state=lambda: self.stdout + self.stderr)

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def kill(self, number: signal.Signals) -> int:
        """Send a signal, as a terminal does it: SIGINT to the whole group. Returns the status it ended with."""
        if number is signal.SIGINT:
            wait_for(lambda: os.getsid(self.pid) == self.pid, "the command to lead its own group")
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)
        return self.wait()

    def wait(self, *, seconds: float = 60.0) -> int:
        """Wait for its end: its status, or the signal's number below zero."""
        status = self._process.wait(seconds)
        self._close_stdin()
        return status

    def close(self) -> None:
        """End it if it runs, and let go of it."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()
        self._close_stdin()

    def _close_stdin(self) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()


class Stage:
    """A machine of its own to run commands on and to count what they leave.

    :param scratch: a folder outside, for what the commands print
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        store = ImageStore().folder
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{tools.SEARCH_PATH}",
            "HOME": "/tmp/home",
            "LANG": "C.UTF-8",
            "TESTBED_CACHE": str(store),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        }
        needed = {CHECKOUT, Path(sys.prefix), store}
        hidden = [str(path) for path in needed if any(path.is_relative_to(folder) for folder in _FOLDERS)]
        self._runs: list[Run] = []
        self._process = subprocess.Popen(
            [tools.need("unshare", "util-linux"), *_KINDS, "--propagation", "private", "--fork", "--kill-child",
             "sh", "-c", _SCRIPT, "sh", *hidden],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout
        with self._process.stdout as stdout:
            words = stdout.readline().split()
        if not words:
            self.close()
        assert words, "the stage did not start: see what unshare or mount said on standard error"
        #: Its first process, as seen from outside.
        self.pid = int(words[1])

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command that runs another one on the stage."""
        return [tools.need("nsenter", "util-linux"), "-t", str(self.pid), *_KINDS, "--wd=/", "--", *argv]

    def path(self, inside: str) -> Path:
        """A file of the stage, as a path that works outside."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def start(self, *argv: str) -> Run:
        """Start a command."""
        self._runs.append(Run(self, argv, f"run-{len(self._runs)}"))
        return self._runs[-1]

    def python(self, code: str) -> Run:
        """Start a Python program."""
        return self.start(sys.executable, "-c", code)

    def output(self, *argv: str) -> str:
        """Run a command that succeeds, and return what it prints."""
        done = subprocess.run(self.command(argv), capture_output=True, text=True, env=self.environment, check=True)
        return done.stdout

    def take(self, *, rules: bool = True) -> Snapshot:
        """What stands on it now.

        :param rules: whether to look for firewall rules, which three programs have to be run for
        """
        return Snapshot(
            processes=frozenset(self._processes()),
            networks=self.networks(),
            links=frozenset(line.split(":")[0].strip() for line in self._net("dev").splitlines()[2:]),
            mounts=frozenset(self._mounts()),
            rules=frozenset(self._rules() if rules else ()),
            sockets=frozenset(self._sockets()),
            files=frozenset(self._files()),
        )

    def networks(self) -> frozenset[str]:
        """Its network namespaces: those that processes are in, and those that a mount holds."""
        found = set()
        for folder in self._process_folders():
            with suppress(OSError):
                found.add(str((folder / "ns/net").readlink()))
        held = (words[3] for words in self._mount_rows() if words[words.index("-") + 1] == "nsfs")
        return frozenset({*found, *held})

    def await_nothing_since(self, before: Snapshot, *, but: str = "", seconds: float = 20.0) -> None:
        """Wait until nothing is there that was not: the kernel takes a host apart in its own time.

        :param but: a kind of thing that may stay
        :raises DeadlineError: something stays; the message says what
        """

        def left() -> dict[str, list[str]]:
            # Rules go with their namespace: they are looked for once all else is gone.
            for rules in (False, True):
                found = {kind: what for kind, what in self.take(rules=rules).since(before).items() if kind != but}
                if found:
                    return found
            return {}

        wait_for(lambda: not left(), "nothing to be left behind", seconds=seconds, state=lambda: str(left()))

    def close(self) -> None:
        """End it with all that runs there."""
        for run in self._runs:
            run.close()
        assert self._process.stdin
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _process_folders(self) -> list[Path]:
        return [folder for folder in self.path("/proc").iterdir() if folder.name.isdecimal()]

    def _processes(self) -> Iterator[str]:
        for folder in self._process_folders():
            with suppress(OSError):
                name, _, rest = (folder / "stat").read_text(errors="replace").rpartition(")")
                words = rest.split()
                if words[0] != "Z":
                    yield f"{name}) since {words[19]}"

    def _mount_rows(self) -> list[list[str]]:
        return [line.split() for line in Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()]

    def _mounts(self) -> Iterator[str]:
        for words in self._mount_rows():
            yield f"{words[words.index('-') + 1]} {words[3]} on {words[4]}"

    def _rules(self) -> Iterator[str]:
        for argv in (("iptables-save",), ("ip6tables-save",), ("nft", "list", "ruleset")):
            if tools.find(argv[0]):
                yield from (line for line in self.output(*argv).splitlines() if not line.startswith("#"))

    def _net(self, table: str) -> str:
        return Path(f"/proc/{self.pid}/net/{table}").read_text(errors="replace")

    def _sockets(self) -> Iterator[str]:
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for words in (line.split() for line in self._net(table).splitlines()[1:]):
                if words[3] != _TIME_WAIT:
                    yield f"{table} {words[1]} inode {words[9]}"
        for words in (line.split() for line in self._net("unix").splitlines()[1:]):
            yield f"unix {' '.join(words[7:])} inode {words[6]}"

    def _files(self) -> Iterator[str]:
        for folder in _FOLDERS:
            top = self.path(folder)
            device = top.stat().st_dev
            for here, folders, names in os.walk(top):
                yield from (f"{folder}{here.removeprefix(str(top))}/{name}" for name in (*folders, *names))
                folders[:] = [name for name in folders if os.lstat(f"{here}/{name}").st_dev == device]
