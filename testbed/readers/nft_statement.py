"""The statements of ``nft -j`` that decide or change something, as actions of ours (nft(8), STATEMENTS). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from testbed.evidence import Act, Action, Field, Match
from testbed.model import bracketed
from testbed.readers.nft_words import step_text

_ALL_BITS: Final = 0xFFFF_FFFF
#: A hop limit of fewer may run out on the way.
_ENOUGH_HOPS: Final = 32
_ADDRESS_FAMILIES: Final = {"ip": "4", "ip6": "6"}
#: nft's words for a reject, and iptables'. ``icmpx`` has the same words as ``icmp`` or, for one of them, as ``icmpv6``.
_REJECTS: Final = {
    "icmp": {"prot-unreachable": "icmp-proto-unreachable"},
    "icmpx": {"no-route": "icmp-net-unreachable"},
    "icmpv6": {"admin-prohibited": "icmp6-adm-prohibited"},
}

#: What a statement is done to only, and what it does.
Done = tuple[list[Match], list[Action]]


def unknown_action(step: Mapping[str, Any]) -> Action:
    """A statement that is not understood, with its own words."""
    return Action(Act.UNKNOWN, step_text(step))


def statement(kind: str, value: Any, step: Mapping[str, Any], family: str) -> Done:
    """The action of a statement, and the matches that limit it."""
    try:
        return _STATEMENTS[kind]({} if value is None else value, family)
    except (KeyError, TypeError, ValueError):
        return [], [unknown_action(step)]


def _always(act: Act) -> Callable[[Any, str], Done]:
    return lambda value, family: ([], [Action(act)])


def _of_family(family: str, wanted: str | None) -> list[Match]:
    """The condition that a packet is of one family, where the table has both."""
    if wanted is None or family in _ADDRESS_FAMILIES:
        return []
    return [Match(Field.FAMILY, (_ADDRESS_FAMILIES[wanted],))]


def _reject(value: Mapping[str, Any], family: str) -> Done:
    how = value.get("type", "icmpv6" if family == "ip6" else "icmp" if family == "ip" else "icmpx")
    if how == "tcp reset":
        return [Match(Field.PROTOCOL, ("tcp",))], [Action(Act.REJECT, "tcp-reset")]
    word = value.get("expr", "port-unreachable")
    if not isinstance(word, str):
        raise TypeError(word)
    prefix = "icmp6" if how == "icmpv6" else "icmp"
    wanted = {"icmp": "ip", "icmpv6": "ip6"}.get(how)
    return _of_family(family, wanted), [Action(Act.REJECT, _REJECTS[how].get(word, f"{prefix}-{word}"))]


def _translation(act: Act, value: Mapping[str, Any], family: str) -> Done:
    flags = value.get("flags", ())
    flags = (flags,) if isinstance(flags, str) else flags
    port = value.get("port")
    if isinstance(port, dict):
        if set(flags) & {"random", "fully-random"}:
            raise ValueError("any of these ports")
        first, last = port["range"]
        port = f"{int(first)}-{int(last)}"
    elif port is not None:
        port = int(port)
    address = value.get("addr", "")
    if isinstance(address, dict) and "prefix" in address and "netmap" in flags and port is None:
        subnet = address["prefix"]
        return _of_family(family, value.get("family")), [Action(act, f"prefix {subnet['addr']}/{subnet['len']}")]
    if not isinstance(address, str):
        raise TypeError(address)
    where = address if port is None else f"{bracketed(address)}:{port}"
    return _of_family(family, value.get("family")), [Action(act, where)]


def _mangle(value: Mapping[str, Any]) -> list[Action]:
    """A change of the packet or of its connection."""
    match value["key"]:
        case {"meta": {"key": "mark"}}:
            return [_mark(Act.SET_MARK, "meta", "ct", value["value"])]
        case {"ct": {"key": "mark"}}:
            return [_mark(Act.SET_CONNTRACK_MARK, "ct", "meta", value["value"])]
        case {"meta": {"key": "priority" | "nftrace" | "secmark"}} | {"ct": {"key": "event" | "label" | "secmark"}}:
            return []
        case {"tcp option": _} | {"payload": {"field": "dscp" | "ecn"}}:
            return []
        case {"payload": {"field": "ttl" | "hoplimit"}} if int(value["value"]) >= _ENOUGH_HOPS:
            return []  # it does nothing to a packet as long as it does not run out
        case key:
            raise KeyError(key)


def _mark(act: Act, own: str, other: str, value: Any) -> Action:
    if value == {other: {"key": "mark"}}:
        return Action(act, f"copy {_ALL_BITS:#x}/{_ALL_BITS:#x}")
    kept, flipped = _bits(value, own)
    return Action(act, f"{kept:#x}/{flipped:#x}")


def _bits(value: Any, own: str) -> tuple[int, int]:
    """An expression of the old mark and of constants, as (old & kept) ^ flipped."""
    match value:
        case int():
            return 0, value
        case {"&": [inner, int(mask)]}:
            kept, flipped = _bits(inner, own)
            return kept & mask, flipped & mask
        case {"|": [inner, int(mask)]}:
            kept, flipped = _bits(inner, own)
            return kept & ~mask, flipped | mask
        case {"^": [inner, int(mask)]}:
            kept, flipped = _bits(inner, own)
            return kept, flipped ^ mask
        case dict() if value == {own: {"key": "mark"}}:
            return _ALL_BITS, 0
        case _:
            raise ValueError(value)


_STATEMENTS: Final[dict[str, Callable[[Any, str], Done]]] = {
    "accept": _always(Act.ACCEPT),
    "drop": _always(Act.DROP),
    "return": _always(Act.RETURN),
    "jump": lambda value, family: ([], [Action(Act.JUMP, value["target"])]),
    "goto": lambda value, family: ([], [Action(Act.GOTO, value["target"])]),
    "reject": _reject,
    "dnat": lambda value, family: _translation(Act.DNAT, value, family),
    "snat": lambda value, family: _translation(Act.SNAT, value, family),
    "redirect": lambda value, family: _translation(Act.REDIRECT, value, family),
    "masquerade": _always(Act.MASQUERADE),
    "mangle": lambda value, family: ([], _mangle(value)),
    "notrack": _always(Act.NOTRACK),
}
