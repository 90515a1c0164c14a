"""The values that nft compares a field with, in the notation of :class:`testbed.evidence.Field`. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from testbed.evidence import Field

_ALL_BITS: Final = 0xFFFF_FFFF
_PROTOCOLS: Final = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6"}
_FAMILY_WORDS: Final = {"ipv4": "4", "ip": "4", "ipv6": "6", "ip6": "6", "arp": "arp"}
#: nft's names of ICMP's types and codes (nftables, src/proto.c and src/datatype.c).
_ICMP_TYPES: Final = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
_ICMPV6_TYPES: Final = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}
_ICMP_CODES: Final = {
    "net-unreachable": 0,
    "host-unreachable": 1,
    "prot-unreachable": 2,
    "port-unreachable": 3,
    "net-prohibited": 9,
    "host-prohibited": 10,
    "admin-prohibited": 13,
    "frag-needed": 4,
}
_ICMPV6_CODES: Final = {
    "no-route": 0,
    "admin-prohibited": 1,
    "addr-unreachable": 3,
    "port-unreachable": 4,
    "policy-fail": 5,
    "reject-route": 6,
}
_ICMP_NAMES: Final = {
    ("icmp", "type"): _ICMP_TYPES,
    ("icmp", "code"): _ICMP_CODES,
    ("icmpv6", "type"): _ICMPV6_TYPES,
    ("icmpv6", "code"): _ICMPV6_CODES,
}


def reader_of(left: Mapping[str, Any], looks_at: Field) -> Callable[[Any], str]:
    """The reader of what a field is compared with; ICMP's names are of the protocol."""
    payload = left.get("payload", {})
    names = _ICMP_NAMES.get((payload.get("protocol"), payload.get("field")))
    if names is None:
        return _READERS[looks_at]
    return lambda value: str(names[value]) if value in names else str(int(value))


def _read_address(value: Any) -> str:
    match value:
        case {"prefix": {"addr": address, "len": length}}:
            return str(ipaddress.ip_network(f"{address}/{length}", strict=False))
        case {"range": [first, last]}:
            return f"{ipaddress.ip_address(first)}-{ipaddress.ip_address(last)}"
        case str():
            return str(ipaddress.ip_address(value))
        case _:
            raise ValueError(value)


def _read_number(value: Any) -> str:
    match value:
        case {"range": [first, last]}:
            return f"{int(first)}-{int(last)}"
        case int() | str():
            return str(int(value))
        case _:
            raise ValueError(value)


def _read_protocol(value: Any) -> str:
    if not isinstance(value, (str, int)):
        raise TypeError(value)
    return _PROTOCOLS.get(str(value), str(value))


def _read_interface(value: Any) -> str:
    """A trailing ``*`` stands for any end here; a trailing ``+`` is part of the name, which ours could not be told."""
    if not isinstance(value, str) or value.endswith(("+", "\\*")):
        raise ValueError(value)
    return f"{value[:-1]}+" if value.endswith("*") else value


def _read_family(value: Any) -> str:
    return _FAMILY_WORDS[value]


def _read_word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _read_packet_type(value: Any) -> str:
    return {"host": "unicast", "unicast": "unicast", "broadcast": "broadcast", "multicast": "multicast"}[value]


def _read_mark(value: Any) -> str:
    return f"{int(value):#x}/{_ALL_BITS:#x}"


_READERS: Final[dict[Field, Callable[[Any], str]]] = {
    Field.SOURCE: _read_address,
    Field.DESTINATION: _read_address,
    Field.SOURCE_PORT: _read_number,
    Field.DESTINATION_PORT: _read_number,
    Field.PROTOCOL: _read_protocol,
    Field.IIF: _read_interface,
    Field.OIF: _read_interface,
    Field.FAMILY: _read_family,
    Field.STATE: _read_word,
    Field.STATUS: _read_word,
    Field.SOURCE_TYPE: _read_word,
    Field.DESTINATION_TYPE: _read_word,
    Field.DIRECTION: _read_word,
    Field.ORIGINAL_SOURCE: _read_address,
    Field.ORIGINAL_DESTINATION: _read_address,
    Field.ORIGINAL_SOURCE_PORT: _read_number,
    Field.ORIGINAL_DESTINATION_PORT: _read_number,
    Field.REPLY_SOURCE: _read_address,
    Field.REPLY_DESTINATION: _read_address,
    Field.REPLY_SOURCE_PORT: _read_number,
    Field.REPLY_DESTINATION_PORT: _read_number,
    Field.USER: _read_number,
    Field.GROUP: _read_number,
    Field.HOP_LIMIT: _read_number,
    Field.PACKET_TYPE: _read_packet_type,
    Field.BRIDGE_IN: _read_interface,
    Field.BRIDGE_OUT: _read_interface,
    Field.MARK: _read_mark,
    Field.CONNTRACK_MARK: _read_mark,
}
