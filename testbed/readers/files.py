"""Reading files of somebody else's file system: never out of it, never for ever, never more than a limit."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from pathlib import Path
from typing import Final

#: As long as a hosts file or an environment may be.
LONGEST: Final = 1 << 20
#: openat2(2): its number is the same on every architecture; the root folder is where every symbolic link ends.
_OPENAT2: Final = 437
_RESOLVE_IN_ROOT: Final = 0x10
_OPEN_HOW: Final = struct.Struct("=QQQ")

_libc: Final = ctypes.CDLL(None, use_errno=True)


def read_inside(root: Path, inside: str) -> str:
    """The text of a regular file below a root folder, links and all resolved as for a process that lives there.

    :param root: such as /proc/PID/root
    :raises OSError: it is not there, no regular file, longer than :data:`LONGEST`, or not ours to read
    """
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = _open_in(folder, inside)
    finally:
        os.close(folder)
    try:
        # Looked at before it is opened: opening a device or a FIFO does things, and waits.
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise OSError(0, "it is no regular file")
        with open(f"/proc/self/fd/{found}", "rb") as file:
            data = file.read(LONGEST + 1)
    finally:
        os.close(found)
    if len(data) > LONGEST:
        raise OSError(0, f"it is longer than {LONGEST >> 20} MiB")
    return data.decode(errors="replace")


def exists_inside(root: Path, inside: str) -> bool:
    """Tell if there is a file below a root folder, links and all resolved as for a process that lives there.

    :param root: such as /proc/PID/root
    :raises OSError: the root folder cannot be entered
    """
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_open_in(folder, inside))
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def names_inside(root: Path, inside: str) -> tuple[str, ...]:
    """The names in a folder below a root folder, in order, resolved as by :func:`read_inside`.

    :raises OSError: it is not there, no folder, or not ours to read
    """
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = _open_in(folder, inside)
    finally:
        os.close(folder)
    try:
        return tuple(sorted(os.listdir(f"/proc/self/fd/{found}")))  # noqa: PTH208 - a descriptor is no path
    finally:
        os.close(found)


def _open_in(folder: int, inside: str) -> int:
    how = _OPEN_HOW.pack(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    fd = int(_libc.syscall(_OPENAT2, folder, os.fsencode(inside), how, len(how)))
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd
