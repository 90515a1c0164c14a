"""Rules of ``nft -j`` in nft's own words: its JSON does not have them. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

#: Of the key ``meta``: those that nft prints without the word.
_BARE: Final = frozenset({"iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup", "skuid", "skgid"})
_INTERFACES: Final = frozenset({"iif", "oif", "iifname", "oifname"})
_BINARY: Final = frozenset({"&", "|", "^", "<<", ">>"})


def rule_text(rule: Mapping[str, Any]) -> str:
    """A rule in one line, with the word ``counter`` and without what it counted."""
    words = [step_text(step) for step in rule.get("expr", ())]
    if "comment" in rule:
        words.append(f"comment {json.dumps(rule['comment'], ensure_ascii=False)}")
    return " ".join(words)


def step_text(step: Mapping[str, Any]) -> str:
    """One step of a rule: a match, a statement or a verdict. What has no words here stands in JSON."""
    ((kind, value),) = step.items()
    if value is None:
        return kind
    try:
        return _STEPS[kind](value)
    except (KeyError, TypeError, AttributeError):
        return f"{kind} {json.dumps(value, separators=(',', ':'))}"


def _comparison(op: str, left: Any, right: Any) -> str:
    plain = op in ("==", "in") and not (isinstance(left, dict) and left.keys() <= _BINARY)
    return " ".join([_expression(left), *([] if plain else [op]), _operand(left, right)])


def _operand(left: Any, right: Any) -> str:
    """What something is compared with, or set to: marks are hexadecimal, names of interfaces quoted."""
    match left:
        case {"meta": {"key": key}} if key in _INTERFACES and isinstance(right, str) and not right.startswith("@"):
            return f'"{right}"'
        case {"meta": {"key": "mark"}} | {"ct": {"key": "mark"}} | {"&": [_, int()]} if isinstance(right, int):
            return f"{right:#x}"
        case _:
            return _expression(right)


def _expression(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_expression(part) for part in value)
    if isinstance(value, bool):
        return "exists" if value else "missing"
    if not isinstance(value, dict) or len(value) != 1:
        return str(value)
    ((kind, inner),) = value.items()
    try:
        return _EXPRESSIONS[kind](inner)
    except (KeyError, TypeError, AttributeError):
        return _operation(value)


def _meta(value: Mapping[str, Any]) -> str:
    return str(value["key"]) if value["key"] in _BARE else f"meta {value['key']}"


def _conntrack(value: Mapping[str, Any]) -> str:
    return f"ct {value['dir']} {value['key']}" if "dir" in value else f"ct {value['key']}"


def _fib(value: Mapping[str, Any]) -> str:
    flags = value["flags"]
    return f"fib {flags if isinstance(flags, str) else ' . '.join(flags)} {value['result']}"


def _set(members: Any) -> str:
    if isinstance(members, str):
        return members
    return f"{{ {', '.join(_member(member) for member in members)} }}"


def _operation(value: Mapping[str, Any]) -> str:
    ((op, parts),) = value.items()
    if op in _BINARY and isinstance(parts, list):
        return f" {op} ".join(hex(part) if isinstance(part, int) else _grouped(part) for part in parts)
    return step_text(value)


def _grouped(value: Any) -> str:
    text = _expression(value)
    return f"({text.replace(',', '|')})" if isinstance(value, list) else text


def _member(value: Any) -> str:
    """An element of a set, or a pair of a map."""
    match value:
        case [key, dict() as verdict]:
            return f"{_expression(key)} : {_expression(verdict)}"
        case _:
            return _expression(value)


def _translation(kind: str, value: Mapping[str, Any]) -> str:
    words = [kind]
    if "addr" in value or "port" in value:
        address = _expression(value.get("addr", ""))
        port = f":{_expression(value['port'])}" if "port" in value else ""
        where = f"[{address}]{port}" if ":" in address and port else f"{address}{port}"
        words += [value["family"]] if "family" in value else []
        words += ["to", where]
    flags = value.get("flags", ())
    words += [flags if isinstance(flags, str) else ",".join(flags)] if flags else []
    return " ".join(words)


def _reject(value: Mapping[str, Any]) -> str:
    return f"reject with {value['type']}" + (f" {value['expr']}" if "expr" in value else "")


def _limit(value: Mapping[str, Any]) -> str:
    return f"limit rate {'over ' if value.get('inv') else ''}{value['rate']}/{value['per']}"


def _log(value: Mapping[str, Any]) -> str:
    return f"log prefix {json.dumps(value['prefix'], ensure_ascii=False)}" if "prefix" in value else "log"


_EXPRESSIONS: Final[dict[str, Callable[[Any], str]]] = {
    "payload": lambda value: f"{value['protocol']} {value['field']}",
    "meta": _meta,
    "ct": _conntrack,
    "fib": _fib,
    "prefix": lambda value: f"{value['addr']}/{value['len']}",
    "range": lambda ends: "-".join(_expression(end) for end in ends),
    "concat": lambda parts: " . ".join(_expression(part) for part in parts),
    "set": _set,
    "elem": lambda value: _expression(value["val"]),
}
_STEPS: Final[dict[str, Callable[[Any], str]]] = {
    "match": lambda value: _comparison(value["op"], value["left"], value["right"]),
    "counter": lambda value: "counter",
    "vmap": lambda value: f"{_expression(value['key'])} vmap {_expression(value['data'])}",
    "mangle": lambda value: f"{_expression(value['key'])} set {_operand(value['key'], value['value'])}",
    "jump": lambda value: f"jump {value['target']}",
    "goto": lambda value: f"goto {value['target']}",
    "reject": _reject,
    "dnat": lambda value: _translation("dnat", value),
    "snat": lambda value: _translation("snat", value),
    "redirect": lambda value: _translation("redirect", value),
    "masquerade": lambda value: _translation("masquerade", value),
    "limit": _limit,
    "log": _log,
    "xt": lambda value: f"xt {value['type']} {json.dumps(value['name'])}",
}
