"""The policies of IPsec of a network namespace, as ip-xfrm(8) shows them (include/uapi/linux/xfrm.h)."""

from __future__ import annotations

import errno
import ipaddress
import itertools
import socket
import struct
from collections.abc import Iterator
from typing import Final

from testbed.evidence import IpsecDemand, IpsecDirection, IpsecPolicy
from testbed.evidence.ipsec import Selected
from testbed.readers.netlink import Netlink, attributes
from testbed.readers.reader import of_rows

#: How many are kept.
MOST: Final = 20_000
_NETLINK_XFRM: Final = 6
_GETPOLICY: Final = 0x15
#: struct xfrm_userpolicy_info: of its selector the addresses, the family, their lengths and the protocol; the priority,
#: the direction and the action.
_INFO: Final = struct.Struct("=16s16s8xHBBB11x96xI4xBB2x4x")
_TEMPLATES: Final = 5  # XFRMA_TMPL
#: XFRM_POLICY_...; those above are of single sockets.
_DIRECTIONS: Final = {0: IpsecDirection.IN, 1: IpsecDirection.OUT, 2: IpsecDirection.FORWARD}


def read_policies() -> tuple[tuple[IpsecPolicy, ...], tuple[str, ...]]:
    """Those of the calling thread's namespace; none where the kernel has no IPsec.

    :raises OSError: the kernel refused
    """
    try:
        with Netlink(_NETLINK_XFRM) as asking:
            rows = itertools.islice(asking.dump(_GETPOLICY, bytes(4)), MOST)
            return tuple(itertools.chain.from_iterable(map(_policy, rows))), ()
    except OSError as exc:
        if exc.errno in (errno.EPROTONOSUPPORT, errno.EOPNOTSUPP):
            return (), ()
        raise


READER: Final = of_rows("the policies of IPsec", "ipsec", read_policies)


def _policy(message: bytes) -> Iterator[IpsecPolicy]:
    to, source, family, to_length, from_length, protocol, priority, direction, action = _INFO.unpack_from(message)
    if direction not in _DIRECTIONS:
        return
    asks = IpsecDemand.TRANSFORM if _TEMPLATES in attributes(message[_INFO.size :]) else IpsecDemand.NOTHING
    yield IpsecPolicy(
        _DIRECTIONS[direction],
        _subnet(family, source, from_length),
        _subnet(family, to, to_length),
        IpsecDemand.BLOCK if action else asks,
        priority,
        protocol,
    )


def _subnet(family: int, address: bytes, length: int) -> Selected:
    if family == socket.AF_INET6:
        return ipaddress.IPv6Network((address, length), strict=False)
    return ipaddress.IPv4Network((address[:4], length), strict=False)
