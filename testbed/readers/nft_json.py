"""What ``nft -j list ruleset`` prints, as chains of rules (libnftables-json(5)). Pure.

An nft rule is a list of steps, where matches may follow actions. Ours has all matches first: such a rule becomes
several of the same text, and so does one with a verdict map. A step that is not known here makes an unknown match or
an unknown action of it, with its own words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule
from testbed.model import bracketed
from testbed.readers.nft_match import Named, Sets, elements, read_match
from testbed.readers.nft_words import rule_text, step_text

_FAMILIES: Final = frozenset({"ip", "ip6", "inet", "bridge"})
_HOOKS: Final = {str(hook): hook for hook in Hook}
_ALL_BITS: Final = 0xFFFF_FFFF
#: iptables/nft.c and nft-shared.c; ``xt`` is an extension that only iptables understands.
_STEPS_OF_IPTABLES: Final = frozenset(
    {"match", "counter", "xt", "accept", "drop", "return", "jump", "goto", "limit", "log"}
    | {"reject", "masquerade", "redirect", "dnat", "snat", "mangle"}
)
#: They only count or tell, or change what no later rule, route or listener looks at here.
_HARMLESS: Final = frozenset({"counter", "log", "continue", "last", "flow", "secmark", "ct helper", "ct timeout"})
#: Steps that let some packets through to the next step and not others.
_CONDITIONS: Final = frozenset({"limit", "quota", "ct count", "set", "meter"})
_ADDRESS_FAMILIES: Final = {"ip": "4", "ip6": "6"}
#: nft's words for a reject, and iptables'. ``icmpx`` has the same words as ``icmp`` or, for one of them, as ``icmpv6``.
_REJECTS: Final = {
    "icmp": {"prot-unreachable": "icmp-proto-unreachable"},
    "icmpx": {"no-route": "icmp-net-unreachable"},
    "icmpv6": {"admin-prohibited": "icmp6-adm-prohibited"},
}


def parse(text: str) -> tuple[Chain, ...]:
    """Read ``nft -j list ruleset``.

    The family arp is left out. Of netdev the chains with rules are kept, at the hook INGRESS, their rules unknown.

    :raises ValueError: it is no JSON of nft's
    """
    listed = _listed(text)
    sets = Sets({_of_table(value): elements(value) for kind, value in listed if kind in ("set", "map")})
    asleep = {(value["family"], value["name"]) for kind, value in listed if kind == "table" and _is_dormant(value)}
    rules: dict[tuple[str, str, str], list[Rule]] = {}
    for kind, value in listed:
        if kind == "rule":
            key = (value["family"], value["table"], value["chain"])
            handle = int(value.get("handle", 0))
            rules.setdefault(key, []).extend(replace(rule, handle=handle) for rule in _rules(value, sets))
    return tuple(
        chain
        for kind, value in listed
        if kind == "chain" and (value["family"], value["table"]) not in asleep
        for chain in _chain(value, tuple(rules.get(_of_table(value), ())))
    )


@dataclass(frozen=True, slots=True)
class Numbered:
    """A rule by where it stands, and as far as it is understood."""

    chain: str
    index: int
    """Its place in the chain, from 0."""
    text: str
    actions: tuple[Action, ...]


def by_handle(text: str) -> Mapping[tuple[str, str, int], Numbered]:
    """The rules that ``nft -j list ruleset`` prints, by family, table, and the handle that each has in its table.

    :raises ValueError: it is no JSON of nft's
    """
    listed = _listed(text)
    sets = Sets({_of_table(value): elements(value) for kind, value in listed if kind in ("set", "map")})
    counted: dict[tuple[str, str, str], int] = {}
    found = {}
    for kind, value in listed:
        if kind == "rule":
            family, table, chain = value["family"], value["table"], value["chain"]
            index = counted.get((family, table, chain), 0)
            counted[family, table, chain] = index + 1
            actions = tuple(action for rule in _rules(value, sets) for action in rule.actions)
            found[family, table, int(value["handle"])] = Numbered(chain, index, rule_text(value), actions)
    return found


def _listed(text: str) -> list[tuple[str, Any]]:
    try:
        return [next(iter(item.items())) for item in json.loads(text)["nftables"]]
    except (KeyError, TypeError, AttributeError, StopIteration) as exc:
        raise ValueError(f"this is not what nft -j prints: {text[:80]!r}") from exc


def native_chains(text: str) -> frozenset[tuple[str, str, str]]:
    """The chains with a rule that iptables-nft(8) did not make, by family, table and name.

    iptables-nft-save leaves out of such a rule what it does not know, without a word.
    """
    return frozenset(
        (value["family"], value["table"], value["chain"])
        for kind, value in _listed(text)
        if kind == "rule" and not _is_of_iptables(value.get("expr", ()))
    )


def _is_of_iptables(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each step is one that iptables/nft.c makes; it puts a counter into every rule."""
    kinds = {kind for step in steps for kind in step}
    return (
        "counter" in kinds
        and kinds <= _STEPS_OF_IPTABLES
        and all(_is_plain(step["match"]) for step in steps if "match" in step)
    )


