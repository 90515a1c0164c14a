"""The fields of a packet that a rule's matches look at. Pure.

A match holds, does not hold, or it is not known (None) whether it holds.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from testbed.evidence import Field, Match, Namespace
from testbed.model import Address
from testbed.predict import routing
from testbed.predict.packet import Ends, Packet

#: What a port that is not known may be (ip(7), ip_local_port_range, the default).
_EPHEMERAL: Final = (32768, 60999)
_WITH_PORTS: Final = frozenset({"tcp", "udp"})
_WITH_TYPES: Final = frozenset({"icmp", "icmpv6"})
_TRANSLATED: Final = frozenset({"dnat", "snat"})
#: Bits of the status of a connection that no packet has answered yet (include/uapi/linux/netfilter/
#: nf_conntrack_common.h) does not have; none of ours is expected.
_NOT_YET: Final = frozenset({"seen-reply", "assured", "expected"})


def at_once(matches: Iterable[Match], packet: Packet, here: Namespace | None) -> bool | None:
    """Tell if all matches hold at once, negated ones included; None where that is not known.

    :param here: the namespace whose routes tell the types of addresses and the way back; None where they are not known
    """
    known: bool | None = True
    for match in matches:
        found = _MATCHERS[match.field](match, packet, here)
        if found is None:
            known = None
        elif found is match.negated:
            return False
    return known


def _any(results: Iterable[bool | None]) -> bool | None:
    """Tell if one of several holds."""
    known: bool | None = False
    for result in results:
        if result:
            return True
        if result is None:
            known = None
    return known


# --- names and addresses ----------------------------------------------------------------------------------------------


def _interface(values: tuple[str, ...], name: str | None) -> bool | None:
    if name is None:
        return True if "+" in values else None
    return any(name.startswith(value[:-1]) if value.endswith("+") else name == value for value in values)


def _is_within(values: tuple[str, ...], address: Address) -> bool:
    number, version = int(address), address.version
    return any(first <= number <= last for of, first, last in _address_ranges(values) if of == version)


@functools.lru_cache(maxsize=4096)
def _address_ranges(values: tuple[str, ...]) -> tuple[tuple[int, int, int], ...]:
    """Family, first and last address of each."""
    found = []
    for value in values:
        first, dash, last = value.partition("-")
        if dash:
            ends = ipaddress.ip_address(first), ipaddress.ip_address(last)
            found.append((ends[0].version, int(ends[0]), int(ends[1])))
        else:
            subnet = ipaddress.ip_network(value, strict=False)
            found.append((subnet.version, int(subnet.network_address), int(subnet.broadcast_address)))
    return tuple(found)


def _type(values: tuple[str, ...], kind: str, address: Address, here: Namespace | None) -> bool | None:
    found = kind or (routing.address_type(here, address) if here is not None else "")
    return found in values if found else None


def _reverse_path(match: Match, packet: Packet, here: Namespace | None) -> bool | None:
    """Tell if there is a way back to the source (net/ipv4/netfilter/nft_fib_ipv4.c, ipt_rpfilter.c)."""
    if packet.iif == "lo":
        return True
    if here is None or packet.iif is None:
        return None
    (value,) = match.values
    how = value.split()
    back = routing.choose(here, packet.source, mark=packet.mark if "mark" in how else 0)
    if back.unmodelled:
        return None
    if str(back.kind) != "unicast":
        return False
    if "loose" in how:
        return True
    return None if back.link is None else back.link.name == packet.iif


def _family(match: Match, packet: Packet) -> bool:
    return ("arp" if packet.protocol == "arp" else str(packet.destination.version)) in match.values


# --- ports, numbers and bits ------------------------------------------------------------------------------------------


def _port(values: tuple[str, ...], port: int | None, packet: Packet) -> bool | None:
    if packet.protocol not in _WITH_PORTS:
        return None
    ranges = _ranges(values)
    if port is not None:
        return any(first <= port <= last for first, last in ranges)
    lowest, highest = _EPHEMERAL
    if any(first <= lowest and highest <= last for first, last in ranges):
        return True
    return None if any(first <= highest and lowest <= last for first, last in ranges) else False


def _either_port(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    return _any(_port(match.values, port, packet) for port in (packet.source_port, packet.destination_port))


@functools.lru_cache(maxsize=4096)
def _ranges(values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    ends = [value.partition("-") for value in values]
    return tuple((int(first), int(last or first)) for first, _, last in ends)


def _icmp_type(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    if packet.protocol not in _WITH_TYPES or packet.icmp_type is None:
        return None
    wanted = [value.partition("/") for value in match.values]
    return _any(
        _is_code(code, packet) if slash else True for kind, slash, code in wanted if int(kind) == packet.icmp_type
    )


def _is_code(code: str, packet: Packet) -> bool | None:
    return None if packet.icmp_code is None else int(code) == packet.icmp_code


def _number(values: tuple[str, ...], number: int | None) -> bool | None:
    return None if number is None else any(first <= number <= last for first, last in _ranges(values))


def _mark(values: tuple[str, ...], mark: int) -> bool:
    return any(mark & mask == value for value, mask in _mark_values(values))


@functools.lru_cache(maxsize=1024)
def _mark_values(values: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    pairs = [value.partition("/") for value in values]
    return tuple((int(value, 16), int(mask, 16)) for value, _, mask in pairs)


def _tcp_flags(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    if packet.protocol != "tcp":
        return None
    return any(packet.flags & mask == wanted for wanted, mask in _flag_sets(match.values))


@functools.lru_cache(maxsize=256)
def _flag_sets(values: tuple[str, ...]) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    pairs = [value.partition("/") for value in values]
    return tuple((_flag_set(wanted), _flag_set(mask)) for wanted, _, mask in pairs)


def _flag_set(text: str) -> frozenset[str]:
    return frozenset(name for name in text.split(",") if name)


# --- conntrack --------------------------------------------------------------------------------------------------------


def _state(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    return packet.state in match.values if packet.state else None


def _status(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    """The translations of a connection are known, and of one that nobody has answered yet what it has not."""
    if packet.status.intersection(match.values) or (packet.state == "established" and "seen-reply" in match.values):
        return True
    known = _TRANSLATED | _NOT_YET if packet.state == "new" else _TRANSLATED
    return False if known.issuperset(match.values) else None


def _original(packet: Packet) -> Ends:
    return packet.original or (_turned(packet.ends) if packet.reply else packet.ends)


def _replied(packet: Packet) -> Ends:
    return packet.replied or (packet.ends if packet.reply else _turned(packet.ends))


def _turned(ends: Ends) -> Ends:
    return Ends(ends.destination, ends.source, ends.destination_port, ends.source_port)


# --- the socket, the bridge, and several fields at once ---------------------------------------------------------------


def _user(match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    """Without a socket nobody is the owner (net/netfilter/xt_owner.c, nft_meta.c)."""
    if not packet.socket:
        return False
    return _number(match.values, packet.user)


def _group(_match: Match, packet: Packet, _here: Namespace | None) -> bool | None:
    return None if packet.socket else False


def _bridged(_match: Match, packet: Packet, _here: Namespace | None) -> bool:
    return packet.port_out != ""


def _concatenation(match: Match, packet: Packet, here: Namespace | None) -> bool | None:
    rows = _rows(match.fields, match.values)
    return _any(at_once(row, packet, here) for row in rows)


@functools.lru_cache(maxsize=1024)
def _rows(fields: tuple[Field, ...], values: tuple[str, ...]) -> tuple[tuple[Match, ...], ...]:
    return tuple(
        tuple(Match(field, (part,)) for field, part in zip(fields, value.split(" . "), strict=True)) for value in values
    )


def without_conntrack(packet: Packet) -> Packet:
    """The packet as rules before conntrack's hook see it: none has a state yet but what comes by lo, or is untracked.

    To a rule a packet without a connection is invalid (net/netfilter/nft_ct.c, xt_conntrack.c).
    """
    if packet.iif == "lo" or not packet.tracked:
        return packet
    return replace(packet, state="invalid")


_Matcher = Callable[[Match, Packet, Namespace | None], bool | None]
_MATCHERS: Final[dict[Field, _Matcher]] = {
    Field.IIF: lambda match, packet, here: _interface(match.values, packet.iif),
    Field.OIF: lambda match, packet, here: _interface(match.values, packet.oif),
    Field.SOURCE: lambda match, packet, here: _is_within(match.values, packet.source),
    Field.DESTINATION: lambda match, packet, here: _is_within(match.values, packet.destination),
    Field.PROTOCOL: lambda match, packet, here: packet.protocol in match.values,
    Field.FAMILY: lambda match, packet, here: _family(match, packet),
    Field.SOURCE_PORT: lambda match, packet, here: _port(match.values, packet.source_port, packet),
    Field.DESTINATION_PORT: lambda match, packet, here: _port(match.values, packet.destination_port, packet),
    Field.EITHER_PORT: _either_port,
    Field.ICMP_TYPE: _icmp_type,
    Field.ICMP_CODE: lambda match, packet, here: (
        _number(match.values, packet.icmp_code) if packet.protocol in _WITH_TYPES else None
    ),
    Field.HOP_LIMIT: lambda match, packet, here: _number(match.values, packet.hop_limit),
    Field.STATE: _state,
    Field.STATUS: _status,
    Field.DIRECTION: lambda match, packet, here: ("reply" if packet.reply else "original") in match.values,
    Field.ORIGINAL_SOURCE: lambda match, packet, here: _is_within(match.values, _original(packet).source),
    Field.ORIGINAL_DESTINATION: lambda match, packet, here: _is_within(match.values, _original(packet).destination),
    Field.ORIGINAL_SOURCE_PORT: lambda match, packet, here: _port(match.values, _original(packet).source_port, packet),
    Field.ORIGINAL_DESTINATION_PORT: lambda match, packet, here: _port(
        match.values, _original(packet).destination_port, packet
    ),
    Field.REPLY_SOURCE: lambda match, packet, here: _is_within(match.values, _replied(packet).source),
    Field.REPLY_DESTINATION: lambda match, packet, here: _is_within(match.values, _replied(packet).destination),
    Field.REPLY_SOURCE_PORT: lambda match, packet, here: _port(match.values, _replied(packet).source_port, packet),
    Field.REPLY_DESTINATION_PORT: lambda match, packet, here: _port(
        match.values, _replied(packet).destination_port, packet
    ),
    Field.MARK: lambda match, packet, here: _mark(match.values, packet.mark),
    Field.CONNTRACK_MARK: lambda match, packet, here: _mark(match.values, packet.conntrack_mark),
    Field.DESTINATION_TYPE: lambda match, packet, here: _type(
        match.values, packet.destination_type, packet.destination, here
    ),
    Field.SOURCE_TYPE: lambda match, packet, here: _type(match.values, packet.source_type, packet.source, here),
    Field.TCP_FLAGS: _tcp_flags,
    Field.REVERSE_PATH: _reverse_path,
    Field.USER: _user,
    Field.GROUP: _group,
    Field.SOCKET: lambda match, packet, here: packet.socket,
    Field.PACKET_TYPE: lambda match, packet, here: "unicast" in match.values,
    Field.FRAGMENT: lambda match, packet, here: False,
    Field.EXTENSION_HEADER: lambda match, packet, here: False,
    Field.IPSEC: lambda match, packet, here: "none" in match.values,
    Field.BRIDGE_PORT_IN: lambda match, packet, here: _interface(match.values, packet.port_in),
    Field.BRIDGE_PORT_OUT: lambda match, packet, here: _interface(match.values, packet.port_out),
    Field.BRIDGED: _bridged,
    Field.BRIDGE_IN: lambda match, packet, here: _interface(match.values, packet.bridge),
    Field.BRIDGE_OUT: lambda match, packet, here: _interface(match.values, packet.bridge),
    Field.CONCATENATION: _concatenation,
    Field.UNKNOWN: lambda match, packet, here: None,
}
