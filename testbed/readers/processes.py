"""Who holds sockets and tun devices, and forwards ports: one pass over /proc for all of them (proc(5))."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from testbed.evidence import Forwarder, PastaNames, Process
from testbed.evidence.programs import SLIRP, is_pasta
from testbed.host.listeners import open_files
from testbed.readers.forwards import forwards_of
from testbed.readers.pasta import names_of

_SOCKET: Final = "socket:["
_TUN: Final = "/dev/net/tun"
_SSH: Final = "ssh"
_NO_HOST_LOOPBACK: Final = "--disable-host-loopback"
_STOPPED: Final = ([b"T"], [b"t"])
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds what."""

    sockets: Mapping[int, Process] = field(default_factory=dict)
    """By the inode of the socket. Of several processes that hold one, the first by number: stopped where all are."""
    tuns: Mapping[str, str] = field(default_factory=dict)
    """The program that holds a tun or tap device, by the device's name; none where several programs hold one so called:
    each namespace may have its own."""
    forwards: tuple[Forwarder, ...] = ()
    """Of every ssh process."""
    host_loopback: Mapping[str, bool] = field(default_factory=dict)
    """Whether a slirp4netns lets its network namespace, by that one's key, reach the host's loopback."""
    pasta: Mapping[str, PastaNames] = field(default_factory=dict)
    """The addresses that a pasta takes for others, by the key of its network namespace."""


def holders(inodes: Collection[int], containers: Mapping[str, str], proc: Path = Path("/proc")) -> Holders:
    """Look through every process that may be looked into.

    :param inodes: the sockets that are looked for
    :param containers: the name of the container that lives in a mount namespace, by what /proc/PID/ns/mnt says: each
        has one of its own, while it may share any other namespace
    """
    found = _Pass(inodes, containers)
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdecimal()):  # noqa: PTH208
        found.look(proc / str(pid))
    return found.result()


@dataclass(slots=True)
class _Pass:
    """One pass over /proc, with what it has found so far. Not a value."""

    inodes: Collection[int]
    containers: Mapping[str, str]
    sockets: dict[int, Process] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    """The sockets that a process holds which is not stopped."""
    tuns: dict[str, set[str]] = field(default_factory=dict)
    forwards: list[Forwarder] = field(default_factory=list)
    loopback: dict[str, bool] = field(default_factory=dict)
    pasta: dict[str, PastaNames] = field(default_factory=dict)

    def look(self, folder: Path) -> None:
        """See what a process holds, and was told to forward.

        :param folder: its folder in /proc
        """
        held: list[int] = []
        for fd, target in open_files(folder):
            if target.startswith(_SOCKET):
                inode = int(target[len(_SOCKET) : -1])
                if inode in self.inodes:
                    held.append(inode)
            elif target == _TUN:
                self._note_tun(folder, fd)
        if held:
            self._note_sockets(folder, held)
        if _name(folder) == _SSH:
            self.forwards += forwards_of(folder, link(folder, "net") or "")

    def _note_sockets(self, folder: Path, held: Sequence[int]) -> None:
        if not _is_stopped(folder):
            self.running.update(held)
        process = None
        for inode in held:
            if inode not in self.sockets:
                process = process or _process(folder, self.containers)
                self.sockets[inode] = process

    def _note_tun(self, folder: Path, fd: str) -> None:
        name = _name(folder)
        for device in _interface(folder / "fdinfo" / fd):
            self.tuns.setdefault(device, set()).add(name)
        if name == SLIRP:
            self.loopback.update(_host_loopback(folder))
        elif is_pasta(name):
            self.pasta.update(names_of(folder, open_files(folder)))

    def result(self) -> Holders:
        """Return what was found, as a value."""
        return Holders(
            {inode: replace(one, stopped=inode not in self.running) for inode, one in self.sockets.items()},
            {name: next(iter(held)) for name, held in self.tuns.items() if len(held) == 1},
            tuple(self.forwards),
            self.loopback,
            self.pasta,
        )


def _process(folder: Path, containers: Mapping[str, str]) -> Process:
    return Process(int(folder.name), _name(folder), containers.get(link(folder, "mnt") or ""), link(folder, "net"))


def link(folder: Path, kind: str) -> str | None:
    """What /proc/PID/ns/KIND says; None where the process is gone or not ours to look into."""
    try:
        return os.readlink(f"{folder}/ns/{kind}")  # noqa: PTH115 - called for every container
    except OSError:
        return None


def _name(folder: Path) -> str:
    """Its name as it gave it to itself, whatever is in that: only who prints it escapes it."""
    with suppress(OSError):
        return (folder / "comm").read_bytes()[:_LONGEST].decode(errors="replace").removesuffix("\n")
    return ""


def _is_stopped(folder: Path) -> bool:
    """Return True where a signal or a tracer has stopped it: the state is behind its name, which may have any brackets
    in it (proc(5), stat).
    """
    with suppress(OSError):
        return (folder / "stat").read_bytes().rpartition(b")")[2].split()[:1] in _STOPPED
    return False


def _host_loopback(folder: Path) -> dict[str, bool]:
    """Of a slirp4netns: the key of its namespace, and whether that may reach the host's loopback.

    The namespace's file, one of the process's own mount namespace, is the last argument but one. Podman forbids it
    unless told otherwise (slirp4netns(1), --disable-host-loopback).
    """
    with suppress(OSError, IndexError):
        words = (folder / "cmdline").read_bytes()[:_LONGEST].decode(errors="replace").removesuffix("\0").split("\0")
        namespace = folder / "root" / words[-2].lstrip("/")
        return {f"net:[{namespace.stat().st_ino}]": _NO_HOST_LOOPBACK not in words}
    return {}


def _interface(fdinfo: Path) -> list[str]:
    """The interface behind a descriptor of /dev/net/tun (drivers/net/tun.c, tun_chr_show_fdinfo)."""
    with suppress(OSError):
        lines = fdinfo.read_bytes()[:_LONGEST].decode(errors="replace").splitlines()
        return [line.split(":", 1)[1].strip() for line in lines if line.startswith("iff:")]
    return []
