"""The field that each expression of nft looks at (nft(8), EXPRESSIONS), by its form in JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from testbed.evidence import Field

#: The families whose names payloads of addresses have.
OF_FAMILY: Final = {"ip": "4", "ip6": "6"}
_PAYLOADS: Final = {
    "saddr": Field.SOURCE,
    "daddr": Field.DESTINATION,
    "protocol": Field.PROTOCOL,
    "nexthdr": Field.PROTOCOL,
    "sport": Field.SOURCE_PORT,
    "dport": Field.DESTINATION_PORT,
}
_WITH_PORTS: Final = frozenset({"tcp", "udp", "th"})
_META: Final = {
    "iif": Field.IIF,
    "iifname": Field.IIF,
    "oif": Field.OIF,
    "oifname": Field.OIF,
    "l4proto": Field.PROTOCOL,
    "nfproto": Field.FAMILY,
    "protocol": Field.FAMILY,
    "mark": Field.MARK,
    "skuid": Field.USER,
    "skgid": Field.GROUP,
    "pkttype": Field.PACKET_TYPE,
    "ibrname": Field.BRIDGE_IN,
    "obrname": Field.BRIDGE_OUT,
    "ibrport": Field.BRIDGE_IN,
    "obrport": Field.BRIDGE_OUT,
}
#: Payloads whose names mean something else in each protocol.
_OF_ONE_PROTOCOL: Final = {
    ("ether", "type"): Field.FAMILY,
    ("icmp", "type"): Field.ICMP_TYPE,
    ("icmp", "code"): Field.ICMP_CODE,
    ("icmpv6", "type"): Field.ICMP_TYPE,
    ("icmpv6", "code"): Field.ICMP_CODE,
    ("ip", "ttl"): Field.HOP_LIMIT,
    ("ip6", "hoplimit"): Field.HOP_LIMIT,
    ("arp", "saddr ip"): Field.SOURCE,
    ("arp", "daddr ip"): Field.DESTINATION,
}
_CONNTRACK: Final = {
    "state": Field.STATE,
    "status": Field.STATUS,
    "mark": Field.CONNTRACK_MARK,
    "direction": Field.DIRECTION,
    "protocol": Field.PROTOCOL,
    "l3proto": Field.FAMILY,
}
_OF_TUPLE: Final = {
    ("original", "saddr"): Field.ORIGINAL_SOURCE,
    ("original", "daddr"): Field.ORIGINAL_DESTINATION,
    ("original", "proto-src"): Field.ORIGINAL_SOURCE_PORT,
    ("original", "proto-dst"): Field.ORIGINAL_DESTINATION_PORT,
    ("reply", "saddr"): Field.REPLY_SOURCE,
    ("reply", "daddr"): Field.REPLY_DESTINATION,
    ("reply", "proto-src"): Field.REPLY_SOURCE_PORT,
    ("reply", "proto-dst"): Field.REPLY_DESTINATION_PORT,
}
_TYPES: Final = {"saddr": Field.SOURCE_TYPE, "daddr": Field.DESTINATION_TYPE}


def field_of(left: Mapping[str, Any]) -> Field:
    """The field that is looked at.

    :raises KeyError: it is not modelled
    """
    match left:
        case {"payload": {"protocol": protocol, "field": name}} if (protocol, name) in _OF_ONE_PROTOCOL:
            return _OF_ONE_PROTOCOL[protocol, name]
        case {"payload": {"protocol": protocol, "field": name}}:
            if name in ("sport", "dport") and protocol not in _WITH_PORTS:
                raise KeyError(protocol)
            if name not in ("sport", "dport") and protocol not in OF_FAMILY:
                raise KeyError(protocol)
            return _PAYLOADS[name]
        case {"meta": {"key": key}}:
            return _META[key]
        case {"ct": {"key": key, **rest}} if not rest:
            return _CONNTRACK[key]
        case {"ct": {"key": str(key), "dir": direction}}:
            return _OF_TUPLE[direction, key.rpartition(" ")[2]]
        case {"fib": {"result": "type", "flags": [source] | str(source)}}:
            return _TYPES[source]
        case _:
            raise KeyError(str(left))
