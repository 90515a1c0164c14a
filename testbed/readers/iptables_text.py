"""What iptables-save(8) and ip6tables-save(8) print, as chains of rules. Pure.

What each option means is told by iptables-extensions(8). An option that is not known here makes an unknown match or an
unknown action of it, with its own words.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule

_HOOKS: Final = {
    "PREROUTING": Hook.PREROUTING,
    "INPUT": Hook.INPUT,
    "FORWARD": Hook.FORWARD,
    "OUTPUT": Hook.OUTPUT,
    "POSTROUTING": Hook.POSTROUTING,
}
#: include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities; IPv6 has the same.
_PRIORITIES: Final = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_SOURCE_NAT_PRIORITY: Final = 100
_RULE: Final = re.compile(r"(?:\[(?P<packets>\d+):\d+\] )?(?P<text>-A (?P<chain>\S+).*)")
_DECLARATION: Final = re.compile(r":(?P<chain>\S+) (?P<policy>\S+)(?: \[(?P<packets>\d+):\d+\])?.*")
_ALL_BITS: Final = 0xFFFF_FFFF
_PROTOCOLS: Final = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6", "58": "icmpv6", "1": "icmp", "6": "tcp", "17": "udp"}
_LAST_PORT: Final = 65535
#: Options whose value is somebody's own words, which may look like an option.
_FREE_TEXT: Final = frozenset({"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"})
#: They change nothing that a later rule, a route or a listener looks at here.
_HARMLESS_TARGETS: Final = frozenset(
    {"AUDIT", "CHECKSUM", "CLASSIFY", "DSCP", "LOG", "NFLOG", "TCPMSS", "TOS", "TRACE", "ULOG"}
)


def parse(text: str, *, family: Literal["ip", "ip6"], backend: Backend) -> tuple[Chain, ...]:
    """Read ``iptables-save -c`` (family ``ip``) or ``ip6tables-save -c`` (``ip6``), with or without its counters."""
    chains: list[Chain] = []
    table = _Table("", family, backend)
    # Not splitlines(): a comment may hold characters that end lines there.
    for line in text.split("\n"):
        if line.startswith("*"):
            chains += table.chains()
            table = _Table(line[1:].strip(), family, backend)
        elif declared := _DECLARATION.fullmatch(line):
            table.declare(declared["chain"], declared["policy"], declared["packets"])
        elif found := _RULE.fullmatch(line):
            table.append(found["chain"], found["text"], found["packets"])
    return (*chains, *table.chains())


@dataclass(slots=True)
class _Table:
    """A table while it is read."""

    name: str
    family: str
    backend: Backend
    declared: dict[str, Chain] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)

    def declare(self, name: str, policy: str, packets: str | None) -> None:
        chain = Chain(self.backend, self.family, self.name, name)
        hook = _HOOKS.get(name) if policy != "-" else None
        if hook is not None:
            chain = replace(
                chain,
                hook=hook,
                kind=_kind(self.name, hook),
                priority=_priority(self.name, hook),
                policy=Act.DROP if policy == "DROP" else Act.ACCEPT,
                packets=None if packets is None else int(packets),
            )
        self.declared[name] = chain
        self.rules[name] = []

    def append(self, chain: str, text: str, packets: str | None) -> None:
        if chain in self.rules:
            self.rules[chain].append(_rule(text, None if packets is None else int(packets), self.declared))

    def chains(self) -> Iterator[Chain]:
        for name, chain in self.declared.items():
            yield replace(chain, rules=tuple(self.rules[name]))


def _kind(table: str, hook: Hook) -> str:
    if table == "mangle" and hook is Hook.OUTPUT:
        return "route"
    return "nat" if table == "nat" else "filter"


def _priority(table: str, hook: Hook) -> int:
    if table == "nat" and hook in (Hook.INPUT, Hook.POSTROUTING):
        return _SOURCE_NAT_PRIORITY
    return _PRIORITIES.get(table, 0)


@dataclass(frozen=True, slots=True)
class _Option:
    """An option of a rule with its values."""

    name: str
    values: tuple[str, ...]
    negated: bool

    @property
    def words(self) -> list[str]:
        return ["!"] * self.negated + [self.name, *self.values]


def _rule(text: str, packets: int | None, chains: dict[str, Chain]) -> Rule:
    try:
        # shlex takes a microsecond for each letter, and few rules have anything quoted.
        words = shlex.split(text) if any(mark in text for mark in "\"'\\") else text.split()
    except ValueError:
        return Rule(text, (Match(Field.UNKNOWN, (text,)),), (Action(Act.UNKNOWN, text),), packets)
    options = list(_options(words[2:]))
    jump = next((index for index, option in enumerate(options) if option.name in ("-j", "-g")), len(options))
    return Rule(text, _matches(options[:jump]), _actions(options[jump:], chains), packets)


def _options(words: Sequence[str]) -> Iterator[_Option]:
    """Each option with the words up to the next one."""
    start = 0
    while start < len(words):
        negated = words[start] == "!" and start + 1 < len(words)
        name = words[start + negated]
        end = values = start + negated + 1
        if name in _FREE_TEXT:
            end += 1
        while end < len(words) and not words[end].startswith("-") and words[end] != "!":
            end += 1
        yield _Option(name, tuple(words[values:end]), negated)
        start = end


def _matches(options: Sequence[_Option]) -> tuple[Match, ...]:
    found: list[Match] = []
    unknown: dict[str, list[str]] = {}
    module = ""
    for option in options:
        if option.name == "-m":
            module = " ".join(option.values)
            if module not in _MODULES:
                unknown[module] = option.words
            continue
        try:
            found += _MATCHES["" if option.name in _BASIC else module, option.name](option)
        except (KeyError, ValueError, IndexError):
            unknown.setdefault(module, ["-m", module] if module else []).extend(option.words)
    found += [Match(Field.UNKNOWN, (" ".join(words),)) for words in unknown.values()]
    return tuple(found)


_Reader = Callable[[_Option], list[Match]]


def _one(looks_at: Field, read: Callable[[str], tuple[str, ...]]) -> _Reader:
    """Reads an option with one value."""

    def reader(option: _Option) -> list[Match]:
        (value,) = option.values
        return [Match(looks_at, read(value), option.negated)]

    return reader


def _as_is(value: str) -> tuple[str, ...]:
    return (value,)


def _subnet(value: str) -> tuple[str, ...]:
    ipaddress.ip_network(value, strict=False)  # a mask with holes is none
    return (value,)


def _range(value: str) -> tuple[str, ...]:
    for end in value.split("-"):
        ipaddress.ip_address(end)
    return (value,)


def _protocol(value: str) -> tuple[str, ...]:
    return (_PROTOCOLS.get(value, value),)


def _ports(value: str) -> tuple[str, ...]:
    return tuple(_port_range(part) for part in value.split(","))


def _port_range(value: str) -> str:
    first, colon, last = value.partition(":")
    if not colon:
        return str(int(first))
    return f"{int(first or 0)}-{int(last or _LAST_PORT)}"


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.lower().replace("_", "-").split(","))


def _mark(value: str) -> tuple[str, ...]:
    wanted, mask = _value_and_mask(value)
    return (f"{wanted:#x}/{mask:#x}",)


def _value_and_mask(value: str) -> tuple[int, int]:
    wanted, slash, mask = value.partition("/")
    return int(wanted, 0), int(mask, 0) if slash else _ALL_BITS


def _states(option: _Option) -> list[Match]:
    """The states of xt_conntrack.c, two of which, DNAT and SNAT, are no states but marks of translation."""
    (value,) = option.values
    status = tuple(word for word in _words(value) if word in ("dnat", "snat"))
    states = tuple(word for word in _words(value) if word not in status)
    if status and states and not option.negated:
        raise ValueError("one or the other: that is more than a list of matches can say")
    pairs = ((Field.STATE, states), (Field.STATUS, status))
    return [Match(looks_at, values, option.negated) for looks_at, values in pairs if values]


def _tcp_flags(option: _Option) -> list[Match]:
    mask, wanted = (_flag_names(value) for value in option.values)
    return [Match(Field.TCP_FLAGS, (f"{wanted}/{mask}",), option.negated)]


def _flag_names(value: str) -> str:
    return {"ALL": "fin,syn,rst,psh,ack,urg", "NONE": ""}.get(value, value.lower())


def _syn(option: _Option) -> list[Match]:
    return [Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,ack",), option.negated)]


_BASIC: Final = frozenset({"-i", "-o", "-s", "-d", "-p", "-f"})
#: By module and option; options without a module are the packet filter's own.
_MATCHES: Final[dict[tuple[str, str], _Reader]] = {
    ("", "-i"): _one(Field.IIF, _as_is),
    ("", "-o"): _one(Field.OIF, _as_is),
    ("", "-s"): _one(Field.SOURCE, _subnet),
    ("", "-d"): _one(Field.DESTINATION, _subnet),
    ("", "-p"): _one(Field.PROTOCOL, _protocol),
    ("tcp", "--sport"): _one(Field.SOURCE_PORT, _ports),
    ("tcp", "--dport"): _one(Field.DESTINATION_PORT, _ports),
    ("tcp", "--tcp-flags"): _tcp_flags,
    ("tcp", "--syn"): _syn,
    ("udp", "--sport"): _one(Field.SOURCE_PORT, _ports),
    ("udp", "--dport"): _one(Field.DESTINATION_PORT, _ports),
    ("multiport", "--sports"): _one(Field.SOURCE_PORT, _ports),
    ("multiport", "--dports"): _one(Field.DESTINATION_PORT, _ports),
    ("conntrack", "--ctstate"): _states,
    ("conntrack", "--ctstatus"): _one(Field.STATUS, _words),
    ("state", "--state"): _states,
    ("mark", "--mark"): _one(Field.MARK, _mark),
    ("connmark", "--mark"): _one(Field.CONNTRACK_MARK, _mark),
    ("addrtype", "--src-type"): _one(Field.SOURCE_TYPE, _words),
    ("addrtype", "--dst-type"): _one(Field.DESTINATION_TYPE, _words),
    ("iprange", "--src-range"): _one(Field.SOURCE, _range),
    ("iprange", "--dst-range"): _one(Field.DESTINATION, _range),
    ("comment", "--comment"): lambda _: [],
}
#: Those that match everything without an option.
_MODULES: Final = frozenset(module for module, _ in _MATCHES)


def _actions(options: Sequence[_Option], chains: dict[str, Chain]) -> tuple[Action, ...]:
    """What the target does.

    :param options: ``-j`` or ``-g``, and the target's own; none of a rule without a target
    :param chains: the table's own, which may be jumped to
    """
    if not options:
        return ()
    jump, own = options[0], {option.name: option.values for option in options[1:]}
    target = " ".join(jump.values)
    if jump.name == "-g":
        return (Action(Act.GOTO, target),)
    if target in chains:
        return (Action(Act.JUMP, target),)
    if target in _HARMLESS_TARGETS:
        return ()
    try:
        return _TARGETS[target](own)
    except (KeyError, ValueError, IndexError):
        return (Action(Act.UNKNOWN, " ".join(word for option in options for word in option.words)),)


_Values = dict[str, tuple[str, ...]]
_Target = Callable[[_Values], tuple[Action, ...]]


def _always(act: Act) -> _Target:
    return lambda _: (Action(act),)


def _reject(own: _Values) -> tuple[Action, ...]:
    (how,) = own.get("--reject-with", ("icmp-port-unreachable",))
    return (Action(Act.REJECT, how),)


def _translate(act: Act, option: str) -> _Target:
    """DNAT or SNAT; a range of addresses, and ports drawn by lot, are not known."""

    def target(own: _Values) -> tuple[Action, ...]:
        (where,) = own[option]
        address, ports = _address_and_ports(where)
        if address:
            ipaddress.ip_address(address.strip("[]"))
        if "-" in ports and {"--random", "--random-fully"} & own.keys():
            raise ValueError("any of these ports")
        return (Action(act, where),)

    return target


def _address_and_ports(where: str) -> tuple[str, str]:
    if where.startswith("["):
        address, _, ports = where.partition("]:")
        return address, ports
    if where.count(":") > 1:
        return where, ""  # an IPv6 address without a port stands without brackets
    address, _, ports = where.partition(":")
    return address, ports


def _redirect(own: _Values) -> tuple[Action, ...]:
    if "--to-ports" not in own:
        return (Action(Act.REDIRECT),)
    (ports,) = own["--to-ports"]
    if "-" in ports and {"--random", "--random-fully"} & own.keys():
        raise ValueError("any of these ports")
    return (Action(Act.REDIRECT, f":{ports}"),)


def _set_mark(own: _Values, act: Act) -> tuple[Action, ...]:
    """All forms come down to one, mark = (mark & ~mask) ^ value (xt_mark.c, xt_connmark.c)."""
    ((option, (text, *_)),) = own.items()
    value, mask = _value_and_mask(text)
    match option:
        case "--set-xmark":
            pass
        case "--set-mark":
            mask |= value
        case "--or-mark":
            mask = value
        case "--and-mark":
            value, mask = 0, ~value & _ALL_BITS
        case "--xor-mark":
            mask = 0
        case _:
            raise KeyError(option)
    return (Action(act, f"{~mask & _ALL_BITS:#x}/{value:#x}"),)


def _mark_packet(own: _Values) -> tuple[Action, ...]:
    return _set_mark(own, Act.SET_MARK)


def _mark_connection(own: _Values) -> tuple[Action, ...]:
    copies = {"--restore-mark": Act.SET_MARK, "--save-mark": Act.SET_CONNTRACK_MARK}
    act = next((act for option, act in copies.items() if option in own), None)
    if act is None:
        return _set_mark(own, Act.SET_CONNTRACK_MARK)
    (both,) = own.get("--mask", (hex(_ALL_BITS),))
    (packet,), (connection,) = own.get("--nfmask", (both,)), own.get("--ctmask", (both,))
    return (Action(act, f"copy {int(packet, 0):#x}/{int(connection, 0):#x}"),)


def _tracking(own: _Values) -> tuple[Action, ...]:
    if own.keys() == {"--notrack"}:
        return (Action(Act.NOTRACK),)
    if own.keys() == {"--helper"}:
        return ()  # it looks into the connection once that is there
    raise KeyError("--zone and the like")


_TARGETS: Final[dict[str, _Target]] = {
    "ACCEPT": _always(Act.ACCEPT),
    "DROP": _always(Act.DROP),
    "RETURN": _always(Act.RETURN),
    "NOTRACK": _always(Act.NOTRACK),
    "REJECT": _reject,
    "DNAT": _translate(Act.DNAT, "--to-destination"),
    "SNAT": _translate(Act.SNAT, "--to-source"),
    "MASQUERADE": _always(Act.MASQUERADE),
    "REDIRECT": _redirect,
    "MARK": _mark_packet,
    "CONNMARK": _mark_connection,
    "CT": _tracking,
}
