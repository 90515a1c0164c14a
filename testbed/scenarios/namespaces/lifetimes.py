"""How long a namespace lives, and where a socket belongs: to the namespace it was born in (network_namespaces(7))."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.errors import DeadlineError
from testbed.host.protocol import Host
from testbed.namespaces import NetworkNamespace
from testbed.namespaces.syscalls import CLONE_NEWNET, setns
from testbed.probe import Vantage
from testbed.scenarios.namespaces.doorman import Doorman
from testbed.scenarios.namespaces.doors import knock, knock_all
from testbed.scenarios.namespaces.inside import children, stop
from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.topology import PORT
from testbed.waiting import wait_for

_SPARE_PORT: Final = 8091
_END_SECONDS: Final = 5.0
_MAKE: Final = 'ip netns add "$1" && ip link add "$1" type veth peer name eth0 netns "$1"'


@dataclass(frozen=True, slots=True)
class Moved:
    """A thread that listened in one room and then went to another."""

    sits_in: str
    """The room it is in now, by what the kernel says of it."""
    new_socket_reaches: str
    """Who answers a socket that it makes there, at 127.0.0.1."""
    old_door: Mapping[str, str]
    """Who answers each at the door that it opened before it went."""


def move(lab: NamespacesLab, born: str, to: str) -> Moved:
    """Listen in one room, go to another with setns(2), and see where the listener still stands."""
    rooms = {vantage.net.identity: name for name, vantage in reversed([*lab.vantages.items()])}
    own = Path(f"/proc/self/fd/{lab.vantages[born].net.fileno()}")
    with (
        NetworkNamespace(own, "traveller") as traveller,
        Doorman(traveller, "traveller", "127.0.0.1", _SPARE_PORT),
    ):
        target = lab.vantages[to].net.fileno()
        traveller.run(lambda: setns(target, CLONE_NEWNET))
        here = traveller.run(lambda: os.stat("/proc/thread-self/ns/net"))  # noqa: PTH116 - its own thread asks
        return Moved(
            rooms[here.st_dev, here.st_ino],
            knock(Vantage("traveller", traveller, lab.vantages[to].naming), f"127.0.0.1:{PORT}"),
            knock_all(lab, f"127.0.0.1:{_SPARE_PORT}"),
        )


@contextmanager
def _by_process(host: Host, name: str) -> Iterator[None]:
    process = host.popen(["nsenter", f"--net=/run/netns/{name}", "sleep", "infinity"])
    try:
        there = host.path(f"/run/netns/{name}").stat().st_ino
        wait_for(lambda: _lives_in(process.pid, there), "a process to enter the namespace")
        yield
    finally:
        stop(process)


def _lives_in(leader: int, inode: int) -> bool:
    """Whether the process that nsenter started is in a namespace."""
    with suppress(OSError):  # it ended meanwhile
        return any(Path(f"/proc/{pid}/ns/net").stat().st_ino == inode for pid in children(leader))
    return False


@contextmanager
def _by_socket(host: Host, name: str) -> Iterator[None]:
    with NetworkNamespace(host.path(f"/run/netns/{name}"), name) as net:
        held = net.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with held:
        yield


@contextmanager
def _by_file(host: Host, name: str) -> Iterator[None]:
    held = os.open(host.path(f"/run/netns/{name}"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def _by_mount(host: Host, name: str) -> Iterator[None]:
    """ip-netns(8) keeps one by a bind mount of its file; this is a second one elsewhere."""
    at = f"{host.scratch}/{name}"
    host.run(["sh", "-ec", ': >"$2" && mount --bind "/run/netns/$1" "$2"', "sh", name, at])
    try:
        yield
    finally:
        host.run(["sh", "-ec", 'umount "$1" && rm "$1"', "sh", at])


#: What may hold a namespace, by the name of the one that it holds.
HOLDERS: Final[Mapping[str, Callable[[Host, str], AbstractContextManager[None]]]] = {
    "process": _by_process,
    "socket": _by_socket,
    "file": _by_file,
    "mount": _by_mount,
}
#: The name of one that nothing holds.
UNHELD: Final = "unheld"


@dataclass(frozen=True, slots=True)
class Life:
    """How a namespace lived and ended."""

    outlived: bool
    """Whether it was there when one that nothing held, let go of later, was gone."""
    ended: bool
    """Whether it was gone once it was let go of."""


def live(host: Host) -> dict[str, Life]:
    """Make namespaces, let each be held by one thing only, and then by nothing.

    A namespace takes its end of a veth pair with it, and the other end goes too (veth(4)): that one is on the host.
    Namespaces that nothing holds are put on one list and ended in its order (net/core/net_namespace.c, cleanup_net), so
    whatever is there when the one that was let go of last is gone is held.

    :raises DeadlineError: the one that nothing holds is not gone in time
    """
    with ExitStack() as stack:
        held: dict[str, ExitStack] = {}
        for name in (*HOLDERS, UNHELD):
            host.run(["sh", "-ec", _MAKE, "sh", name])
            stack.callback(_unname, host, name)
            held[name] = stack.enter_context(ExitStack())
            if name in HOLDERS:
                held[name].enter_context(HOLDERS[name](host, name))
        for name in held:
            _unname(host, name)
        wait_for(lambda: UNHELD not in _links(host), f"the namespace {UNHELD} to end")
        outlived = _links(host)
        lives = {}
        for name in HOLDERS:
            there = name in outlived and name in _links(host)
            held[name].close()
            lives[name] = Life(there, _ends(host, name))
        return lives


def _unname(host: Host, name: str) -> None:
    """Take the name of a namespace away, and with it the mount that ip-netns(8) holds it by; it may be gone."""
    host.run(["sh", "-c", 'ip netns del "$1" 2>/dev/null || true', "sh", name])


def _ends(host: Host, name: str) -> bool:
    with suppress(DeadlineError):
        return wait_for(lambda: name not in _links(host), f"the namespace {name} to end", seconds=_END_SECONDS)
    return False


def _links(host: Host) -> frozenset[str]:
    return frozenset(name for _, name in host.net.run(socket.if_nameindex))
