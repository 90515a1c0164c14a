"""What may discard or rewrite packets at an interface: XDP programs and tc(8), over rtnetlink(7).

The numbers are those of include/uapi/linux: rtnetlink.h, if_link.h, pkt_sched.h, pkt_cls.h.
"""

from __future__ import annotations

import errno
import itertools
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Final

from testbed.evidence import Attached, Direction
from testbed.readers.netlink import Netlink, attribute, attributes
from testbed.readers.reader import of_rows

#: Of each kind of row.
MOST: Final = 20_000
_GETLINK: Final = 18
_GETQDISC: Final = 38
_GETTFILTER: Final = 46
_IFINFOMSG: Final = struct.Struct("=BxHiI4x")
#: struct tcmsg: family, ifindex, handle, parent, info.
_TCMSG: Final = struct.Struct("=BxxxiIII")
_SKIP_STATS: Final = attribute(29, struct.pack("=I", 1 << 3))  # IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS
_IFLA_XDP: Final = 43
_CLSACT_INGRESS: Final = 0xFFFF_FFF2
_CLSACT_EGRESS: Final = 0xFFFF_FFF3
#: The attributes of a filter that say that it acts, by its kind; without one it only sorts packets into classes.
_ACTING: Final[Mapping[str, frozenset[int]]] = {
    "basic": frozenset({3, 4}),
    "bpf": frozenset({1, 2}),
    "cgroup": frozenset({1, 2}),
    "flow": frozenset({10, 11}),
    "flower": frozenset({3}),
    "fw": frozenset({2, 4}),
    "matchall": frozenset({2}),
    "route": frozenset({5, 6}),
    "u32": frozenset({6, 7}),
}
#: Bytes of an Ethernet frame: ARP's is the smallest of all, and a full segment the largest of the usual MTU.
_SMALLEST: Final = 42
_LARGEST: Final = 1514
_NETEM: Final = struct.Struct("=IIIIII")
_NETEM_LOSS_MODEL: Final = 5
_EVERY_PACKET: Final = 0xFFFF_FFFF
#: struct tc_tbf_qopt: of the rate its bytes in a second; the peak's; limit, buffer and mtu.
_TBF: Final = struct.Struct("=8xI12xIII")
#: PSCHED_TICKS2NS (include/net/pkt_sched.h)
_TICK: Final = 64


def read_attached() -> tuple[tuple[Attached, ...], tuple[str, ...]]:
    """Everything of that kind in the calling thread's namespace.

    Programs that are attached by a link of bpf(2) at the tcx hooks are not shown by rtnetlink.

    :raises OSError: the kernel refused
    """
    with Netlink(socket.NETLINK_ROUTE) as asking:
        found = list(
            itertools.chain.from_iterable(map(_xdp, asking.dump(_GETLINK, bytes(_IFINFOMSG.size) + _SKIP_STATS)))
        )
        try:
            queues = list(itertools.islice(asking.dump(_GETQDISC, bytes(_TCMSG.size)), MOST))
        except OSError as exc:
            if exc.errno == errno.EOPNOTSUPP:  # a kernel without traffic control
                return tuple(found), ()
            raise
        for queue in queues:
            found += _qdisc(asking, queue)
    return tuple(dict.fromkeys(found)), ()


READER: Final = of_rows("what is attached to interfaces (XDP, tc)", "attached", read_attached)


def _xdp(message: bytes) -> Iterator[Attached]:
    _, _, index, _ = _IFINFOMSG.unpack_from(message)
    program = attributes(attributes(message[_IFINFOMSG.size :]).get(_IFLA_XDP, b""))
    if any(program.get(2, b"")):  # IFLA_XDP_ATTACHED
        (number,) = struct.unpack("=I", program.get(4, bytes(4)))  # IFLA_XDP_PROG_ID
        yield Attached(index, Direction.INGRESS, f"xdp prog id {number}" if number else "xdp")


def _qdisc(asking: Netlink, message: bytes) -> Iterator[Attached]:
    """A queueing discipline that loses packets, and the filters of one that has some."""
    _, index, handle, _, _ = _TCMSG.unpack_from(message)
    found = attributes(message[_TCMSG.size :])
    kind, options = _text(found.get(1)), found.get(2, b"")  # TCA_KIND and TCA_OPTIONS
    if kind == "netem":
        yield from _netem(index, options)
    elif kind == "tbf":
        yield from _tbf(index, options)
    if kind in ("clsact", "ingress"):
        yield from _filters(asking, index, _CLSACT_INGRESS, Direction.INGRESS)
    if kind == "clsact":
        yield from _filters(asking, index, _CLSACT_EGRESS, Direction.EGRESS)
    elif kind != "ingress" and handle:
        yield from _filters(asking, index, handle, Direction.EGRESS)


def _netem(index: int, options: bytes) -> Iterator[Attached]:
    """One that loses packets (tc-netem(8), loss); one that only delays them loses none."""
    _, _, loss, _, _, _ = _NETEM.unpack_from(options)
    if loss or _NETEM_LOSS_MODEL in attributes(options[_NETEM.size :]):
        share = f"{loss / _EVERY_PACKET:.3g}" if loss else "by a model"
        yield Attached(index, Direction.EGRESS, f"tc qdisc netem loss {share}", (loss == _EVERY_PACKET) or None)


def _tbf(index: int, options: bytes) -> Iterator[Attached]:
    """One that is too small for a packet, which it then discards (net/sched/sch_tbf.c, tbf_enqueue)."""
    rate, limit, buffer, _ = _TBF.unpack_from(attributes(options).get(1, b"").ljust(_TBF.size, b"\0"))
    holds = min(limit, rate * buffer * _TICK // 1_000_000_000)
    if holds < _LARGEST:
        text = f"tc qdisc tbf for packets of at most {holds} bytes"
        yield Attached(index, Direction.EGRESS, text, (holds < _SMALLEST) or None)


def _filters(asking: Netlink, index: int, parent: int, direction: Direction) -> Iterator[Attached]:
    """The filters that act on packets, below one parent."""
    try:
        rows = list(itertools.islice(asking.dump(_GETTFILTER, _TCMSG.pack(0, index, 0, parent, 0)), MOST))
    except OSError as exc:
        if exc.errno in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT):  # it takes no filters
            return
        raise
    for row in rows:
        found = attributes(row[_TCMSG.size :])
        kind, options = _text(found.get(1)), attributes(found.get(2, b""))
        acts = kind not in _ACTING or not _ACTING[kind].isdisjoint(options)
        if acts or (kind == "bpf" and _acts_directly(options)):
            yield Attached(index, direction, f"tc filter {kind}")


def _acts_directly(options: Mapping[int, bytes]) -> bool:
    """Tell if what a program returns is what becomes of the packet (TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT)."""
    (flags,) = struct.unpack("=I", options.get(8, bytes(4)))
    return bool(flags & 1)


def _text(data: bytes | None) -> str:
    return (data or b"").rstrip(b"\0").decode(errors="replace")
