"""Finding the namespaces of an ordinary user's own Podman, by the files it leaves in its runtime folder.

Rootless Podman lives in a user and a mount namespace of its own, which a pause process keeps (podman
pkg/rootless/rootless_linux.c). Its network namespaces are files that are mounted in that mount namespace only: on the
host itself the same paths are empty files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Podman 4 and 5 alike (libpod/util, GetRootlessPauseProcessPidPath).
_PAUSE: Final = "libpod/tmp/pause.pid"
#: Whom Podman itself joins where there is no pause process: a container's conmon (cmd/podman, TryJoinFromFilePaths).
_CONMONS: Final = "containers/overlay-containers/*/userdata/conmon.pid"
#: Podman 4 (libpod/networking_linux.go) and 5 (containers/common libnetwork/internal/rootlessnetns).
_NETNS: Final = ("netns/rootless-netns-*", "containers/networks/rootless-netns/rootless-netns")
#: A pid file holds a number; whatever else stands there is not read to its end.
_LONGEST: Final = 32


def owner_namespace(runtime: Path, root: Path = Path("/")) -> int | None:
    """A process whose user namespace owns a user's rootless containers, by the count of the host's /proc.

    None where there is none: no pause process and no container, or only files that outlived them. Works before the
    caller has joined that namespace as well, for its owner (user_namespaces(7)).

    :param runtime: the user's XDG_RUNTIME_DIR as the host names it, such as ``/run/user/1000``
    :param root: the host's root folder; another one than ``/`` for a private host
    """
    here = _beneath(root, runtime)
    for file in _pid_files(here):
        with suppress(OSError, ValueError):
            pid = int(_start_of(file))
            process = root / "proc" / str(pid)
            # The number may be another process's by now; another user's it is not, nor one of the host's own namespace.
            if pid > 0 and process.stat().st_uid == file.stat().st_uid and _is_inside(process, root):
                return pid
    return None


def rootless_netns(runtime: Path, root: Path = Path("/")) -> Path | None:
    """The file of the network namespace that a user's bridge networks are in, as a path that can be opened here.

    None where there is none, as before the first container on a bridge network. Never the empty file that stands at
    its place outside the user's mount namespace.

    :param runtime: the user's XDG_RUNTIME_DIR as the host names it, such as ``/run/user/1000``
    :param root: the host's root folder; another one than ``/`` for a private host
    """
    owner = owner_namespace(runtime, root)
    if owner is None:
        return None
    inside = _beneath(root / "proc" / str(owner) / "root", runtime)
    namespaces = Path("/proc/self/ns/net").stat().st_dev  # the one nsfs that there is (namespaces(7))
    for pattern in _NETNS:
        with suppress(OSError):
            for file in sorted(inside.glob(pattern)):
                if file.stat().st_dev == namespaces:
                    return file
    return None


def _beneath(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _pid_files(runtime: Path) -> Iterator[Path]:
    yield runtime / _PAUSE
    yield from sorted(runtime.glob(_CONMONS))


def _start_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LONGEST)


def _is_inside(process: Path, root: Path) -> bool:
    """Whether a process is in another user namespace than the host's first one, as far as that may be looked at."""
    own = (process / "ns/user").readlink()
    try:
        return own != (root / "proc/1/ns/user").readlink()
    except PermissionError:  # an ordinary user on his own machine: the first process is root's
        return True
