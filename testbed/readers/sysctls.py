"""The sysctls that decide connections, from /proc/sys/net, which shows the reading thread's network namespace."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

from testbed.readers.reader import of_rows

_SINGLE: Final = (
    "core/somaxconn",
    "ipv4/ip_forward",
    "ipv4/ip_nonlocal_bind",
    "ipv4/ip_unprivileged_port_start",
    "ipv4/tcp_syncookies",
    "bridge/bridge-nf-call-iptables",
    "bridge/bridge-nf-call-ip6tables",
)
#: For each interface, and for ``all`` and ``default``.
_EACH: Final = (
    (
        "ipv4/conf",
        (
            *("forwarding", "rp_filter", "src_valid_mark", "route_localnet", "accept_local"),
            *("arp_ignore", "arp_filter", "proxy_arp", "ignore_routes_with_linkdown"),
        ),
    ),
    ("ipv6/conf", ("forwarding", "disable_ipv6", "ignore_routes_with_linkdown")),
)
_LONGEST: Final = 64


def read_sysctls() -> dict[str, str]:
    """The values in the calling thread's namespace by their path below /proc/sys/net.

    Those that this kernel does not have are left out.

    :raises OSError: the kernel does not tell which interfaces there are
    """
    names = [*_SINGLE]
    for link in ("all", "default", *(_text(name) for _, name in socket.if_nameindex())):
        names += [f"{folder}/{link}/{name}" for folder, each in _EACH for name in each]
    found = {}
    for name in names:
        with suppress(OSError):
            found[name] = _value(name)
    return found


def _value(name: str) -> str:
    """One value. By bare system calls: a file object makes four more, for some fifty values of each namespace."""
    file = os.open(f"/proc/sys/net/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _LONGEST).decode("ascii", "replace").strip()
    finally:
        os.close(file)


def _text(name: str) -> str:
    """An interface's name, whatever bytes whoever gave it put in."""
    return os.fsencode(name).decode(errors="replace")


READER: Final = of_rows("the sysctls", "sysctls", lambda: (read_sysctls(), ()))
