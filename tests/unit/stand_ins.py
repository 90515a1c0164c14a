"""What several unit tests need: a machine that lacks nothing, and a namespace that is simply this process's own."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from testbed.machine_facts import PROGRAMS, Machine
from testbed.namespaces import NetworkNamespace

T = TypeVar("T")

_SOUND = Machine(
    distribution="debian",
    codename="bookworm",
    user="ana",
    uid=1000,
    programs={name: f"/usr/bin/{name}" for name in PROGRAMS},
    netavark="/usr/lib/podman/netavark",
    aardvark="/usr/lib/podman/aardvark-dns",
    filesystems=frozenset({"cgroup2", "overlay", "proc"}),
    user_namespaces=65536,
    unprivileged_user_namespaces=True,
    apparmor_restricts_user_namespaces=False,
    subordinate_ids=65536,
    open_files=1_048_576,
    processes=4_194_304,
)


def a_machine(*, without: tuple[str, ...] = (), **facts: Any) -> Machine:
    """An ordinary user's machine that has everything, but for what is said.

    :param without: programs that are not installed
    :param facts: fields of Machine
    """
    programs = {name: None if name in without else path for name, path in _SOUND.programs.items()}
    return dataclasses.replace(_SOUND, programs=programs, **facts)


class HereNamespace(NetworkNamespace):
    """Stands for a network namespace without making one: its sockets are this process's own.

    :param make: makes its sockets
    """

    def __init__(self, make: Callable[[int, int, int], socket.socket] = socket.socket) -> None:
        self.what = "here"
        self._make = make

    def run(self, call: Callable[[], T]) -> T:
        """Call it on the spot."""
        return call()

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
        """One of this process's own sockets."""
        return self._make(family, kind, protocol)
