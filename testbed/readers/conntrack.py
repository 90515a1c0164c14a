"""The connection tracking table of a network namespace (conntrack(8)), over ctnetlink."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path
from typing import Final

from testbed.evidence import Conntrack, Flow
from testbed.readers.netlink import attributes, dump
from testbed.readers.reader import of_rows

#: How many are kept: a busy router has hundreds of thousands, and one is looked for.
MOST: Final = 20_000
_NETLINK_NETFILTER: Final = 12
#: include/uapi/linux/netfilter/nfnetlink_conntrack.h: NFNL_SUBSYS_CTNETLINK and IPCTNL_MSG_CT_GET.
_GET: Final = 1 << 8 | 1
_ANY_FAMILY: Final = bytes(4)
_ORIGINAL: Final = 1
_REPLY: Final = 2
_STATUS: Final = 3
_ADDRESSES: Final = 1
_TRANSPORT: Final = 2
_NUMBER: Final = 1
_SOURCE_PORT: Final = 2
_DESTINATION_PORT: Final = 3
_NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_COUNT: Final = Path("/proc/sys/net/netfilter/nf_conntrack_count")


def read_conntrack() -> tuple[tuple[Conntrack, ...], tuple[str, ...]]:
    """The entries of the calling thread's namespace, the first :data:`MOST`, and what could not be read of them.

    A kernel that tracks nothing is not asked: the question would load its module.
    """
    try:
        count = int(_COUNT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return (), ()
    if count == 0:
        return (), ()
    try:
        entries = itertools.islice(dump(_NETLINK_NETFILTER, _GET, _ANY_FAMILY), MOST)
        found = tuple(entry for entry in map(_entry, entries) if entry is not None)
    except OSError as exc:
        return (), (f"the connection tracking table cannot be read ({exc.strerror}): do it as root",)
    cut = (f"of {count} tracked connections only the first {MOST} are here",) if count > MOST else ()
    return found, cut


READER: Final = of_rows("the connection tracking table", "conntrack", read_conntrack)


def _entry(message: bytes) -> Conntrack | None:
    """One entry behind its nfgenmsg; None where it lacks what every entry has."""
    found = attributes(message[len(_ANY_FAMILY) :])
    try:
        number, original = _tuple(found[_ORIGINAL])
        _, reply = _tuple(found[_REPLY])
        status = int.from_bytes(found.get(_STATUS, b""), "big")
    except (KeyError, ValueError):
        return None
    return Conntrack(_NAMES.get(number, str(number)), original, reply, status)


def _tuple(data: bytes) -> tuple[int, Flow]:
    parts = attributes(data)
    # IPv4 source and destination are attributes 1 and 2, those of IPv6 are 3 and 4 (enum ctattr_ip).
    source, destination = (
        ipaddress.ip_address(address) for _, address in sorted(attributes(parts[_ADDRESSES]).items())[:2]
    )
    transport = attributes(parts[_TRANSPORT])
    ports = (int.from_bytes(transport.get(kind, b""), "big") for kind in (_SOURCE_PORT, _DESTINATION_PORT))
    return transport[_NUMBER][0], Flow(source, destination, *ports)
