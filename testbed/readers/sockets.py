"""Who listens in a network namespace (sock_diag(7)), as ss(8) reads it too."""

from __future__ import annotations

import ipaddress
import itertools
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.evidence import Listener, Protocol
from testbed.host.listeners import TCP_CLOSE, TCP_LISTEN, table
from testbed.model import Address
from testbed.readers.netlink import Netlink, attributes
from testbed.readers.reader import of_rows

#: Of each kind and family.
MOST: Final = 20_000
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
#: include/uapi/linux/inet_diag.h: inet_diag_req_v2 and inet_diag_msg, each with an inet_diag_sockid in it.
_REQUEST: Final = struct.Struct("=BBBxI48x")
_ANSWER: Final = struct.Struct("=BBxx2s2x16s16xI8x4xIIII")
_SKV6ONLY: Final = 11
#: include/net/tcp_states.h
_LISTEN: Final = 10
_CLOSE: Final = 7
_KINDS: Final = (
    (Protocol.TCP, socket.IPPROTO_TCP, _LISTEN, TCP_LISTEN),
    (Protocol.UDP, socket.IPPROTO_UDP, _CLOSE, TCP_CLOSE),
)


def read_listeners() -> tuple[tuple[Listener, ...], tuple[str, ...]]:
    """The listeners of the calling thread's namespace without their processes, and what could not be read of them.

    :raises OSError: /proc cannot be read either
    """
    found: list[Listener] = []
    missing: list[str] = []
    for protocol, number, state, printed in _KINDS:
        try:
            with Netlink(_NETLINK_SOCK_DIAG) as asking:
                for family in (socket.AF_INET, socket.AF_INET6):
                    request = _REQUEST.pack(family, number, 0, 1 << state)
                    found += _rows(protocol, asking.dump(_SOCK_DIAG_BY_FAMILY, request))
        except OSError as exc:
            found += _from_proc(protocol, printed)
            missing.append(
                f"the kernel does not tell about {protocol} sockets in full ({exc.strerror}): whether one on an IPv6 "
                "address takes IPv4 too, how many connections wait, and the interface it is bound to are not known"
            )
    return tuple(sorted(found, key=lambda x: (x.protocol, x.port, x.address.version, x.address, x.inode))), tuple(
        missing
    )


READER: Final = of_rows("who listens", "listeners", read_listeners)


def _rows(protocol: Protocol, answers: Iterator[bytes]) -> Iterator[Listener]:
    for answer in itertools.islice(answers, MOST):
        family, _, port, source, link, waiting, backlog, user, inode = _ANSWER.unpack_from(answer)
        bound = int.from_bytes(port, "big")
        if bound:
            only = attributes(answer[_ANSWER.size :]).get(_SKV6ONLY, b"\0")
            yield Listener(
                protocol,
                _plain(ipaddress.ip_address(source[:4] if family == socket.AF_INET else source)),
                bound,
                v6only=any(only),
                queue=waiting if protocol is Protocol.TCP else 0,
                backlog=backlog if protocol is Protocol.TCP else 0,
                link=link,
                inode=inode,
                user=user,
            )


def _from_proc(protocol: Protocol, state: str) -> Iterator[Listener]:
    for found in table(protocol, state):
        if found.port:
            yield replace(found, address=_plain(found.address))


def _plain(address: Address) -> Address:
    """An IPv6 socket that is bound to ::ffff:A.B.C.D serves that IPv4 address and nothing else (ipv6(7))."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
