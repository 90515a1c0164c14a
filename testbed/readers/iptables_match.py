"""The matches of a rule of iptables, by module and option (iptables-extensions(8)). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from testbed.evidence import Field, Match
from testbed.readers.ipset_text import IpSets, match_set
from testbed.readers.iptables_option import Option, value_and_mask

_ALL_HOPS: Final = 255
_PROTOCOLS: Final = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6", "58": "icmpv6", "1": "icmp", "6": "tcp", "17": "udp"}
_LAST_PORT: Final = 65535


def matches_of(options: Sequence[Option], sets: IpSets) -> tuple[Match, ...]:
    """The conditions that the options of a rule before its target make.

    :param sets: those of ipset(8), which a rule may look into
    """
    found: list[Match] = []
    unknown: dict[str, list[str]] = {}
    module = ""
    for option in options:
        if option.name == "-m":
            module = " ".join(option.values)
            if module in _ALONE:
                found.append(_ALONE[module])
            elif module not in _MODULES and module != _MATCH_SET[0]:
                unknown[module] = option.words
            continue
        if module == "rpfilter" and option.name in _RPFILTER:
            found[-1] = _reverse_path(found[-1], option.name)
            continue
        try:
            if (module, option.name) == _MATCH_SET:
                name, directions = option.values
                found.append(match_set(sets, name, directions.split(","), negated=option.negated))
                continue
            found += _MATCHES["" if option.name in _BASIC else module, option.name](option)
        except (KeyError, ValueError, IndexError):
            unknown.setdefault(module, ["-m", module] if module else []).extend(option.words)
    found += [Match(Field.UNKNOWN, (" ".join(words),)) for words in unknown.values()]
    return tuple(found)


_MATCH_SET: Final = ("set", "--match-set")
#: The options of rpfilter. Only local sources are treated otherwise by the last one.
_RPFILTER: Final = frozenset({"--loose", "--validmark", "--invert", "--accept-local"})


def _reverse_path(match: Match, option: str) -> Match:
    """The match of rpfilter that an option makes."""
    (value,) = match.values
    if option == "--loose":
        return replace(match, values=(value.replace("strict", "loose"),))
    if option == "--validmark":
        return replace(match, values=(f"{value} mark",))
    return replace(match, negated=True) if option == "--invert" else match


_Reader = Callable[[Option], list[Match]]


def _one(looks_at: Field, read: Callable[[str], tuple[str, ...]]) -> _Reader:
    """Reads an option with one value."""

    def reader(option: Option) -> list[Match]:
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
    wanted, mask = value_and_mask(value)
    return (f"{wanted:#x}/{mask:#x}",)


def _states(option: Option) -> list[Match]:
    """The states of xt_conntrack.c, two of which, DNAT and SNAT, are no states but marks of translation."""
    (value,) = option.values
    status = tuple(word for word in _words(value) if word in ("dnat", "snat"))
    states = tuple(word for word in _words(value) if word not in status)
    if status and states and not option.negated:
        raise ValueError("one or the other: that is more than a list of matches can say")
    pairs = ((Field.STATE, states), (Field.STATUS, status))
    return [Match(looks_at, values, option.negated) for looks_at, values in pairs if values]


def _tcp_flags(option: Option) -> list[Match]:
    mask, wanted = (_flag_names(value) for value in option.values)
    return [Match(Field.TCP_FLAGS, (f"{wanted}/{mask}",), option.negated)]


def _flag_names(value: str) -> str:
    return {"ALL": "fin,syn,rst,psh,ack,urg", "NONE": ""}.get(value, value.lower())


def _syn(option: Option) -> list[Match]:
    return [Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,ack",), option.negated)]


def _numbers(value: str) -> tuple[str, ...]:
    first, _, last = value.partition("-")
    return (f"{int(first)}-{int(last)}" if last else str(int(first)),)


def _icmp_type(option: Option) -> list[Match]:
    (value,) = option.values
    if value in ("any", "255"):
        return [] if not option.negated else [Match(Field.UNKNOWN, tuple(option.words))]
    kind, slash, code = value.partition("/")
    return [Match(Field.ICMP_TYPE, (f"{int(kind)}{slash}{code and int(code)}",), option.negated)]


def _hops(option: Option) -> list[Match]:
    (value,) = option.values
    number = int(value)
    spans = {"eq": str(number), "lt": f"0-{number - 1}", "gt": f"{number + 1}-{_ALL_HOPS}"}
    return [Match(Field.HOP_LIMIT, (spans[option.name.rpartition("-")[2]],), option.negated)]


def _policy(option: Option) -> list[Match]:
    (value,) = option.values
    return [Match(Field.IPSEC, ({"none": "none", "ipsec": "ipsec"}[value],), option.negated)]


def _direction(option: Option) -> list[Match]:
    (value,) = option.values
    if value not in ("in", "out"):
        raise ValueError(value)
    return []


def _flag(looks_at: Field, value: str = "yes", *, negates: bool = False) -> _Reader:
    """Reads an option without a value."""
    return lambda option: [Match(looks_at, (value,), option.negated is not negates)]


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
    ("", "-f"): _flag(Field.FRAGMENT),
    ("icmp", "--icmp-type"): _icmp_type,
    ("icmp6", "--icmpv6-type"): _icmp_type,
    ("multiport", "--ports"): _one(Field.EITHER_PORT, _ports),
    ("owner", "--uid-owner"): _one(Field.USER, _numbers),
    ("owner", "--gid-owner"): _one(Field.GROUP, _numbers),
    ("owner", "--socket-exists"): _flag(Field.SOCKET),
    ("pkttype", "--pkt-type"): _one(Field.PACKET_TYPE, _words),
    ("physdev", "--physdev-in"): _one(Field.BRIDGE_PORT_IN, _as_is),
    ("physdev", "--physdev-out"): _one(Field.BRIDGE_PORT_OUT, _as_is),
    ("physdev", "--physdev-is-in"): _flag(Field.BRIDGE_PORT_IN, "", negates=True),
    ("physdev", "--physdev-is-out"): _flag(Field.BRIDGE_PORT_OUT, "", negates=True),
    ("physdev", "--physdev-is-bridged"): _flag(Field.BRIDGED),
    ("policy", "--dir"): _direction,
    ("policy", "--pol"): _policy,
    **{("ttl", f"--ttl-{how}"): _hops for how in ("eq", "lt", "gt")},
    **{("hl", f"--hl-{how}"): _hops for how in ("eq", "lt", "gt")},
    ("conntrack", "--ctproto"): _one(Field.PROTOCOL, _protocol),
    ("conntrack", "--ctdir"): _one(Field.DIRECTION, _words),
    ("conntrack", "--ctorigsrc"): _one(Field.ORIGINAL_SOURCE, _subnet),
    ("conntrack", "--ctorigdst"): _one(Field.ORIGINAL_DESTINATION, _subnet),
    ("conntrack", "--ctorigsrcport"): _one(Field.ORIGINAL_SOURCE_PORT, _ports),
    ("conntrack", "--ctorigdstport"): _one(Field.ORIGINAL_DESTINATION_PORT, _ports),
    ("conntrack", "--ctreplsrc"): _one(Field.REPLY_SOURCE, _subnet),
    ("conntrack", "--ctrepldst"): _one(Field.REPLY_DESTINATION, _subnet),
    ("conntrack", "--ctreplsrcport"): _one(Field.REPLY_SOURCE_PORT, _ports),
    ("conntrack", "--ctrepldstport"): _one(Field.REPLY_DESTINATION_PORT, _ports),
    ("rt", "--rt-type"): _flag(Field.EXTENSION_HEADER, "rt"),
    ("ipv6header", "--header"): _one(Field.EXTENSION_HEADER, _as_is),
    ("frag", "--fragid"): _flag(Field.EXTENSION_HEADER, "frag"),
}
#: Those that are a match by themselves; of rpfilter the options make it another one.
_ALONE: Final = {
    "rpfilter": Match(Field.REVERSE_PATH, ("strict",)),
    **{name: Match(Field.EXTENSION_HEADER, (name,)) for name in ("ah", "dst", "frag", "hbh", "mh", "rt")},
}
#: Those that match everything without an option.
_MODULES: Final = frozenset(module for module, _ in _MATCHES)
