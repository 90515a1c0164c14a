"""What the bind address of a forward means. Pure.

The rules are OpenSSH's: channels.c, channel_fwd_bind_addr, and ssh(1) on ``-L``.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from testbed.errors import UsageError
from testbed.hosts_file import HostsFile
from testbed.model import Address

WILDCARDS: Final[tuple[Address, ...]] = (ipaddress.IPv4Address("0.0.0.0"), ipaddress.IPv6Address("::"))
LOOPBACKS: Final[tuple[Address, ...]] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))


def bind_addresses(bind: str | None, hosts: HostsFile, *, gateway_ports: bool = False) -> tuple[Address, ...]:
    """The addresses that a forward listens on, one socket each, IPv6 ones for IPv6 only.

    ``localhost`` is both loopback addresses whatever the hosts file says, ``*`` and the empty string are both
    wildcards, an address is exactly itself: ``0.0.0.0`` is IPv4 only and ``::`` IPv6 only, since OpenSSH sets
    IPV6_V6ONLY. Another name is looked up in the hosts file.

    :param bind: None where no bind address was given
    :param gateway_ports: whether an omitted one means the wildcards and not loopback
    :raises UsageError: a name that the hosts file does not have
    """
    if bind is None:
        return WILDCARDS if gateway_ports else LOOPBACKS
    if bind in ("", "*"):
        return WILDCARDS
    if bind == "localhost":
        return LOOPBACKS
    try:
        return (ipaddress.ip_address(bind),)
    except ValueError:
        found = hosts.lookup(bind)
    if not found:
        raise UsageError(f"bind address {bind!r} is no address and not in the hosts file: give an address of the host")
    return found
