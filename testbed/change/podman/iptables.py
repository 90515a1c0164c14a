"""The rules of netavark's iptables driver, as iptables-save(8) prints them (src/firewall/varktables/types.rs). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from testbed.change.podman.isolation import Isolation, isolation_of
from testbed.change.podman.plan import Kept, Leg, Option, Plan, PlannedRule, jump, ranges, rule
from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Published, Rule, Subnet
from testbed.evidence.programs import DNS_PORT
from testbed.model import Address, bracketed

_FILTER: Final = "filter"
_NAT: Final = "nat"
_FORWARD: Final = "NETAVARK_FORWARD"
_INPUT: Final = "NETAVARK_INPUT"
_DNAT: Final = "NETAVARK-HOSTPORT-DNAT"
_SETMARK: Final = "NETAVARK-HOSTPORT-SETMARK"
_MASQUERADE: Final = "NETAVARK-HOSTPORT-MASQ"
_ISOLATION: Final = ("NETAVARK_ISOLATION_1", "NETAVARK_ISOLATION_2", "NETAVARK_ISOLATION_3")
_MARK: Final = 0x2000
#: A chain's name has at most 28 characters, so that netavark takes as many of the digest (src/network/core_utils.rs).
_DIGITS: Final = 13
#: Hook and priority of the chains that every table has (include/uapi/linux/netfilter_ipv4.h, nf_ip_hook_priorities).
_BASE: Final = (
    (_FILTER, "INPUT", Hook.INPUT, 0),
    (_FILTER, "FORWARD", Hook.FORWARD, 0),
    (_FILTER, "OUTPUT", Hook.OUTPUT, 0),
    (_NAT, "PREROUTING", Hook.PREROUTING, -100),
    (_NAT, "INPUT", Hook.INPUT, 100),
    (_NAT, "OUTPUT", Hook.OUTPUT, -100),
    (_NAT, "POSTROUTING", Hook.POSTROUTING, 100),
)
#: The first Podman that came with a netavark that lets questions in and drops what is invalid (netavark 1.8).
_WITH_INPUT: Final = (4, 7)
_COMMENT: Final = '-m comment --comment "{}"'


def plan(leg: Leg, backend: Backend, *, with_input: bool | None = None) -> Plan:
    """All rules for a container on a subnet.

    :param backend: iptables or iptables-legacy
    :param with_input: whether this netavark has a chain NETAVARK_INPUT; None goes by the version of Podman
    """
    family = "ip" if leg.subnet.version == 4 else "ip6"
    newer = leg.podman >= _WITH_INPUT if with_input is None else with_input
    own = _own_chains(leg)
    names = [(_FILTER, _FORWARD), *([(_FILTER, _INPUT)] if newer else [])]
    names += [(_FILTER, name) for name in _isolation_chains(leg, newer=newer)]
    names += [(_NAT, name) for name in (_DNAT, _SETMARK, _MASQUERADE, own[0], *(own[1:] if leg.published else ()))]
    chains = [
        Chain(backend, family, table, name, hook=hook, kind="nat" if table == _NAT else "filter", priority=priority)
        for table, name, hook, priority in _BASE
    ]
    chains += [Chain(backend, family, table, name) for table, name in names]
    rules = (*_of_network(leg, own[0], newer=newer), *_of_ports(leg, own[1]), *_of_all())
    return Plan(tuple(chains), rules, frozenset(own))


def _own_chains(leg: Leg) -> tuple[str, str]:
    digest = hashlib.sha512(leg.network.name.encode()).hexdigest()[:_DIGITS].upper()
    return f"NETAVARK-{digest}", f"NETAVARK-DN-{digest}"


# --- the network ------------------------------------------------------------------------------------------------------


def _of_network(leg: Leg, chain: str, *, newer: bool) -> Iterator[PlannedRule]:
    subnet, all_multicast = leg.subnet, "224.0.0.0/4" if leg.subnet.version == 4 else "ff00::/8"
    yield _planned(_NAT, chain, [_to(subnet)], "ACCEPT", Action(Act.ACCEPT), Kept.NETWORK)
    but_multicast = Option(f"! -d {all_multicast}", (Match(Field.DESTINATION, (all_multicast,), negated=True),))
    yield _planned(_NAT, chain, [but_multicast], "MASQUERADE", Action(Act.MASQUERADE), Kept.NETWORK)
    yield _planned(_NAT, "POSTROUTING", [_from(subnet)], chain, jump(chain), Kept.NETWORK)
    yield from _isolation(leg, newer=newer)
    first = int(isolation_of(leg.network, leg.podman) is not Isolation.NONE)
    yield _ours(_FILTER, "FORWARD", _FORWARD, first)
    if newer:
        yield _ours(_FILTER, "INPUT", _INPUT, 0)
        for protocol in ("udp", "tcp"):
            options = [_from(subnet), *_port(protocol, DNS_PORT)]
            yield _planned(_FILTER, _INPUT, options, "ACCEPT", Action(Act.ACCEPT), Kept.NETWORK)
        yield _planned(_FILTER, _FORWARD, [_state("INVALID")], "DROP", Action(Act.DROP), Kept.ALWAYS)
    answers = [_to(subnet), _state("RELATED,ESTABLISHED")]
    yield _planned(_FILTER, _FORWARD, answers, "ACCEPT", Action(Act.ACCEPT), Kept.NETWORK)
    yield _planned(_FILTER, _FORWARD, [_from(subnet)], "ACCEPT", Action(Act.ACCEPT), Kept.NETWORK)


def _isolation_chains(leg: Leg, *, newer: bool) -> tuple[str, ...]:
    if newer:
        return _ISOLATION if isolation_of(leg.network, leg.podman) is not Isolation.NONE else _ISOLATION[1:]
    return _ISOLATION[:2] if isolation_of(leg.network, leg.podman) is not Isolation.NONE else ()


def _isolation(leg: Leg, *, newer: bool) -> Iterator[PlannedRule]:
    """Rules that keep networks apart: from an isolated one the first chain leads to a drop for each other bridge."""
    bridge, kind = leg.network.bridge, isolation_of(leg.network, leg.podman)
    first, second, third = _ISOLATION
    leaving = [Option(f"-o {bridge}", (Match(Field.OIF, (bridge,)),))]
    if kind is Isolation.NONE:
        if newer:
            yield _planned(_FILTER, third, leaving, "DROP", Action(Act.DROP), Kept.NETWORK, 0)
            yield _planned(_FILTER, third, [], second, jump(second), Kept.ALWAYS, 1)
        return
    yield _planned(_FILTER, "FORWARD", [], first, jump(first), Kept.NETWORK, 0)
    passing = Option(
        f"-i {bridge} ! -o {bridge}", (Match(Field.IIF, (bridge,)), Match(Field.OIF, (bridge,), negated=True))
    )
    goal = third if kind is Isolation.STRICT and newer else second
    yield _planned(_FILTER, first, [passing], goal, jump(goal), Kept.NETWORK, 0)
    yield _planned(_FILTER, second, leaving, "DROP", Action(Act.DROP), Kept.NETWORK, 0)
    if newer:
        yield _planned(_FILTER, third, [], second, jump(second), Kept.ALWAYS, 0)


# --- published ports --------------------------------------------------------------------------------------------------


def _of_ports(leg: Leg, chain: str) -> Iterator[PlannedRule]:
    version = leg.subnet.version
    loopback = "127.0.0.1/32" if version == 4 else "::1/128"
    whose = _COMMENT.format(f"dnat name: {leg.network.name} id: {leg.container}")
    for ports in ranges(leg.published):
        published = ports.first
        port = _port(published.protocol, published.host_port, ports.last)
        called = _called(published, version)
        for source in (str(leg.subnet), loopback):
            yield _planned(_NAT, chain, [_source(source), *called, *port], _SETMARK, jump(_SETMARK), Kept.CONTAINER)
        goal = f"{bracketed(str(leg.address))}:{published.container_port}"
        if ports.count > 1:
            goal += f"-{published.container_port + ports.count - 1}/{published.host_port}"
        words = f"DNAT --to-destination {goal}"
        yield _planned(_NAT, chain, [*called, *port], words, Action(Act.DNAT, goal), Kept.CONTAINER)
        yield _planned(_NAT, _DNAT, port, chain, jump(chain), Kept.CONTAINER, tail=whose)


def _called(published: Published, version: int) -> list[Option]:
    """The host's address that a port is published on, where it is one."""
    if published.host_address in ("", "0.0.0.0", "::"):
        return []
    text = f"{published.host_address}/{32 if version == 4 else 128}"
    return [Option(f"-d {text}", (Match(Field.DESTINATION, (text,)),))]


