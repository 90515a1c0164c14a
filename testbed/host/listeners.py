"""Who listens in a network namespace, read from the kernel (/proc/PID/net/tcp, proc(5))."""

from __future__ import annotations

import ipaddress
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.model import Address
from testbed.namespaces import NetworkNamespace

#: include/net/tcp_states.h, as /proc prints them. A UDP socket that is bound and not connected is in the latter.
TCP_LISTEN: Final = "0A"
TCP_CLOSE: Final = "07"


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that accepts."""

    address: Address
    port: int
    inode: int
    """The socket's inode, as /proc/PID/fd shows it."""


def listeners(net: NetworkNamespace) -> tuple[Listener, ...]:
    """All TCP listeners of a namespace.

    /proc/thread-self/net shows the namespace of the thread that opens it, which the reader's thread has entered.
    """
    return net.run(lambda: tuple(table("tcp", TCP_LISTEN)) + tuple(table("tcp6", TCP_LISTEN)))


def owner(listener: Listener, proc: Path = Path("/proc")) -> str:
    """Who holds a listener: ``name (pid N)``, or empty where nobody visible in ``proc`` does."""
    wanted = f"socket:[{listener.inode}]"
    for folder in proc.iterdir():
        if folder.name.isdecimal() and wanted in (target for _, target in open_files(folder)):
            with suppress(OSError):  # it ended
                return f"{(folder / 'comm').read_text().strip()} (pid {folder.name})"
    return ""


def open_files(folder: Path) -> Iterator[tuple[str, str]]:
    """What a process of /proc has open, by descriptor; nothing where it has ended or is not ours to look into."""
    fds = f"{folder}/fd"
    with suppress(OSError):
        for fd in os.listdir(fds):  # noqa: PTH208 - a machine has many thousands of these
            with suppress(OSError):  # closed meanwhile, as the one this very list was read through
                yield fd, os.readlink(f"{fds}/{fd}")  # noqa: PTH115


def table(name: str, state: str) -> Iterator[Listener]:
    """The sockets of /proc/net/NAME in a state, of the calling thread's namespace."""
    try:
        lines = Path(f"/proc/thread-self/net/{name}").read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:
        return  # a kernel without IPv6
    for line in lines:
        words = line.split()
        if words[3] == state:
            address, port = words[1].split(":")
            yield Listener(_address(address), int(port, 16), int(words[9]))


def _address(text: str) -> Address:
    """Addresses are printed as 32-bit words in host byte order (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
