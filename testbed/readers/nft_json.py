"""What ``nft -j list ruleset`` prints, as chains of rules (libnftables-json(5)). Pure.

An nft rule is a list of steps, where matches may follow actions. Ours has all matches first: such a rule becomes
several of the same text, and so does one with a verdict map. A step that is not known here makes an unknown match or
an unknown action of it, with its own words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule
from testbed.readers.nft_devices import Devices
from testbed.readers.nft_match import Named, Sets, elements, read_match
from testbed.readers.nft_statement import statement, unknown_action
from testbed.readers.nft_words import rule_text, step_text

_FAMILIES: Final = frozenset({"ip", "ip6", "inet", "bridge", "arp", "netdev"})
_OF_DEVICES: Final = frozenset({Hook.INGRESS, Hook.EGRESS})
_HOOKS: Final = {str(hook): hook for hook in Hook}
#: iptables/nft.c and nft-shared.c; ``xt`` is an extension that only iptables understands.
_STEPS_OF_IPTABLES: Final = frozenset(
    {"match", "counter", "xt", "accept", "drop", "return", "jump", "goto", "limit", "log"}
    | {"reject", "masquerade", "redirect", "dnat", "snat", "mangle"}
)
#: They only count or tell, or change what no later rule, route or listener looks at here.
_HARMLESS: Final = frozenset(
    {
        "counter",
        "log",
        "continue",
        "last",
        "flow",
        "secmark",
        "ct helper",
        "ct timeout",
        "ct expectation",
        "dup",
        "reset",
    }
)
#: Steps that let some packets through to the next step and not others.
_CONDITIONS: Final = frozenset({"limit", "quota", "ct count"})
#: Steps that keep something about each packet in a set, and may have such a condition for it.
_KEEPING: Final = frozenset({"set", "meter"})


def parse(text: str, devices: Devices | None = None) -> tuple[Chain, ...]:
    """Read ``nft -j list ruleset``.

    :param devices: the interfaces that chains of devices are hooked to, by family, table and name: nft 1.0.6 does not
        print them in JSON
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
        for chain in _chain(value, tuple(rules.get(_of_table(value), ())), devices or {})
    )


def wants_devices(text: str) -> bool:
    """Tell if ``nft -j list ruleset`` has a chain of a device, and does not say of which."""
    return any(
        kind == "chain" and value.get("hook") in _OF_DEVICES and "dev" not in value for kind, value in _listed(text)
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


def _chain(value: Mapping[str, Any], rules: tuple[Rule, ...], devices: Devices) -> Iterator[Chain]:
    family, table, name = _of_table(value)
    if family not in _FAMILIES:
        return
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
        devices=_devices(value, devices) if hook in _OF_DEVICES else None,
    )


def _devices(value: Mapping[str, Any], devices: Devices) -> tuple[str, ...] | None:
    found = value.get("dev")
    if found is None:
        return devices.get(_of_table(value))
    return (found,) if isinstance(found, str) else tuple(found)


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
    elif kind in _KEEPING:
        if any(each.keys() & _CONDITIONS for each in _kept(value)):
            build.match([_unknown(step_text(step))])
    elif kind in _CONDITIONS or (kind == "xt" and isinstance(value, dict) and value.get("type") == "match"):
        build.match([_unknown(step_text(step))])
    elif kind == "vmap":
        _read_verdict_map(build, step, family, named)
    elif kind in _MAPPED and (mapped := _mapped(value)) is not None:
        _read_map(build, step, mapped, family, named)
    else:
        matches, actions = statement(kind, value, step, family)
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
        build.actions = [unknown_action(step)]
        return
    build.match([])
    before = build.matches
    for key, kind, value, verdict in read:
        match = {"match": {"op": "==", "left": step["vmap"]["key"], "right": key}}
        build.matches = [*before, *read_match(match, family, named)]
        build.actions = [] if kind == "continue" else statement(kind, value, verdict, family)[1]
        build.flush()
    build.matches = before


def _kept(value: Any) -> list[Mapping[str, Any]]:
    """The statements for each element of a set or meter."""
    found = value.get("stmt", []) if isinstance(value, dict) else []
    return [found] if isinstance(found, dict) else found


#: Statements that may look their address or port up in a map.
_MAPPED: Final = frozenset({"dnat", "snat", "redirect"})


def _mapped(value: Any) -> str | None:
    """The argument of a translation that is looked up in a map; None where none is."""
    if not isinstance(value, dict):
        return None
    return next((name for name in ("addr", "port") if isinstance(value.get(name), dict) and "map" in value[name]), None)


def _read_map(build: _Building, step: Mapping[str, Any], name: str, family: str, named: Named) -> None:
    """A translation by a map: one for each of its pairs; a packet that is in none goes on to the next rule."""
    ((kind, value),) = step.items()
    looked_up = value[name]["map"]
    data = looked_up["data"]
    pairs = data.get("set") if isinstance(data, dict) else named(str(data).removeprefix("@"))
    try:
        read = [(key, _filled(value, name, mapped)) for key, mapped in pairs or _no_such_map()]
    except (TypeError, ValueError):
        build.actions.append(unknown_action(step))
        return
    build.match([])
    before = build.matches
    for key, filled in read:
        match = {"match": {"op": "==", "left": looked_up["key"], "right": key}}
        of, actions = statement(kind, filled, {kind: filled}, family)
        build.matches = [*before, *read_match(match, family, named), *of]
        build.actions = actions
        build.flush()
    build.matches = before


def _no_such_map() -> Any:
    raise ValueError("no such map")


def _filled(value: Mapping[str, Any], name: str, found: Any) -> Mapping[str, Any]:
    """A translation with what a map has for it: an address, a port, or both."""
    match found:
        case {"concat": [address, port]}:
            return {**value, "addr": address, "port": port}
        case _:
            return {**value, name: found}