def redirection(gateway: Address, port: int, backend: Backend) -> Plan:
    """The rules that lead questions to a network's resolver which does not listen on port 53."""
    family, bits = ("ip", 32) if gateway.version == 4 else ("ip6", 128)
    to = Option(f"-d {gateway}/{bits}", (Match(Field.DESTINATION, (f"{gateway}/{bits}",)),))
    goal = f"{bracketed(str(gateway))}:{port}"
    rules = tuple(
        _planned(
            _NAT,
            _DNAT,
            [to, *_port(protocol, DNS_PORT)],
            f"DNAT --to-destination {goal}",
            Action(Act.DNAT, goal),
            Kept.NETWORK,
            0,
        )
        for protocol in ("udp", "tcp")
    )
    return Plan((Chain(backend, family, _NAT, _DNAT),), rules, frozenset())


# --- all networks -----------------------------------------------------------------------------------------------------


def _of_all() -> Iterator[PlannedRule]:
    mark = f"{_MARK:#x}/{_MARK:#x}"
    xor = Action(Act.SET_MARK, f"{~_MARK & 0xFFFF_FFFF:#x}/{_MARK:#x}")
    yield _planned(_NAT, _SETMARK, [], f"MARK --set-xmark {mark}", xor, Kept.ALWAYS)
    marked = Option(f"{_COMMENT.format('netavark portfw masq mark')} -m mark --mark {mark}", (_marked(mark),))
    yield _planned(_NAT, _MASQUERADE, [marked], "MASQUERADE", Action(Act.MASQUERADE), Kept.ALWAYS)
    yield _planned(_NAT, "POSTROUTING", [], _MASQUERADE, jump(_MASQUERADE), Kept.ALWAYS, 0)
    local = Option("-m addrtype --dst-type LOCAL", (Match(Field.DESTINATION_TYPE, ("local",)),))
    for name in ("PREROUTING", "OUTPUT"):
        yield _planned(_NAT, name, [local], _DNAT, jump(_DNAT), Kept.ALWAYS)


