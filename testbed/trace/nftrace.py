"""The firewall's own trace: which rules of a namespace looked at a packet, and what they said (nft(8), MONITOR).

The kernel tells it of packets that somebody marked (``meta nftrace set 1``). They are marked here by a table that the
kernel removes when the socket that made it is closed, however that comes about (NFT_TABLE_F_OWNER, Linux 5.12), so that
nothing can be left behind. It is read from the kernel as it tells it, since what nft(8) prints of it differs between
versions, and since a socket listens from the moment it is made, which a program does some time after it was started.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from testbed.errors import CaptureError
from testbed.namespaces import NetworkNamespace
from testbed.readers.netlink import attribute, attributes
from testbed.trace.events import TABLE, Event, Marked

_NETLINK_NETFILTER: Final = 12
_SOL_NETLINK: Final = 270
_NETLINK_ADD_MEMBERSHIP: Final = 1
_SO_RCVBUFFORCE: Final = 33
_BUFFER: Final = 1 << 23
_SECONDS: Final = 5.0
_HEADER: Final = struct.Struct("=IHHII")
_REQUEST_ACK_CREATE_APPEND: Final = 0x1 | 0x4 | 0x400 | 0x800
_NLMSG_ERROR: Final = 2
#: include/uapi/linux/netfilter/nfnetlink.h: family, version, and for a batch the subsystem it is for.
_NFGENMSG: Final = struct.Struct("!BBH")
_BATCH_BEGIN: Final = 0x10
_BATCH_END: Final = 0x11
_NFNLGRP_NFTRACE: Final = 9
#: include/uapi/linux/netfilter/nf_tables.h, and the one below NFNL_SUBSYS_NFTABLES.
_NFTABLES: Final = 10
_NEW_TABLE: Final = _NFTABLES << 8 | 0
_NEW_CHAIN: Final = _NFTABLES << 8 | 3
_NEW_RULE: Final = _NFTABLES << 8 | 6
_TRACE: Final = _NFTABLES << 8 | 17
_OWNER: Final = 0x2
_INET: Final = 1
#: include/uapi/linux/netfilter.h, NF_INET_PRE_ROUTING and NF_INET_LOCAL_OUT; before ``raw``, which is at -300.
_HOOKS: Final = {"prerouting": 0, "output": 3}
_PRIORITY: Final = -350
#: include/uapi/linux/netfilter.h, NFPROTO_..., as nft(8) calls them.
_FAMILIES: Final = {1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 10: "ip6"}
#: Attributes of a NFT_MSG_TRACE (enum nft_trace_attributes).
_A_TABLE, _A_CHAIN, _A_HANDLE, _A_TYPE, _A_VERDICT, _A_ID = 1, 2, 3, 4, 5, 6
_A_NETWORK, _A_TRANSPORT, _A_FAMILY, _A_POLICY = 8, 9, 15, 16
#: enum nft_trace_types
_POLICY_DECIDED: Final = 1
_RULE_SPOKE: Final = 3
#: include/uapi/linux/netfilter.h, NF_...; include/uapi/linux/netfilter/nf_tables.h, NFT_...
_VERDICTS: Final = {
    0: "drop", 1: "accept", 2: "stolen", 3: "queue", 4: "repeat",
    -1: "continue", -2: "break", -3: "jump", -4: "goto", -5: "return",
}  # fmt: skip
_TCP_SEQUENCE: Final = struct.Struct("!HHII")
_TCP, _ICMP, _ICMPV6 = 6, 1, 58
_SYN: Final = 0x02


class FirewallTrace:
    """What the rules of a namespace do with packets of TCP and with errors of ICMP, from construction until closing.

    :param port: packets from and to this port are marked, and with any ports the first ones of each connection
    :raises CaptureError: the kernel does not tell it, or not to this process
    :raises HostError: the namespace may not be entered
    """

    def __init__(self, net: NetworkNamespace, port: int) -> None:
        self._what = net.what
        try:
            self._listening = net.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        except OSError as exc:
            raise CaptureError(f"the firewall of {net.what} cannot be asked: {exc.strerror}") from exc
        try:
            self._owning = net.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        except OSError as exc:
            self._listening.close()
            raise CaptureError(f"the firewall of {net.what} cannot be asked: {exc.strerror}") from exc
        try:
            with suppress(PermissionError):  # then net.core.rmem_max is the limit
                self._listening.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
            self._listening.bind((0, 0))  # whoever has no number yet is taken for the kernel, and told nothing
            self._listening.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, _NFNLGRP_NFTRACE)
            self._mark(port)
        except OSError as exc:
            self.close()
            raise CaptureError(f"the firewall of {net.what} does not tell what it does: {exc.strerror}") from exc

    def _mark(self, port: int) -> None:
        """Make the table, in one batch: all of it or nothing."""
        self._owning.settimeout(_SECONDS)
        self._owning.bind((0, 0))
        name = f"{TABLE}{self._owning.getsockname()[0]}"
        table = _text(1, name)
        messages = [_message(_NEW_TABLE, table + _number(2, _OWNER))]
        for chain, hook in _HOOKS.items():
            at = attribute(4, _number(1, hook) + _number(2, _PRIORITY & 0xFFFF_FFFF))
            messages.append(_message(_NEW_CHAIN, table + _text(3, chain) + at + _text(7, "filter")))
            messages += [
                _message(_NEW_RULE, table + _text(2, chain) + attribute(4, b"".join(attribute(1, x) for x in steps)))
                for steps in _marking(port)
            ]
        wanted = len(messages)
        batch = [_framed(_BATCH_BEGIN, _NFGENMSG.pack(0, 0, _NFTABLES), 0x1)]
        batch += [*messages, _framed(_BATCH_END, _NFGENMSG.pack(0, 0, _NFTABLES), 0x1)]
        self._owning.send(b"".join(batch))
        while wanted:
            for kind, body in _messages(self._owning.recv(1 << 16)):
                if kind == _NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", body)
                    if number:
                        raise OSError(-number, os.strerror(-number))
                    wanted -= 1

    def events(self) -> tuple[Event, ...]:
        """What was told since this was asked last, in its order.

        :raises CaptureError: more was told than there was room for
        """
        found: list[Event] = []
        while True:
            try:
                data = self._listening.recv(1 << 17, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return tuple(found)
            except OSError as exc:
                if exc.errno != errno.ENOBUFS:
                    raise
                raise CaptureError(
                    f"the firewall of {self._what} told more than there was room for: trace it while less passes there"
                ) from exc
            found += (read_event(body) for kind, body in _messages(data) if kind == _TRACE)

    def close(self) -> None:
        """Stop, and with the socket the table is gone. Calling it twice does no harm."""
        self._listening.close()
        self._owning.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def read_event(body: bytes) -> Event:
    """One NFT_MSG_TRACE, from its nfgenmsg on. Pure.

    The number of a packet, and lengths of addresses, tell nothing by themselves: they are to be compared.
    """
    said = attributes(body[_NFGENMSG.size :])
    kind = _be(said.get(_A_TYPE))
    verdict = ""
    if kind == _POLICY_DECIDED:
        verdict = _VERDICTS.get(_be(said.get(_A_POLICY)), "")
    elif _A_VERDICT in said:
        verdict = _VERDICTS.get(_signed(attributes(said[_A_VERDICT]).get(1, b"")), "")
    return Event(
        packet=_be(said.get(_A_ID)),
        family=_FAMILIES.get(_be(said.get(_A_FAMILY)), ""),
        table=_word(said.get(_A_TABLE, b"")),
        chain=_word(said.get(_A_CHAIN, b"")),
        verdict=verdict,
        handle=int.from_bytes(said[_A_HANDLE], "big") if kind == _RULE_SPOKE and _A_HANDLE in said else None,
        marked=_marked(said.get(_A_NETWORK, b""), said.get(_A_TRANSPORT, b"")),
    )


def _marked(network: bytes, transport: bytes) -> Marked | None:
    """The packet's headers (RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1); of IPv6 without extension headers."""
    version = network[0] >> 4 if network else 0
    if version == 4 and len(network) >= 20:  # noqa: PLR2004 - the shortest header of IPv4
        source, destination, protocol = network[12:16], network[16:20], network[9]
    elif version == 6 and len(network) >= 40:  # noqa: PLR2004 - the header of IPv6
        source, destination, protocol = network[8:24], network[24:40], network[6]
    else:
        return None
    if protocol != _TCP or len(transport) < _TCP_SEQUENCE.size:
        return Marked(source, destination, protocol)
    source_port, destination_port, sequence, _ = _TCP_SEQUENCE.unpack_from(transport)
    return Marked(source, destination, protocol, source_port, destination_port, sequence)


