"""The user namespace that a network namespace belongs to."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

#: include/uapi/linux/nsfs.h
_NS_GET_USERNS: Final = 0xB701


def is_of_our_user_namespace() -> bool:
    """Tell if the calling thread's network namespace belongs to the user namespace that this process is in.

    Elsewhere the kernel shows user ids as they are called here, and those that have no name here as
    /proc/sys/kernel/overflowuid (user_namespaces(7)). An owner that is not below our user namespace is not shown
    (ioctl_nsfs(2), NS_GET_USERNS, EPERM).
    """
    ours = Path("/proc/self/ns/user").stat()
    with Path("/proc/thread-self/ns/net").open("rb") as net, suppress(PermissionError):
        owner = fcntl.ioctl(net, _NS_GET_USERNS)
        try:
            return os.path.samestat(os.fstat(owner), ours)
        finally:
            os.close(owner)
    return False