def _ours(table: str, chain: str, to: str, position: int) -> PlannedRule:
    comment = _COMMENT.format("netavark firewall plugin rules")
    return _planned(table, chain, [], to, jump(to), Kept.ALWAYS, position, tail=comment)


def _marked(mark: str) -> Match:
    return Match(Field.MARK, (mark,))


def _planned(
    table: str,
    chain: str,
    options: Iterable[Option],
    target: str,
    action: Action,
    kept: Kept,
    position: int | None = None,
    *,
    tail: str = "",
) -> PlannedRule:
    made: Rule = rule(options, f"-j {target}", action, head=f"-A {chain}", tail=tail)
    return PlannedRule(chain, table, made, kept, position)


def _source(text: str) -> Option:
    return Option(f"-s {text}", (Match(Field.SOURCE, (text,)),))


def _from(subnet: Subnet) -> Option:
    return _source(str(subnet))


def _to(subnet: Subnet) -> Option:
    return Option(f"-d {subnet}", (Match(Field.DESTINATION, (str(subnet),)),))


def _port(protocol: str, first: int, last: int = 0) -> list[Option]:
    words, values = str(first), str(first)
    if last > first:
        words, values = f"{first}:{last}", f"{first}-{last}"
    return [
        Option(f"-p {protocol}", (Match(Field.PROTOCOL, (protocol,)),)),
        Option(f"-m {protocol} --dport {words}", (Match(Field.DESTINATION_PORT, (values,)),)),
    ]


def _state(words: str) -> Option:
    values = tuple(words.lower().split(","))
    return Option(f"-m conntrack --ctstate {words}", (Match(Field.STATE, values),))