def _is_plain(match: Mapping[str, Any]) -> bool:
    left, right = match["left"], match["right"]
    left = left["&"][0] if "&" in left else left
    single = not isinstance(right, (dict, list)) or "set" not in right
    return bool(left.keys() & {"payload", "meta"}) and single and not str(right).startswith("@")


def _of_table(value: Mapping[str, Any]) -> tuple[str, str, str]:
    return value["family"], value["table"], value["name"]


def _is_dormant(table: Mapping[str, Any]) -> bool:
    """Such a table's chains are not hooked in (nft(8), TABLES)."""
    return "dormant" in table.get("flags", ())


def _chain(value: Mapping[str, Any], rules: tuple[Rule, ...]) -> Iterator[Chain]:
    family, table, name = _of_table(value)
    if family == "netdev":
        if rules and "hook" in value:
            yield Chain(Backend.NFTABLES, family, table, name, rules, Hook.INGRESS, "filter", int(value["prio"]))
    elif family in _FAMILIES:
        hook = _HOOKS.get(value.get("hook", ""))
        policy = Act.DROP if value.get("policy") == "drop" else Act.ACCEPT
        yield Chain(
            Backend.NFTABLES,
            family,
            table,
            name,
            rules,
            hook,
            str(value.get("type", "")) if hook else "",
            int(value.get("prio", 0)) if hook else 0,
            policy,
        )


def _rules(value: Mapping[str, Any], sets: Sets) -> list[Rule]:
    text = rule_text(value)
    family = value["family"]
    if family not in _FAMILIES:
        return [Rule(text, (Match(Field.UNKNOWN, (text,)),), (Action(Act.UNKNOWN, text),))]
    build = _Building(text)
    for step in value.get("expr", ()):
        _read_step(build, step, family, lambda name: sets.of(family, value["table"], name))
    build.flush()
    return build.rules or [Rule(text, tuple(build.matches), (), build.packets)]


@dataclass(slots=True)
class _Building:
    """A rule while its steps are read."""

    text: str
    matches: list[Match] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    packets: int | None = None
    rules: list[Rule] = field(default_factory=list)

    def match(self, matches: Sequence[Match]) -> None:
        """Add conditions; what was done until here was done without them."""
        self.flush()
        self.packets = None
        self.matches += matches

    def flush(self) -> None:
        if not self.actions:
            return
        self.rules.append(Rule(self.text, tuple(self.matches), tuple(self.actions), self.packets))
        changed = {_CHANGED[action.act] for action in self.actions if action.act in _CHANGED}
        # Another look at what was just changed would be a look at something else.
        self.matches = [_unknown(self.text) if match.field in changed else match for match in self.matches]
        self.actions = []


