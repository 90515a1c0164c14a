"""The sysctls that decide connections, from /proc/sys/net, which shows the reading thread's network namespace."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

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
    ("ipv4/conf", ("forwarding", "rp_filter", "route_localnet", "accept_local", "arp_ignore")),
    ("ipv6/conf", ("forwarding", "disable_ipv6")),
)
_LONGEST: Final = 64


def read_sysctls(links: Iterable[str]) -> dict[str, str]:
    """Their values by their path below /proc/sys/net; those that this kernel does not have are left out.

    :param links: the names of the interfaces of the calling thread's namespace
    """
    names = [*_SINGLE]
    for link in ("all", "default", *links):
        names += [f"{folder}/{link}/{name}" for folder, each in _EACH for name in each]
    found = {}
    for name in names:
        with suppress(OSError), open(f"/proc/sys/net/{name}", "rb") as file:
            found[name] = file.read(_LONGEST).decode("ascii", "replace").strip()
    return found
