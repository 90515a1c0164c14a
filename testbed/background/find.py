"""Finding the labs that run in the background, and speaking to their keepers."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from testbed import processes
from testbed.background import protocol
from testbed.errors import DeadlineError
from testbed.model import Address

_END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Running:
    """A lab in the background."""

    name: str
    scenario: str
    keeper: int
    """The process that keeps it; killing that is the whole of removing it."""
    seconds: float
    """How long it has been up."""
    options: Mapping[str, str]
    """The values of its scenario's options, by name, as they are written on the command line."""
    hosts: Mapping[str, int]
    """The first process of each host."""
    containers: Mapping[str, tuple[str, int]]
    """Each container's host and main process, by that host's count."""
    zones: Mapping[str, Mapping[str, tuple[Address, ...]]]
    """What the resolver of each host knows: names to addresses."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Each container's id, by its name."""


def running(uid: int | None = None) -> list[Running]:
    """A user's labs, by name; the caller's own unless said otherwise."""
    uid = os.getuid() if uid is None else uid
    lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    names = sorted({name for line in lines if (name := protocol.name_in(line, uid))})
    found = (_describe(uid, name) for name in names)
    return [lab for lab in found if lab is not None]


def stop(lab: Running, *, uid: int | None = None) -> None:
    """Ask a lab's keeper to end, and wait until it has.

    :raises DeadlineError: it does not
    """
    try:
        keeper = os.pidfd_open(lab.keeper)
    except ProcessLookupError:
        return
    try:
        tell_to_stop(lab.name, uid=uid)
        if not processes.ended([keeper], _END_SECONDS):
            raise DeadlineError(f"waited {_END_SECONDS:g} s for the keeper of {lab.name} to end; it still runs")
    finally:
        os.close(keeper)


def tell_to_stop(name: str, *, uid: int | None = None) -> None:
    """Ask a lab's keeper to end; it has heard when this returns."""
    _ask(os.getuid() if uid is None else uid, name, {"do": "stop"})


def _describe(uid: int, name: str) -> Running | None:
    answer = _ask(uid, name, {"do": "describe"})
    if not answer:
        return None
    # An older testbed may keep it, and say less of it.
    return Running(
        name=name,
        scenario=str(answer["scenario"]),
        keeper=int(answer["keeper"]),
        seconds=float(answer["seconds"]),
        options={str(key): str(value) for key, value in answer.get("options", {}).items()},
        hosts={str(key): int(value) for key, value in answer["hosts"].items()},
        containers={str(key): (str(host), int(pid)) for key, (host, pid) in answer["containers"].items()},
        zones={
            str(host): {str(known): tuple(map(ipaddress.ip_address, found)) for known, found in zone.items()}
            for host, zone in answer.get("zones", {}).items()
        },
        ids={str(container): str(its) for container, its in answer.get("ids", {}).items()},
    )


def _ask(uid: int, name: str, question: dict[str, str]) -> dict[str, Any]:
    """Ask a keeper; empty where it has gone, or where the socket is somebody else's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(protocol.address(uid, name))
            if protocol.peer(connection)[1] not in (uid, 0):
                return {}  # any user may take any abstract name: only our own keepers are believed
            protocol.send(connection, question)
            return protocol.receive(connection)
        except (OSError, ValueError):
            return {}
