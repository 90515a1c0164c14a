"""The two ends of a connection that is there (sock_diag(7)), as ``ss -tin`` shows them."""

from __future__ import annotations

import ipaddress
import itertools
import socket
import struct
from collections.abc import Iterator
from typing import Final

from testbed.model import SocketState, bracketed
from testbed.readers.netlink import Netlink, attributes

#: Of each family.
MOST: Final = 20_000
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
#: include/uapi/linux/inet_diag.h: inet_diag_req_v2, and inet_diag_msg: family, state, ports, addresses, queues, inode.
_REQUEST: Final = struct.Struct("=BBBxI48x")
_ANSWER: Final = struct.Struct("=BBxx2s2s16s16s16xII4xI")
_INFO: Final = 2
#: include/uapi/linux/tcp.h, struct tcp_info: tcpi_total_retrans, tcpi_bytes_acked and tcpi_bytes_received.
_TCP_INFO: Final = struct.Struct("=100xI16xQQ")
#: include/net/tcp_states.h, with the words of ss(8). One that listens is no end of a connection.
_STATES: Final = {
    1: "ESTAB",
    2: "SYN-SENT",
    3: "SYN-RECV",
    4: "FIN-WAIT-1",
    5: "FIN-WAIT-2",
    6: "TIME-WAIT",
    8: "CLOSE-WAIT",
    9: "LAST-ACK",
    11: "CLOSING",
}


def connections(namespace: str, port: int) -> tuple[SocketState, ...]:
    """The ends in the calling thread's namespace of connections whose client has a port.

    :param namespace: its key
    :param port: a port that the client's end, or what a translation left of it, has: at this end or at the other one
    :raises OSError: the kernel does not tell
    """
    found: list[SocketState] = []
    with Netlink(_NETLINK_SOCK_DIAG) as asking:
        for family in (socket.AF_INET, socket.AF_INET6):
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), sum(1 << state for state in _STATES))
            found += _rows(namespace, port, asking.dump(_SOCK_DIAG_BY_FAMILY, request))
    return tuple(found)


def _rows(namespace: str, port: int, answers: Iterator[bytes]) -> Iterator[SocketState]:
    for answer in itertools.islice(answers, MOST):
        family, state, own, other, source, destination, unread, sent, inode = _ANSWER.unpack_from(answer)
        ports = int.from_bytes(own, "big"), int.from_bytes(other, "big")
        if port in ports:
            info = attributes(answer[_ANSWER.size :]).get(_INFO, b"").ljust(_TCP_INFO.size, b"\0")
            again, acknowledged, received = _TCP_INFO.unpack_from(info)
            yield SocketState(
                namespace,
                _STATES.get(state, str(state)),
                _at(family, source, ports[0]),
                _at(family, destination, ports[1]),
                accepted=inode != 0,
                unread=unread,
                unacknowledged=sent,
                retransmitted=again,
                received=received,
                acknowledged=acknowledged,
            )


def _at(family: int, address: bytes, port: int) -> str:
    """An end as ss(8) prints it; an IPv4 connection of an IPv6 socket has ::ffff: in front there, and not here."""
    found = ipaddress.ip_address(address[:4] if family == socket.AF_INET else address)
    plain = (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
    return f"{bracketed(str(plain))}:{port}"
