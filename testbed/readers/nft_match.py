"""One match of ``nft -j``, as matches of ours. Pure.

A match of nft's brings conditions of its own: ``tcp dport`` looks at TCP only, ``ip saddr`` at IPv4 (nft(8), PAYLOAD
EXPRESSIONS).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from testbed.evidence import Field, Match
from testbed.readers.nft_words import step_text

#: The elements of a named set of the rule's own table; None where there is no such set.
Named = Callable[[str], list[Any] | None]

_ALL_BITS: Final = 0xFFFF_FFFF
_LAST_PORT: Final = 65535
_PROTOCOLS: Final = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6"}
_FLAGS: Final = "fin,syn,rst,psh,ack,urg,ecn,cwr"
_FAMILY_WORDS: Final = {"ipv4": "4", "ip": "4", "ipv6": "6", "ip6": "6"}
#: What a payload of each protocol is of.
_OF_FAMILY: Final = {"ip": "4", "ip6": "6"}
_OF_PROTOCOL: Final = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6", "sctp": "sctp", "dccp": "dccp"}
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
}
_CONNTRACK: Final = {"state": Field.STATE, "status": Field.STATUS, "mark": Field.CONNTRACK_MARK}
_TYPES: Final = {"saddr": Field.SOURCE_TYPE, "daddr": Field.DESTINATION_TYPE}
#: Fields of bits, of which ``in`` means any and ``!`` none.
_BIT_FIELDS: Final = frozenset({Field.STATE, Field.STATUS})


@dataclass(frozen=True, slots=True)
class Sets:
    """All named sets and maps of a ruleset, by family, table and name."""

    by_name: Mapping[tuple[str, str, str], list[Any]]

    def of(self, family: str, table: str, name: str) -> list[Any] | None:
        """The elements of one; None where there is none of that name."""
        return self.by_name.get((family, table, name))


def elements(declared: Mapping[str, Any]) -> list[Any]:
    """The elements of a set, or the pairs of a map, as it is declared."""
    found = declared.get("elem", [])
    return found if isinstance(found, list) else [found]


def read_match(step: Mapping[str, Any], family: str, named: Named) -> list[Match]:
    """All conditions that a match makes; one of :attr:`Field.UNKNOWN` where it is not understood.

    :param family: of the rule's table
    """
    comparison = step["match"]
    implied = _implied(comparison["left"], family)
    try:
        return [*implied, _match(comparison["op"], comparison["left"], comparison["right"], named)]
    except (KeyError, TypeError, ValueError):
        return [*implied, Match(Field.UNKNOWN, (step_text(step),))]


def _implied(left: Any, family: str) -> list[Match]:
    match left:
        case {"payload": {"protocol": protocol}}:
            if protocol in _OF_FAMILY and family not in _OF_FAMILY:
                return [Match(Field.FAMILY, (_OF_FAMILY[protocol],))]
            if protocol in _OF_PROTOCOL:
                return [Match(Field.PROTOCOL, (_OF_PROTOCOL[protocol],))]
        case {"tcp option": _}:
            return [Match(Field.PROTOCOL, ("tcp",))]
        case {"&": [inner, *_]}:
            return _implied(inner, family)
        case {"concat": parts}:
            return [match for part in parts for match in _implied(part, family)]
    return []


def _match(op: str, left: Any, right: Any, named: Named) -> Match:
    if "payload" in left and left["payload"].get("field") == "flags" and left["payload"].get("protocol") == "tcp":
        return _tcp_flags(op, None, right, named)
    if "&" in left:
        return _masked(op, left["&"], right, named)
    looks_at = _field(left)
    if op == "==" and looks_at in _BIT_FIELDS and isinstance(right, list) and len(right) > 1:
        raise ValueError("all these bits at once")
    if op == "==" and looks_at is Field.STATUS:
        raise ValueError("these bits and no others")
    if op in ("in", "!") and looks_at not in _BIT_FIELDS:
        raise ValueError(op)
    if op in _BOUNDS:
        if looks_at not in (Field.SOURCE_PORT, Field.DESTINATION_PORT):
            raise ValueError(op)
        return Match(looks_at, (_BOUNDS[op](int(right)),))
    read = _READERS[looks_at]
    values = tuple(read(member) for member in _members(right, named))
    return Match(looks_at, values, _is_negated(op))


#: Comparisons of ports, as ranges.
_BOUNDS: Final[dict[str, Callable[[int], str]]] = {
    "<": lambda port: f"0-{port - 1}" if port else "1-0",
    "<=": lambda port: f"0-{port}",
    ">": lambda port: f"{port + 1}-{_LAST_PORT}",
    ">=": lambda port: f"{port}-{_LAST_PORT}",
}


def _is_negated(op: str) -> bool:
    if op not in ("==", "!=", "in", "!"):
        raise ValueError(op)
    return op in ("!=", "!")


def _field(left: Mapping[str, Any]) -> Field:
    """What is looked at.

    :raises KeyError: it is not modelled
    """
    match left:
        case {"payload": {"protocol": protocol, "field": name}}:
            if name in ("sport", "dport") and protocol not in _WITH_PORTS:
                raise KeyError(protocol)
            if name not in ("sport", "dport") and protocol not in _OF_FAMILY:
                raise KeyError(protocol)
            return _PAYLOADS[name]
        case {"meta": {"key": key}}:
            return _META[key]
        case {"ct": {"key": key, **rest}} if not rest:
            return _CONNTRACK[key]
        case {"fib": {"result": "type", "flags": [source] | str(source)}}:
            return _TYPES[source]
        case _:
            raise KeyError(str(left))


def _members(right: Any, named: Named) -> list[Any]:
    """The single values of what is compared with, named sets looked up."""
    match right:
        case str() if right.startswith("@"):
            found = named(right[1:])
            if found is None:
                raise KeyError(right)
            return [_bare(member) for member in found]
        case {"set": str(name)}:
            return _members(name, named)
        case {"set": list(members)} | list(members):
            return [_bare(member) for member in members]
        case {"set": single}:
            return [_bare(single)]
        case _:
            return [_bare(right)]


def _bare(member: Any) -> Any:
    """An element without its timeout, counter and comment."""
    match member:
        case {"elem": {"val": value}}:
            return value
        case _:
            return member


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


def _read_port(value: Any) -> str:
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


def _read_mark(value: Any) -> str:
    return f"{int(value):#x}/{_ALL_BITS:#x}"


_READERS: Final[dict[Field, Callable[[Any], str]]] = {
    Field.SOURCE: _read_address,
    Field.DESTINATION: _read_address,
    Field.SOURCE_PORT: _read_port,
    Field.DESTINATION_PORT: _read_port,
    Field.PROTOCOL: _read_protocol,
    Field.IIF: _read_interface,
    Field.OIF: _read_interface,
    Field.FAMILY: _read_family,
    Field.STATE: _read_word,
    Field.STATUS: _read_word,
    Field.SOURCE_TYPE: _read_word,
    Field.DESTINATION_TYPE: _read_word,
    Field.MARK: _read_mark,
    Field.CONNTRACK_MARK: _read_mark,
}


def _masked(op: str, operands: list[Any], right: Any, named: Named) -> Match:
    """A comparison of some bits only: ``meta mark & 0xff == 0x20``, ``tcp flags & (syn | ack) == syn``."""
    inner, mask = operands
    if inner.get("payload") == {"protocol": "tcp", "field": "flags"}:
        return _tcp_flags(op, mask, right, named)
    looks_at = _field(inner)
    if looks_at in (Field.MARK, Field.CONNTRACK_MARK) and isinstance(mask, int):
        values = tuple(f"{int(member):#x}/{mask:#x}" for member in _members(right, named))
        return Match(looks_at, values, _is_negated(op))
    if looks_at in _BIT_FIELDS and isinstance(mask, str) and right == mask:
        return Match(looks_at, (mask,), _is_negated(op))
    raise ValueError(operands)


def _tcp_flags(op: str, mask: Any, right: Any, named: Named) -> Match:
    """TCP flags: all of them, or those of a mask, are exactly these; or with ``in`` any of these is there."""
    if op in ("in", "!"):
        values = tuple(f"{name}/{name}" for name in _flag_names(right).split(","))
    else:
        of = _FLAGS if mask is None else _flag_names(mask)
        members = _members(right, named) if isinstance(right, dict) and "set" in right else [right]
        values = tuple(f"{_flag_names(member)}/{of}" for member in members)
    return Match(Field.TCP_FLAGS, values, _is_negated(op))


def _flag_names(value: Any) -> str:
    match value:
        case 0:
            return ""
        case str():
            return value
        case list(names) | {"|": list(names)}:
            return ",".join(_flag_names(name) for name in names)
        case _:
            raise ValueError(value)
