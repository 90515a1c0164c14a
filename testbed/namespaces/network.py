"""A network namespace to make sockets in.

A socket belongs to the namespace it was born in, whichever thread uses it afterwards (network_namespaces(7)). Each
namespace has one thread that entered it and stays: an ordinary user cannot come back to the machine's own network
namespace once he left it, since that one belongs to the initial user namespace, and no signal can strand the main
thread in the wrong one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from testbed.errors import HostError
from testbed.namespaces.syscalls import CLONE_NEWNET, setns

T = TypeVar("T")


class NetworkNamespace:
    """An open network namespace; closing it lets the kernel remove it once nobody else is in it.

    The namespace that this process is in already is not entered: that takes no right that it may lack.

    :param path: a namespace file, such as /proc/PID/ns/net or /run/netns/NAME
    :param what: whose namespace it is, for error messages
    :raises HostError: there is no such namespace, or it may not be looked at
    """

    def __init__(self, path: Path, what: str) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError as exc:
            raise HostError(
                f"the network namespace of {what} may not be looked at ({exc.strerror}): do it as root, or as its owner"
            ) from exc
        except OSError as exc:
            raise HostError(f"the network namespace of {what} is gone ({exc.strerror}): is it still running?") from exc
        self.what = what
        status = os.fstat(self._fd)
        #: Device and inode: what the kernel tells one namespace from another by (namespaces(7)).
        self.identity = (status.st_dev, status.st_ino)
        self._refusal: OSError | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"netns-{what}", initializer=self._enter)

    def _enter(self) -> None:
        """Move the new thread here; it was born in the namespace of whoever asked first."""
        try:
            here = Path("/proc/thread-self/ns/net").stat()
            if (here.st_dev, here.st_ino) != self.identity:
                setns(self._fd, CLONE_NEWNET)
        except OSError as exc:
            self._refusal = exc

    def run(self, call: Callable[[], T]) -> T:
        """Call something on the thread that lives in this namespace, and return what it returns.

        :raises HostError: this process may not enter it
        """

        def inside() -> T:
            if self._refusal is not None:
                raise HostError(
                    f"the network namespace of {self.what} cannot be entered ({self._refusal.strerror}): "
                    "do it as root, or as its owner"
                ) from self._refusal
            return call()

        return self._thread.submit(inside).result()

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
        """A new socket of this namespace.

        :raises OSError: as socket(2) says
        """
        return self.run(lambda: socket.socket(family, kind, protocol))

    def fileno(self) -> int:
        """The open namespace file, for calls that take one."""
        return self._fd

    def close(self) -> None:
        """End the thread and let go of the namespace."""
        self._thread.shutdown()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<NetworkNamespace of {self.what}, inode {self.identity[1]}>"
