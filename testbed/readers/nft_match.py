"""One match of ``nft -j``, as matches of ours. Pure.

A match of nft's brings conditions of its own: ``tcp dport`` looks at TCP only, ``ip saddr`` at IPv4 (nft(8), PAYLOAD
EXPRESSIONS).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from testbed.evidence import Field, Match
from testbed.readers.nft_fields import OF_FAMILY, field_of
from testbed.readers.nft_values import reader_of
from testbed.readers.nft_words import step_text

#: The elements of a named set of the rule's own table; None where there is no such set.
Named = Callable[[str], list[Any] | None]

_LAST_PORT: Final = 65535
_FLAGS: Final = "fin,syn,rst,psh,ack,urg,ecn,cwr"
#: What a payload of each protocol is of.
_OF_PROTOCOL: Final = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6", "sctp": "sctp", "dccp": "dccp"}
#: What ARP for IPv4 over Ethernet always has (RFC 826).
_OF_ARP: Final = {"htype": 1, "hlen": 6, "plen": 4}
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
        if (constant := _constant(comparison)) is not None:
            return [*implied, *constant]
        return [*implied, _match(comparison["op"], comparison["left"], comparison["right"], named)]
    except (KeyError, TypeError, ValueError):
        return [*implied, Match(Field.UNKNOWN, (step_text(step),))]


def _constant(comparison: Mapping[str, Any]) -> list[Match] | None:
    """The matches of what our packets have, or have not, whatever it is compared with; None for anything else."""
    left, right, negated = comparison["left"], comparison["right"], comparison["op"] == "!="
    match left:
        case {"payload": {"protocol": "arp", "field": name}} if name in _OF_ARP:
            return [] if right == _OF_ARP[name] and not negated else None
        case {"exthdr": {"name": name}}:
            missing = right is False
            return [Match(Field.EXTENSION_HEADER, (str(name),), negated is not missing)]
        case {"&": [{"payload": {"protocol": "ip", "field": "frag-off"}}, 0x1FFF]} if right == 0:
            return [Match(Field.FRAGMENT, ("yes",), not negated)]
        case {"fib": {"result": "oif" | "oifname", "flags": flags}} if (found := _existence(right)) is not None:
            return [Match(Field.REVERSE_PATH, (_way_back(flags),), found is negated)]
    return None


def _existence(value: Any) -> bool | None:
    """Read ``exists`` or ``missing``, which some versions of nft print as a prefix; None for anything else."""
    match value:
        case bool():
            return value
        case {"prefix": {"addr": bool(found)}}:
            return found
        case "0" | 0:
            return False
        case _:
            return None


def _way_back(flags: Any) -> str:
    """How a lookup of the route back to the source is done.

    :raises ValueError: it is another lookup
    """
    words = {flags} if isinstance(flags, str) else set(flags)
    if "saddr" not in words or words - {"saddr", "mark", "iif"}:
        raise ValueError(flags)
    return f"{'strict' if 'iif' in words else 'loose'}{' mark' if 'mark' in words else ''}"


def _implied(left: Any, family: str) -> list[Match]:
    match left:
        case {"payload": {"protocol": protocol}}:
            return _of_payload(protocol, family)
        case {"tcp option": _}:
            return [Match(Field.PROTOCOL, ("tcp",))]
        case {"meta": {"key": "skuid" | "skgid"}}:
            return [Match(Field.SOCKET, ("yes",))]  # without one such a rule does not match (net/netfilter/nft_meta.c)
        case {"&": [inner, *_]}:
            return _implied(inner, family)
        case {"concat": parts}:
            return [match for part in parts for match in _implied(part, family)]
    return []


def _of_payload(protocol: str, family: str) -> list[Match]:
    if protocol in OF_FAMILY and family not in OF_FAMILY:
        return [Match(Field.FAMILY, (OF_FAMILY[protocol],))]
    if protocol in _OF_PROTOCOL:
        return [Match(Field.PROTOCOL, (_OF_PROTOCOL[protocol],))]
    return [Match(Field.FAMILY, ("arp",))] if protocol == "arp" and family != "arp" else []


def _match(op: str, left: Any, right: Any, named: Named) -> Match:
    if "payload" in left and left["payload"].get("field") == "flags" and left["payload"].get("protocol") == "tcp":
        return _tcp_flags(op, None, right, named)
    if "&" in left:
        return _masked(op, left["&"], right, named)
    if "concat" in left:
        return _concatenation(op, left["concat"], right, named)
    looks_at = field_of(left)
    if op == "==" and looks_at in _BIT_FIELDS and isinstance(right, list) and len(right) > 1:
        raise ValueError("all these bits at once")
    if op == "==" and looks_at is Field.STATUS:
        raise ValueError("these bits and no others")
    if op in ("in", "!") and looks_at not in _BIT_FIELDS:
        raise ValueError(op)
    if op in _BOUNDS:
        if looks_at not in (Field.SOURCE_PORT, Field.DESTINATION_PORT, Field.HOP_LIMIT):
            raise ValueError(op)
        return Match(looks_at, (_BOUNDS[op](int(right)),))
    read = reader_of(left, looks_at)
    values = tuple(read(member) for member in _members(right, named))
    return Match(looks_at, values, _is_negated(op))


def _concatenation(op: str, parts: list[Any], right: Any, named: Named) -> Match:
    """Several fields at once: ``ip saddr . tcp dport @set``."""
    fields = tuple(field_of(part) for part in parts)
    reads = [reader_of(part, field) for part, field in zip(parts, fields, strict=True)]
    rows = [member["concat"] for member in _members(right, named)]
    values = tuple(" . ".join(read(cell) for read, cell in zip(reads, row, strict=True)) for row in rows)
    return Match(Field.CONCATENATION, values, _is_negated(op), fields)


#: Comparisons of numbers of at most 16 bits, as ranges.
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


def _masked(op: str, operands: list[Any], right: Any, named: Named) -> Match:
    """A comparison of some bits only: ``meta mark & 0xff == 0x20``, ``tcp flags & (syn | ack) == syn``."""
    inner, mask = operands
    if inner.get("payload") == {"protocol": "tcp", "field": "flags"}:
        return _tcp_flags(op, mask, right, named)
    looks_at = field_of(inner)
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
