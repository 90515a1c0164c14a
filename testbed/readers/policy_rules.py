"""A routing policy rule as rtnetlink(7) tells it (include/uapi/linux/fib_rules.h)."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Final

from testbed.evidence import NumberRange, PolicyRule, Subnet
from testbed.readers.netlink import attributes

#: struct fib_rule_hdr: family, length of destination and source, TOS, table, two reserved, action, flags.
_HEADER: Final = struct.Struct("=BBBBBxxBI")
_INVERT: Final = 0x2
_ACTIONS: Final = {1: "lookup", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_DST: Final = 1
_SRC: Final = 2
_IIFNAME: Final = 3
_GOTO: Final = 4
_PRIORITY: Final = 6
_FWMARK: Final = 10
_SUPPRESS_IFGROUP: Final = 13
_SUPPRESS_PREFIXLEN: Final = 14
_TABLE: Final = 15
_FWMASK: Final = 16
_OIFNAME: Final = 17
_L3MDEV: Final = 19
_UID_RANGE: Final = 20
_IP_PROTO: Final = 22
_SPORT_RANGE: Final = 23
_DPORT_RANGE: Final = 24
_DSCP: Final = 25
#: FRA_FLOW gives a realm and selects nothing, FRA_PROTOCOL says who made the rule, FRA_PAD says nothing.
_SILENT: Final = frozenset({11, 18, 21})
_MODELLED: Final = frozenset(
    {
        *(_DST, _SRC, _IIFNAME, _GOTO, _PRIORITY, _FWMARK, _SUPPRESS_IFGROUP, _SUPPRESS_PREFIXLEN, _TABLE, _FWMASK),
        *(_OIFNAME, _L3MDEV, _UID_RANGE, _IP_PROTO, _SPORT_RANGE, _DPORT_RANGE, _DSCP),
    }
)
_PORT_MASKS: Final = frozenset({28, 29})
_OTHERS: Final = {
    12: "tun_id",
    26: "flowlabel",
    27: "flowlabel mask",
    28: "sport mask",
    29: "dport mask",
    30: "dscp mask",
}
_ALL: Final = 0xFFFF_FFFF


def policy_rule(message: bytes, *, knows_uids: bool) -> Iterator[PolicyRule]:
    """The rule of one row of RTM_GETRULE, without its header.

    :param knows_uids: user ids mean what they do in that network namespace; else a rule that selects by them selects
        by something unknown, as the numbers are others (net/core/fib_rules.c, nla_put_uid_range)
    """
    family, to_length, from_length, tos, table, action, flags = _HEADER.unpack_from(message)
    found = attributes(message[_HEADER.size :])
    mark, mask = _number(found.get(_FWMARK)), _number(found.get(_FWMASK))
    protocol = found.get(_IP_PROTO)
    uids = _range("=II", found.get(_UID_RANGE))
    others = [
        f"{_OTHERS.get(kind, f'attribute {kind}')} {_words(data)}"
        for kind, data in sorted(found.items())
        if kind not in _MODELLED | _SILENT and any(data) and not (kind in _PORT_MASKS and data == b"\xff\xff")
    ]
    if uids and not knows_uids:
        others.append("uidrange of another user namespace")
    yield PolicyRule(
        priority=_number(found.get(_PRIORITY)) or 0,
        family=4 if family == socket.AF_INET else 6,
        table=_number(found.get(_TABLE)) or table,
        action=_ACTIONS.get(action, str(action)),
        source=_subnet(family, found[_SRC], from_length) if _SRC in found else None,
        destination=_subnet(family, found[_DST], to_length) if _DST in found else None,
        incoming=_text(found.get(_IIFNAME)),
        outgoing=_text(found.get(_OIFNAME)),
        # A mask without a mark selects those whose mark is 0 there.
        mark=mark or 0 if mark or mask else None,
        mask=_ALL if mask is None else mask,
        inverted=bool(flags & _INVERT),
        other=", ".join(others),
        goto=_number(found.get(_GOTO)),
        suppress_prefixlength=_unless_all(_number(found.get(_SUPPRESS_PREFIXLEN))),
        suppress_ifgroup=_unless_all(_number(found.get(_SUPPRESS_IFGROUP))),
        protocol=(protocol[0] or None) if protocol else None,
        source_ports=_range("=HH", found.get(_SPORT_RANGE)),
        destination_ports=_range("=HH", found.get(_DPORT_RANGE)),
        uids=uids if knows_uids else None,
        # The DSCP is the upper six bits of that octet (RFC 2474, 3).
        tos=tos or found.get(_DSCP, b"\0")[0] << 2,
        l3mdev=any(found.get(_L3MDEV, b"")),
    )


def _subnet(family: int, address: bytes, length: int) -> Subnet:
    kind = ipaddress.IPv4Network if family == socket.AF_INET else ipaddress.IPv6Network
    return kind((address, length), strict=False)


def _number(data: bytes | None) -> int | None:
    return None if data is None else int(struct.unpack("=I", data[:4])[0])


def _unless_all(value: int | None) -> int | None:
    """A number that the kernel keeps as -1 where there is none."""
    return None if value == _ALL else value


def _range(form: str, data: bytes | None) -> NumberRange | None:
    """The first and the last number; the kernel tells 0 to 0 for ports that are not selected by."""
    if data is None or len(data) < struct.calcsize(form):
        return None
    first, last = struct.unpack_from(form, data)
    return NumberRange(first, last) if form == "=II" or last else None


def _text(data: bytes | None) -> str | None:
    """A name, whatever bytes whoever gave it put in; None where there is none."""
    return (data or b"").rstrip(b"\0").decode(errors="replace") or None


def _words(data: bytes) -> str:
    """The value of an attribute that is not modelled."""
    form = {8: "=Q", 4: "=I", 2: "=H", 1: "=B"}.get(len(data))
    return data.hex() if form is None else str(struct.unpack(form, data)[0])
