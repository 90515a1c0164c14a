"""Who listens in a network namespace, read from the kernel (/proc/PID/net/tcp, proc(5))."""

from __future__ import annotations

import ipaddress
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from testbed.evidence import Listener, Protocol
from testbed.model import Address
from testbed.namespaces import NetworkNamespace

#: include/net/tcp_states.h, as /proc prints them. A UDP socket that is bound and not connected is in the latter.
TCP_LISTEN: Final = "0A"
TCP_CLOSE: Final = "07"


def listeners(net: NetworkNamespace) -> tuple[Listener, ...]:
    """All TCP listeners of a namespace.

    /proc/thread-self/net shows the namespace of the thread that opens it, which the reader's thread has entered.
    """
    return net.run(lambda: tuple(table(Protocol.TCP, TCP_LISTEN)))


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


def table(protocol: Protocol, state: str) -> Iterator[Listener]:
    """The sockets of a protocol in a state, of the calling thread's namespace, IPv4's before IPv6's (proc(5)).

    :param state: as /proc prints it, such as :data:`TCP_LISTEN`
    """
    for name in (protocol.value, f"{protocol}6"):
        try:
            lines = Path(f"/proc/thread-self/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:
            continue  # a kernel without IPv6
        for line in lines:
            words = line.split()
            if words[3] == state:
                address, port = words[1].split(":")
                yield Listener(protocol, _address(address), int(port, 16), inode=int(words[9]))


def _address(text: str) -> Address:
    """Addresses are printed as 32-bit words in host byte order (net/ipv4/tcp_ipv4.c, get_tcp4_sock)."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
