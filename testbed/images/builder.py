"""Podman at work on the image store: in namespaces of its own, on the machine's network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final, Self

from testbed import machine
from testbed.errors import ImageError
from testbed.host import settings
from testbed.images.store import ImageStore
from testbed.namespaces import Init

Say = Callable[[str], None]

_SHOWN_ON_FAILURE: Final = 15

#: Of the kernel, and of SQLite, in which Podman keeps its notes from 5 on (SQLITE_FULL).
_DISK_FULL: Final = ("no space left on device", "database or disk is full")


class Builder:
    """Podman in namespaces of its own but on the machine's network, writing the image store.

    Killed at any moment it leaves no process and no mount, only files in the store that :meth:`sweep` removes.
    """

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.init = Init(
            "the image builder",
            {
                "TESTBED_CACHE_FOLDER": str(store.folder),
                "TESTBED_CONTAINERS_CONF": settings.containers_conf(machine.read()),
                "TESTBED_STORAGE_CONF": settings.storage_conf(str(store.storage), []),
            },
            private_network=False,
        )

    def logged(self, command: Sequence[str], role: str, told: Say, *, stdin_from: Sequence[str] | None = None) -> None:
        """Run a command inside, write all it says to the role's log, and pass its lines on.

        :param stdin_from: a command whose output is the first one's input; it logs there too
        :raises ImageError: either failed
        """
        path = self.store.logs / f"{role}.log"
        with path.open("wb") as log:
            source = None
            if stdin_from is not None:
                source = self._start(stdin_from, subprocess.DEVNULL, subprocess.PIPE, log.fileno())
            process = self._start(
                command, source.stdout if source else subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
            )
            if source and source.stdout:
                source.stdout.close()
            assert process.stdout
            with process.stdout as output:
                for line in output:
                    log.write(line)
                    log.flush()
                    told(line.decode(errors="replace").rstrip())
            failed = [p for p in (source, process) if p is not None and p.wait() != 0]
        if failed:
            raise _failure(role, path)

    def _start(
        self, command: Sequence[str], stdin: int | IO[bytes] | None, stdout: int, stderr: int
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.init.command(command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=self.init.environment,
            start_new_session=True,
        )

    def size(self, tag: str) -> int:
        """Bytes of an image with all its layers."""
        return int(json.loads(self.init.run(["podman", "image", "inspect", tag]))[0]["Size"])

    def sweep(self) -> None:
        """Remove what a build that was cut off left: its working containers and its untagged images.

        Podman's database first: there are no containers for it to know of, and half written it stops every Podman.
        """
        for database in ("libpod/bolt_state.db", "db.sql"):
            (self.store.storage / database).unlink(missing_ok=True)
        left = self.init.run(["podman", "ps", "--all", "--external", "--quiet"]).split()
        if left:
            self.init.run(["podman", "rm", "--force", *left])
        self.init.run(["podman", "image", "prune", "--force"])

    def close(self) -> None:
        """End everything inside."""
        self.init.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _failure(role: str, path: Path) -> ImageError:
    text = path.read_text(errors="replace")
    end = "\n".join(line for line in text.splitlines() if line.strip()).splitlines()[-_SHOWN_ON_FAILURE:]
    if any(words in text.lower() for words in _DISK_FULL):
        cause = "the disk is full: free some space, or set TESTBED_CACHE to a folder on another disk"
    else:
        cause = "its log ends with the lines below"
    return ImageError(
        f"image {role!r} could not be built: {cause} (all of it: {path})\n" + "\n".join(f"  | {x}" for x in end)
    )