_CHANGED: Final = {Act.SET_MARK: Field.MARK, Act.SET_CONNTRACK_MARK: Field.CONNTRACK_MARK, Act.NOTRACK: Field.STATE}


def _unknown(text: str) -> Match:
    return Match(Field.UNKNOWN, (text,))


def _read_step(build: _Building, step: Mapping[str, Any], family: str, named: Named) -> None:
    ((kind, value),) = step.items()
    if kind == "match":
        build.match(read_match(step, family, named))
    elif kind == "counter":
        build.packets = value.get("packets") if isinstance(value, dict) else None
    elif kind in _HARMLESS:
        pass
    elif kind in _CONDITIONS or (kind == "xt" and isinstance(value, dict) and value.get("type") == "match"):
        build.match([_unknown(step_text(step))])
    elif kind == "vmap":
        _read_verdict_map(build, step, family, named)
    else:
        matches, actions = _statement(kind, value, step, family)
        if matches:
            build.match(matches)
        build.actions += actions


def _read_verdict_map(build: _Building, step: Mapping[str, Any], family: str, named: Named) -> None:
    """A verdict map: a rule for each of its elements, of which a packet is at most one."""
    data = step["vmap"]["data"]
    pairs = data.get("set") if isinstance(data, dict) else named(str(data).removeprefix("@"))
    try:
        if pairs is None:
            raise ValueError("no such map")
        read = [(key, *next(iter(verdict.items())), verdict) for key, verdict in pairs]
    except (TypeError, ValueError, AttributeError):
        build.match([_unknown(step_text(step))])
        build.actions = [_unknown_action(step)]
        return
    build.match([])
    before = build.matches
    for key, kind, value, verdict in read:
        match = {"match": {"op": "==", "left": step["vmap"]["key"], "right": key}}
        build.matches = [*before, *read_match(match, family, named)]
        build.actions = [] if kind == "continue" else _statement(kind, value, verdict, family)[1]
        build.flush()
    build.matches = before


def _unknown_action(step: Mapping[str, Any]) -> Action:
    return Action(Act.UNKNOWN, step_text(step))


_Done = tuple[list[Match], list[Action]]


def _statement(kind: str, value: Any, step: Mapping[str, Any], family: str) -> _Done:
    """What a statement does, and what it does it to only."""
    try:
        return _STATEMENTS[kind]({} if value is None else value, family)
    except (KeyError, TypeError, ValueError):
        return [], [_unknown_action(step)]


def _always(act: Act) -> Callable[[Any, str], _Done]:
    return lambda value, family: ([], [Action(act)])


def _of_family(family: str, wanted: str | None) -> list[Match]:
    """The condition that a packet is of one family, where the table has both."""
    if wanted is None or family in _ADDRESS_FAMILIES:
        return []
    return [Match(Field.FAMILY, (_ADDRESS_FAMILIES[wanted],))]


def _reject(value: Mapping[str, Any], family: str) -> _Done:
    how = value.get("type", "icmpv6" if family == "ip6" else "icmp" if family == "ip" else "icmpx")
    if how == "tcp reset":
        return [Match(Field.PROTOCOL, ("tcp",))], [Action(Act.REJECT, "tcp-reset")]
    word = value.get("expr", "port-unreachable")
    if not isinstance(word, str):
        raise TypeError(word)
    prefix = "icmp6" if how == "icmpv6" else "icmp"
    wanted = {"icmp": "ip", "icmpv6": "ip6"}.get(how)
    return _of_family(family, wanted), [Action(Act.REJECT, _REJECTS[how].get(word, f"{prefix}-{word}"))]


def _translation(act: Act, value: Mapping[str, Any], family: str) -> _Done:
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
        case {"meta": {"key": "priority" | "nftrace"}} | {"tcp option": _} | {"payload": {"field": "dscp"}}:
            return []
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


_STATEMENTS: Final[dict[str, Callable[[Any, str], _Done]]] = {
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
