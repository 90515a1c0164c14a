"""Interfaces, addresses, routes, rules, neighbours and bridges of a network namespace (rtnetlink(7)).

The numbers are those of include/uapi/linux: rtnetlink.h, if_link.h, if_addr.h, fib_rules.h, neighbour.h.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from testbed.evidence import (
    FdbEntry,
    Link,
    LinkAddress,
    Neighbour,
    Nexthop,
    PolicyRule,
    Route,
    RouteKind,
    Subnet,
)
from testbed.model import Address
from testbed.namespaces import NetworkNamespace
from testbed.namespaces.owner import is_of_our_user_namespace
from testbed.readers.netlink import Netlink, attribute, attributes
from testbed.readers.policy_rules import policy_rule
from testbed.readers.reader import STACKED, Reader, Reading

T = TypeVar("T")

#: Of each kind of row; a router on the Internet has a million routes.
MOST: Final = 20_000
_AF_BRIDGE: Final = 7
_GETLINK: Final = 18
_GETADDR: Final = 22
_GETROUTE: Final = 26
_GETNEIGH: Final = 30
_GETRULE: Final = 34
_GETNSID: Final = 90
_IFINFOMSG: Final = struct.Struct("=BxHiI4x")
_IFADDRMSG: Final = struct.Struct("=BBBBi")
#: struct rtmsg: family, length of destination and source, TOS, table, two more, type, flags.
_RTMSG: Final = struct.Struct("=BBBBBxxBI")
_RTNEXTHOP: Final = struct.Struct("=HBBi")
_NDMSG: Final = struct.Struct("=B3xiHBB")
_RTGENMSG: Final = bytes(4)

_ARPHRD_LOOPBACK: Final = 772
_SKIP_STATS: Final = attribute(29, struct.pack("=I", 1 << 3))  # IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS
_IFF_UP: Final = 1
_IFF_LOWER_UP: Final = 1 << 16
#: IFA_F_DADFAILED and IFA_F_TENTATIVE; with IFA_F_OPTIMISTIC it may be used all the same (RFC 4429).
_DAD_FAILED: Final = 0x08
_TENTATIVE: Final = 0x40
_OPTIMISTIC: Final = 0x04
#: MACVLAN_MODE_... (include/uapi/linux/if_link.h)
_MACVLAN_MODES: Final = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
_MACVLANS: Final = frozenset({"macvlan", "macvtap"})
#: IFLA_LINK is the other end of the first one, and the interface below the others.
_WITH_PEER: Final = frozenset({"veth", *STACKED})
_SCOPES: Final = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_KINDS: Final = {
    1: RouteKind.UNICAST,
    2: RouteKind.LOCAL,
    3: RouteKind.BROADCAST,
    4: RouteKind.ANYCAST,
    5: RouteKind.MULTICAST,
    6: RouteKind.BLACKHOLE,
    7: RouteKind.UNREACHABLE,
    8: RouteKind.PROHIBIT,
    9: RouteKind.THROW,
}
#: In the order in which one that has several is called.
_STATES: Final = {
    0x80: "permanent",
    0x40: "noarp",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x01: "incomplete",
}


@dataclass(frozen=True, slots=True)
class Links:
    """What rtnetlink tells of a namespace. Peers are not known yet: their namespaces are told by numbers of its own."""

    links: tuple[Link, ...]
    peers: Mapping[int, tuple[int | None, int]]
    """See :attr:`testbed.readers.reader.Reading.peers`."""
    addresses: tuple[LinkAddress, ...]
    routes: tuple[Route, ...]
    policy_rules: tuple[PolicyRule, ...]
    neighbours: tuple[Neighbour, ...]
    fdb: tuple[FdbEntry, ...]
    missing: tuple[str, ...]


def read_links() -> Links:
    """Read the calling thread's namespace.

    :raises OSError: the kernel refused
    """
    missing: list[str] = []
    with Netlink(socket.NETLINK_ROUTE) as asking:

        def rows(what: str, kind: int, body: bytes, row: Callable[[bytes], Iterator[T]]) -> tuple[T, ...]:
            found = list(itertools.islice(asking.dump(kind, body), MOST + 1))
            if len(found) > MOST:
                missing.append(f"only the first {MOST} {what} are here")
            return tuple(itertools.chain.from_iterable(map(row, found[:MOST])))

        def of_both_families(what: str, kind: int, row: Callable[[bytes], Iterator[T]]) -> tuple[T, ...]:
            four, six = (_RTMSG.pack(family, *[0] * 6) for family in (socket.AF_INET, socket.AF_INET6))
            return (*rows(what, kind, four, row), *rows(what, kind, six, row))

        links = rows("interfaces", _GETLINK, bytes(_IFINFOMSG.size) + _SKIP_STATS, _link)
        fdb = _NDMSG.pack(_AF_BRIDGE, 0, 0, 0, 0) if any(link.kind == "bridge" for link, _ in links) else b""
        return Links(
            tuple(link for link, _ in links),
            {link.index: peer for link, peer in links if peer is not None},
            rows("addresses", _GETADDR, bytes(_IFADDRMSG.size), _address),
            of_both_families("routes", _GETROUTE, _route),
            of_both_families("policy rules", _GETRULE, partial(policy_rule, knows_uids=is_of_our_user_namespace())),
            rows("neighbours", _GETNEIGH, bytes(_NDMSG.size), _neighbour),
            rows("entries of bridges", _GETNEIGH, fdb, _fdb_entry) if fdb else (),
            tuple(missing),
        )


def _reading(net: NetworkNamespace) -> Reading:
    found = net.run(read_links)
    return Reading(
        {
            "links": found.links,
            "addresses": found.addresses,
            "routes": found.routes,
            "policy_rules": found.policy_rules,
            "neighbours": found.neighbours,
            "fdb": found.fdb,
        },
        found.missing,
        found.peers,
    )


#: Without interfaces and routes nothing can be said of a namespace.
READER: Final = Reader(
    "the links", ("links", "addresses", "routes", "policy_rules", "neighbours", "fdb"), _reading, essential=True
)


def numbers_of(namespaces: Mapping[str, int]) -> dict[int, str]:
    """The keys of other namespaces by the calling thread's namespace's numbers for them (RTM_GETNSID).

    Asking gives no number to a namespace that has none yet.

    :param namespaces: an open file of each, by its key
    :raises OSError: the kernel refused
    """
    number_of, file_of = 1, 3  # NETNSA_NSID and NETNSA_FD
    found = {}
    with Netlink(socket.NETLINK_ROUTE) as asking:
        for key, fd in namespaces.items():
            answer = asking.ask(_GETNSID, _RTGENMSG + attribute(file_of, struct.pack("=I", fd)))
            (number,) = struct.unpack("=i", attributes(answer[len(_RTGENMSG) :])[number_of])
            if number >= 0:  # -1: it has none here (NETNSA_NSID_NOT_ASSIGNED)
                found[number] = key
    return found


def _link(message: bytes) -> Iterator[tuple[Link, tuple[int | None, int] | None]]:
    """An interface, and of a veth or a macvlan the number of its peer's or parent's namespace and the ifindex there."""
    _, hardware, index, flags = _IFINFOMSG.unpack_from(message)
    found = attributes(message[_IFINFOMSG.size :])
    info = attributes(found.get(18, b""))  # IFLA_LINKINFO: kind 1, data 2, slave kind 4, slave data 5
    kind = _text(info.get(1)) or ("loopback" if hardware == _ARPHRD_LOOPBACK else "")
    port = attributes(info.get(5, b"")) if _text(info.get(4)) == "bridge" else {}
    data = attributes(info.get(2, b""))
    link = Link(
        index=index,
        name=_text(found.get(3)),
        kind=kind,
        mac=found.get(1, b"").hex(":"),
        mtu=_number(found.get(4)) or 0,
        up=bool(flags & _IFF_UP),
        carrier=bool(flags & _IFF_LOWER_UP),
        master=_number(found.get(10)),
        isolated=any(port.get(33, b"")),  # IFLA_BRPORT_ISOLATED
        hairpin=any(port.get(4, b"")),  # IFLA_BRPORT_MODE
        vlan_filtering=kind == "bridge" and any(data.get(7, b"")),  # IFLA_BR_VLAN_FILTERING
        mode=_MACVLAN_MODES.get(_number(data.get(1)) or 0, "") if kind in _MACVLANS else "",  # IFLA_MACVLAN_MODE
        group=_number(found.get(27)) or 0,  # IFLA_GROUP
    )
    there = _number(found.get(5)) if kind in _WITH_PEER else None  # IFLA_LINK
    yield link, None if there is None else (_number(found.get(37)), there)  # IFLA_LINK_NETNSID


def _address(message: bytes) -> Iterator[LinkAddress]:
    _, length, flags, scope, index = _IFADDRMSG.unpack_from(message)
    found = attributes(message[_IFADDRMSG.size :])
    # IFA_ADDRESS (1) is the other end's on a point-to-point link; IFA_LOCAL (2) is missing for IPv6 (ip-address(8)).
    own = found.get(2) or found.get(1)
    if own is not None:
        flags = _number(found.get(8)) or flags
        duplicate = bool(flags & _DAD_FAILED)
        usable = not duplicate and (not flags & _TENTATIVE or bool(flags & _OPTIMISTIC))
        address = ipaddress.ip_interface(f"{ipaddress.ip_address(own)}/{length}")
        yield LinkAddress(index, address, _SCOPES.get(scope, str(scope)), usable, duplicate)


def _route(message: bytes) -> Iterator[Route]:
    family, length, _, _, table, kind, _ = _RTMSG.unpack_from(message)
    found = attributes(message[_RTMSG.size :])
    if kind not in _KINDS:
        return
    hops = tuple(_nexthops(found.get(9, b"")))  # RTA_MULTIPATH
    one = hops[0] if hops else _nexthop(_number(found.get(4)), found)  # RTA_OIF
    yield Route(
        table=_number(found.get(15)) or table,
        kind=_KINDS[kind],
        destination=_subnet(family, found.get(1), length),
        link=one.link,
        gateway=one.gateway,
        source=_ip(found.get(7)),
        metric=_number(found.get(6)) or 0,
        mtu=_number(attributes(found.get(8, b"")).get(2)),  # RTAX_MTU
        multipath=len(hops) > 1,
        nexthops=hops if len(hops) > 1 else (),
    )


def _nexthops(data: bytes) -> Iterator[Nexthop]:
    """Those of a route with several (struct rtnexthop, include/uapi/linux/rtnetlink.h)."""
    while len(data) >= _RTNEXTHOP.size:
        length, _, weight, link = _RTNEXTHOP.unpack_from(data)
        if length < _RTNEXTHOP.size:
            return
        yield _nexthop(link, attributes(data[_RTNEXTHOP.size : length]), weight + 1)
        data = data[(length + 3) & ~3 :]


def _nexthop(link: int | None, found: Mapping[int, bytes], weight: int = 1) -> Nexthop:
    via = found.get(18)  # RTA_VIA: a family, and an address of it
    return Nexthop(link, _ip(via[2:] if via else found.get(5)), weight)


def _neighbour(message: bytes) -> Iterator[Neighbour]:
    family, link, state, _, _ = _NDMSG.unpack_from(message)
    found = attributes(message[_NDMSG.size :])
    address = _ip(found.get(1)) if family in (socket.AF_INET, socket.AF_INET6) else None
    # A group's MAC address is computed, not asked for (RFC 1112, 6.4); ip-neighbour(8) does not show those either.
    if address is not None and not address.is_multicast:
        yield Neighbour(link, address, found[2].hex(":") if found.get(2) else None, _state(state))


def _fdb_entry(message: bytes) -> Iterator[FdbEntry]:
    _, link, state, _, _ = _NDMSG.unpack_from(message)
    found = attributes(message[_NDMSG.size :])
    # Those without NDA_MASTER (9) are the filters of the devices themselves, which bridge(8) shows as "self".
    if 9 in found and found.get(2):  # noqa: PLR2004
        word = _state(state)
        # What ip-neighbour(8) calls noarp, bridge(8) calls static.
        yield FdbEntry(link, found[2].hex(":"), "static" if word == "noarp" else word)


def _state(bits: int) -> str:
    return next((name for bit, name in _STATES.items() if bits & bit), "none")


def _subnet(family: int, address: bytes | None, length: int) -> Subnet:
    any_ = bytes(4 if family == socket.AF_INET else 16)
    return ipaddress.ip_network((address or any_, length), strict=False)


def _ip(data: bytes | None) -> Address | None:
    return ipaddress.ip_address(data) if data else None


def _number(data: bytes | None) -> int | None:
    return None if data is None else int(struct.unpack("=i", data[:4])[0])


def _text(data: bytes | None) -> str:
    """A name, whatever bytes whoever gave it put in."""
    return (data or b"").rstrip(b"\0").decode(errors="replace")
