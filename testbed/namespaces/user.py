"""Becoming root of a user namespace, once, in one place.

An ordinary user is root in a user namespace of its own (user_namespaces(7)); in there it makes network, mount and
pid namespaces as root does. A helper process makes that namespace and this process joins it with setns(2), which is
allowed because the caller owns it: no program is started again, so a caller's open files, captures and arguments stay.
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from testbed import machine, prerequisites, tools
from testbed.errors import DeadlineError, UnfitError
from testbed.namespaces.syscalls import CLONE_NEWUSER, setns
from testbed.waiting import wait_for

_CAP_SYS_ADMIN: Final = 21
_THREADS_SECONDS: Final = 2.0
_READY: Final = b"ready\n"

#: What ``podman unshare`` leaves in the environment; a Podman started with it takes itself for the rootless one.
_PODMAN_LEFTOVERS: Final = ("_CONTAINERS_USERNS_CONFIGURED", "_CONTAINERS_ROOTLESS_UID", "_CONTAINERS_ROOTLESS_GID")


def is_root() -> bool:
    """Whether this process may make namespaces directly (effective CAP_SYS_ADMIN, capabilities(7))."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return os.geteuid() == 0 and bool(int(line.split()[1], 16) >> _CAP_SYS_ADMIN & 1)
    return False


def in_initial_namespace() -> bool:
    """Whether this process is in the initial user namespace, the only one whose map holds every id."""
    return "4294967295" in Path("/proc/self/uid_map").read_text(encoding="ascii")


def become_root() -> None:
    """Make this process root of a user namespace, unless it is root already.

    The namespace maps the user to 0 and the user's subuid and subgid ranges behind it, as rootless Podman does.

    :raises UnfitError: user namespaces are forbidden, newuidmap or a subordinate id range is missing, or this process
        has threads (setns(2) then refuses)
    """
    if is_root():
        return
    prerequisites.require(prerequisites.user_namespace(machine.read()))
    if threading.active_count() > 1:
        raise UnfitError(
            f"cannot become root of a user namespace: this process already has {threading.active_count()} threads; "
            "do it first (in pytest: select with -m testbed, or set testbed_become_root = true)"
        )
    with subprocess.Popen(
        [*_holder(), "sh", "-c", f"echo {_READY.decode().strip()}; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PATH": tools.search_path()},
    ) as holder:
        assert holder.stdin and holder.stdout and holder.stderr
        if holder.stdout.readline() != _READY:
            holder.stdin.close()
            reason = holder.stderr.read().decode(errors="replace").strip()
            raise UnfitError(f"cannot make a user namespace: {reason}; see 'testbed doctor'")
        join_user_namespace(holder.pid)
        holder.stdin.close()
    for name in _PODMAN_LEFTOVERS:
        os.environ.pop(name, None)


def join_user_namespace(pid: int) -> None:
    """Move this process into the user namespace of another one and be root there.

    It must have no other thread; one that was joined is waited for until the kernel has ended it as well.

    :raises OSError: as setns(2) says
    """
    with suppress(DeadlineError):
        wait_for(lambda: threading.active_count() > 1 or _tasks() == 1, "threads to end", seconds=_THREADS_SECONDS)
    fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(fd, CLONE_NEWUSER)
    finally:
        os.close(fd)


def _tasks() -> int:
    """How many threads the kernel still has of this process; Python counts one as ended a little earlier."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _holder() -> list[str]:
    """The command that makes the namespace: unshare, or Podman where AppArmor lets only known programs do it."""
    if machine.read().apparmor_restricts_user_namespaces:
        return [tools.need("podman", "podman"), "unshare"]
    return [tools.need("unshare", "util-linux"), "--user", "--map-root-user", "--map-auto"]