def _marking(port: int) -> Iterator[list[bytes]]:
    """The steps of each rule that marks (nft(8): ``tcp flags & syn != 0 meta nftrace set 1`` and so on)."""
    mark = [_step("immediate", _number(1, 1) + attribute(2, attribute(1, b"\1"))), _step("meta", _meta(12, 3))]
    tcp = _protocol(_TCP)
    wanted = port.to_bytes(2, "big")
    yield [*tcp, _loaded(13, 1), _masked(_SYN), _compared(1, b"\0"), *mark]
    yield [*tcp, _loaded(2, 2), _compared(0, wanted), *mark]
    yield [*tcp, _loaded(0, 2), _compared(0, wanted), *mark]
    for protocol in (_ICMP, _ICMPV6):
        yield [*_protocol(protocol), *mark]


def _protocol(number: int) -> list[bytes]:
    return [_step("meta", _meta(16, 1)), _compared(0, bytes([number]))]


def _meta(key: int, register: int) -> bytes:
    """NFT_META_NFTRACE is 12, NFT_META_L4PROTO 16; register 1 is loaded (attribute 1) or taken from (attribute 3)."""
    return _number(2, key) + _number(register, 1)


def _loaded(offset: int, length: int) -> bytes:
    """Bytes of the transport header, which is base 2, into register 1."""
    return _step("payload", _number(1, 1) + _number(2, 2) + _number(3, offset) + _number(4, length))


def _masked(mask: int) -> bytes:
    value, nothing = attribute(4, attribute(1, bytes([mask]))), attribute(5, attribute(1, b"\0"))
    return _step("bitwise", _number(1, 1) + _number(2, 1) + _number(3, 1) + value + nothing)


def _compared(operator: int, value: bytes) -> bytes:
    """Register 1 is the value (0, NFT_CMP_EQ) or is not (1, NFT_CMP_NEQ)."""
    return _step("cmp", _number(1, 1) + _number(2, operator) + attribute(3, attribute(1, value)))


def _step(name: str, data: bytes) -> bytes:
    return _text(1, name) + attribute(2, data)


def _text(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode() + b"\0")


def _number(kind: int, number: int) -> bytes:
    return attribute(kind, number.to_bytes(4, "big"))


def _message(kind: int, body: bytes) -> bytes:
    return _framed(kind, _NFGENMSG.pack(_INET, 0, 0) + body, _REQUEST_ACK_CREATE_APPEND)


def _framed(kind: int, body: bytes, flags: int) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 0, 0) + body


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, at)
        yield kind, data[at + _HEADER.size : at + length]
        at += max((length + 3) & ~3, _HEADER.size)


def _be(data: bytes | None) -> int:
    return int.from_bytes(data or b"", "big")


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _word(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
