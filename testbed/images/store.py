"""Where built images are kept: one folder of the user's cache, read by every host and written under a lock."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from testbed.errors import ImageError

#: Names another folder for the store.
CACHE_VARIABLE: Final = "TESTBED_CACHE"
_LOCK_POLL: Final = 0.2


@dataclass(frozen=True, slots=True)
class Built:
    """What is known of one image in the store."""

    tag: str
    made_from: str
    """What its base was: a registry image, or a distribution's packages."""
    size: int
    """Bytes, with all layers."""
    seconds: float
    """How long it took to build."""


class ImageStore:
    """A folder with the images and a record of each.

    A record is written last and renamed into place, so an image is either recorded and whole, or not there.

    :param folder: None for ``$TESTBED_CACHE``, else ``testbed`` in the user's cache (XDG base directories)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _default_folder()
        #: The graph root that hosts read as an additional image store.
        self.storage = self.folder / "storage"
        self.logs = self.folder / "logs"
        self._records = self.folder / "built"
        self._dirty = self.folder / "building"

    def built(self, tag: str) -> Built | None:
        """The record of an image, None where it is not in the store."""
        try:
            return Built(**json.loads(self._record(tag).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def all_built(self) -> list[Built]:
        """The records of all images, by tag."""
        found = (
            self.built(path.stem.replace("@", ":").replace("+", "/")) for path in sorted(self._records.glob("*.json"))
        )
        return [record for record in found if record is not None]

    def add(self, record: Built) -> None:
        """Record an image that is now whole."""
        self._records.mkdir(parents=True, exist_ok=True)
        draft = self._record(record.tag).with_suffix(".draft")
        draft.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        draft.rename(self._record(record.tag))

    @property
    def interrupted(self) -> bool:
        """Whether a build was cut off, so that something half made may lie in the store."""
        return self._dirty.exists()

    @contextmanager
    def building(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hold the store's lock for writing; other runs wait, and say for whom.

        :raises ImageError: the folder cannot be written, or the disk is full
        """
        try:
            self.storage.mkdir(parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise ImageError(
                f"the image store {self.folder} cannot be written ({exc.strerror}): "
                f"set {CACHE_VARIABLE} to a folder that can"
            ) from exc
        try:
            _take(lock, say)
            os.truncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            yield
        except OSError as exc:
            if exc.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise ImageError(
                f"the image store {self.folder} cannot be written: the disk is full: free some space, "
                f"or set {CACHE_VARIABLE} to a folder on another disk"
            ) from exc
        finally:
            os.close(lock)

    def mark(self, *, dirty: bool) -> None:
        """Note that a build has begun or has ended, for whoever comes after a kill."""
        if dirty:
            self._dirty.touch()
        else:
            self._dirty.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of it, under its lock. Cut off at any moment it leaves nothing that passes for an image."""
        aside = self.folder / "removed"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(self._records, ignore_errors=True)
        self.storage.rename(aside)
        shutil.rmtree(self.folder)

    def _record(self, tag: str) -> Path:
        return self._records / f"{tag.replace('/', '+').replace(':', '@')}.json"


def _take(lock: int, say: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
                say(f"another run (pid {holder or 'unknown'}) is building images; waiting for it")
                told = True
            time.sleep(_LOCK_POLL)


def _default_folder() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache).absolute() / "testbed"
