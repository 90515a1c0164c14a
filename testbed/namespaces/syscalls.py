"""setns(2) on every Python that the testbed supports: ``os.setns`` came with 3.12."""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWNET: Final = 0x4000_0000

_libc: Final = ctypes.CDLL(None, use_errno=True)


def setns(fd: int, kind: int) -> None:
    """Move the calling thread into a namespace.

    :param fd: an open /proc/PID/ns/KIND file
    :param kind: one CLONE_NEW... constant; the kernel refuses a descriptor of another kind
    :raises OSError: as setns(2) says: EPERM without CAP_SYS_ADMIN there, EINVAL for a user namespace with threads
    """
    if _libc.setns(fd, kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
