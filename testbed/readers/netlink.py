"""Asking the kernel for a whole table over netlink (netlink(7)), a message at a time.

pyroute2 is what makes links here. For reading it costs too much: importing it takes a fifth of a second, and it turns
each attribute of each row, known or not, into objects of Python: 8 ms for a container's namespace, which read like this
takes less than one. It also passes over what sock_diag refuses (MarshalDiag.error_type), so that "cannot say" looks
like "nobody listens".
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
#: include/uapi/linux/netlink.h
_REQUEST: Final = 0x1
_DUMP: Final = 0x300
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
#: The two highest bits of an attribute's type are flags (NLA_TYPE_MASK).
_TYPE: Final = 0x3FFF
_SECONDS: Final = 5.0
_BUFFER: Final = 1 << 18


class Netlink:
    """A netlink socket of the calling thread's network namespace. One question at a time.

    :param protocol: NETLINK_...
    :raises OSError: this kernel does not have it
    """

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.settimeout(_SECONDS)
        self._number = 0

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """The rows of a table, without their headers.

        :param kind: the request's nlmsg_type
        :param body: what follows the request's header
        :raises OSError: the kernel refused or does not have that table, or did not answer in time
        """
        self._send(kind, _REQUEST | _DUMP, body)
        return self._answers()

    def ask(self, kind: int, body: bytes) -> bytes:
        """The one answer to a question, without its header.

        :raises OSError: the kernel refused, or did not answer in time
        """
        self._send(kind, _REQUEST, body)
        return next(self._answers())

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._number += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._number, 0) + body)

    def _answers(self) -> Iterator[bytes]:
        """What comes back, up to the end of it; left-overs of a question that was given up are passed over."""
        while True:
            data = self._socket.recv(_BUFFER)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, _, number, _ = _HEADER.unpack_from(data, at)
                body = data[at + _HEADER.size : at + length]
                at += _aligned(length)
                if number != self._number:
                    continue
                if kind in (_NLMSG_ERROR, _NLMSG_DONE):
                    _raise(body)
                    return
                yield body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()


def dump(protocol: int, kind: int, body: bytes) -> Iterator[bytes]:
    """One table over a socket of its own; see :meth:`Netlink.dump`.

    :raises OSError: as that says
    """
    with Netlink(protocol) as asking:
        yield from asking.dump(kind, body)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a message, by type."""
    found = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _TYPE] = data[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    return found


def attribute(kind: int, data: bytes) -> bytes:
    """An attribute as it is sent."""
    return (_ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data).ljust(
        _aligned(_ATTRIBUTE.size + len(data)), b"\0"
    )


def _raise(said: bytes) -> None:
    """The end of a dump holds 0 or an error, as a negative errno."""
    if len(said) >= struct.calcsize("=i"):
        (number,) = struct.unpack_from("=i", said)
        if number < 0:
            raise OSError(-number, os.strerror(-number))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
