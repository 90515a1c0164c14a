"""The rules of netavark's nftables driver, as ``nft list ruleset`` prints them (src/firewall/nft.rs). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from testbed.change.podman.isolation import Isolation, isolation_of
from testbed.change.podman.plan import Kept, Leg, Option, Plan, PlannedRule, jump, ranges, rule
from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Published, Ruleset, Subnet
from testbed.evidence.programs import DNS_PORT
from testbed.model import Address, bracketed

FAMILY: Final = "inet"
TABLE: Final = "netavark"
_DNAT: Final = "NETAVARK-HOSTPORT-DNAT"
_SETMARK: Final = "NETAVARK-HOSTPORT-SETMARK"
_ISOLATION: Final = ("NETAVARK-ISOLATION-1", "NETAVARK-ISOLATION-2", "NETAVARK-ISOLATION-3")
_MARK: Final = 0x2000
_BASE: Final = (
    ("INPUT", Hook.INPUT, "filter", 0),
    ("FORWARD", Hook.FORWARD, "filter", 0),
    ("POSTROUTING", Hook.POSTROUTING, "nat", 100),
    ("PREROUTING", Hook.PREROUTING, "nat", -100),
    ("OUTPUT", Hook.OUTPUT, "nat", -100),
)
_ID_DIGITS: Final = 8
_QUESTIONS: Final = Option(
    f"meta l4proto {{ tcp, udp }} th dport {DNS_PORT}",
    (Match(Field.PROTOCOL, ("tcp", "udp")), Match(Field.DESTINATION_PORT, (str(DNS_PORT),))),
)


def plan(leg: Leg, ruleset: Ruleset) -> Plan:
    """All rules for a container on a subnet.

    :param ruleset: the one that they are for: it says by which name the network's chains go
    """
    own = _own_chain(leg, ruleset)
    inner = f"{own}_dnat"
    names = (_DNAT, _SETMARK, *_ISOLATION, own, *([inner] if leg.published else []))
    chains = [
        Chain(Backend.NFTABLES, FAMILY, TABLE, name, hook=hook, kind=kind, priority=priority)
        for name, hook, kind, priority in _BASE
    ]
    chains += [Chain(Backend.NFTABLES, FAMILY, TABLE, name) for name in names]
    rules = (*_of_all(), *_isolation(leg), *_of_network(leg, own), *_of_ports(leg, inner))
    return Plan(tuple(chains), rules, frozenset((own, inner)))


def _own_chain(leg: Leg, ruleset: Ruleset) -> str:
    """The chain of a subnet: by the network's id, which no picture has but for the default network's, and its subnet.

    The default network's id is the SHA-256 of its name (containers/common, libnetwork/netavark/const.go).
    """
    subnet = str(leg.subnet).replace(".", "_").replace(":", "-").replace("/", "_nm")
    for chain in ruleset.chains:
        if chain.table == TABLE and chain.name.startswith("nv_") and chain.name.endswith(f"_{subnet}"):
            return chain.name
    return f"nv_{hashlib.sha256(leg.network.name.encode()).hexdigest()[:_ID_DIGITS]}_{subnet}"


def _of_all() -> Iterator[PlannedRule]:
    marked = Option(f"meta mark & {_MARK:#x} == {_MARK:#x}", (Match(Field.MARK, (f"{_MARK:#x}/{_MARK:#x}",)),))
    yield _planned("POSTROUTING", [marked], "masquerade", Action(Act.MASQUERADE), Kept.ALWAYS)
    xor = Action(Act.SET_MARK, f"{~_MARK & 0xFFFF_FFFF:#x}/{_MARK:#x}")
    yield _planned(_SETMARK, [], f"meta mark set meta mark | {_MARK:#x}", xor, Kept.ALWAYS)
    local = Option("fib daddr type local", (Match(Field.DESTINATION_TYPE, ("local",)),))
    for name in ("PREROUTING", "OUTPUT"):
        yield _planned(name, [local], f"jump {_DNAT}", jump(_DNAT), Kept.ALWAYS)
    invalid = Option("ct state invalid", (Match(Field.STATE, ("invalid",)),))
    yield _planned("FORWARD", [invalid], "drop", Action(Act.DROP), Kept.ALWAYS)
    yield _planned("FORWARD", [], f"jump {_ISOLATION[0]}", jump(_ISOLATION[0]), Kept.ALWAYS)


def _isolation(leg: Leg) -> Iterator[PlannedRule]:
    bridge, kind = leg.network.bridge, isolation_of(leg.network, leg.podman)
    first, second, third = _ISOLATION
    leaving = Option(f'oifname "{bridge}"', (Match(Field.OIF, (bridge,)),))
    if kind is Isolation.NONE:
        yield _planned(third, [leaving], "drop", Action(Act.DROP), Kept.NETWORK, 0)
    else:
        passing = Option(
            f'iifname "{bridge}" oifname != "{bridge}"',
            (Match(Field.IIF, (bridge,)), Match(Field.OIF, (bridge,), negated=True)),
        )
        goal = third if kind is Isolation.STRICT else second
        yield _planned(first, [passing], f"jump {goal}", jump(goal), Kept.NETWORK)
        yield _planned(second, [leaving], "drop", Action(Act.DROP), Kept.NETWORK)
    yield _planned(third, [], f"jump {second}", jump(second), Kept.ALWAYS)


def _of_network(leg: Leg, own: str) -> Iterator[PlannedRule]:
    subnet = leg.subnet
    all_multicast = "224.0.0.0/4" if subnet.version == 4 else "ff00::/8"
    yield _planned(own, [_address("daddr", str(subnet))], "accept", Action(Act.ACCEPT), Kept.NETWORK)
    others = _address("daddr", all_multicast, negated=True)
    yield _planned(own, [others], "masquerade", Action(Act.MASQUERADE), Kept.NETWORK)
    yield _planned("INPUT", [_from(subnet), _QUESTIONS], "accept", Action(Act.ACCEPT), Kept.NETWORK)
    answers = Option("ct state established,related", (Match(Field.STATE, ("established", "related")),))
    to = _address("daddr", str(subnet))
    yield _planned("FORWARD", [to, answers], "accept", Action(Act.ACCEPT), Kept.NETWORK)
    yield _planned("FORWARD", [_from(subnet)], "accept", Action(Act.ACCEPT), Kept.NETWORK)
    yield _planned("POSTROUTING", [_from(subnet)], f"jump {own}", jump(own), Kept.NETWORK)


def _of_ports(leg: Leg, chain: str) -> Iterator[PlannedRule]:
    version = leg.subnet.version
    family = "ip" if version == 4 else "ip6"
    of_family = Option("", (Match(Field.FAMILY, (str(version),)),))
    for ports in ranges(leg.published):
        published = ports.first
        port, called = _port(published.protocol, published.host_port, ports.last), _called(published)
        yield _planned(_DNAT, [*called, port], f"jump {chain}", jump(chain), Kept.CONTAINER)
        sources = [str(leg.subnet), *(["127.0.0.1"] if version == 4 else [])]
        for source in sources:
            options = [_address("saddr", source), *called, port]
            yield _planned(chain, options, f"jump {_SETMARK}", jump(_SETMARK), Kept.CONTAINER)
        for number in range(ports.count):
            goal = f"{bracketed(str(leg.address))}:{published.container_port + number}"
            options = [*called, _port(published.protocol, published.host_port + number), of_family]
            words = f"dnat {family} to {goal}"
            yield _planned(chain, options, words, Action(Act.DNAT, goal), Kept.CONTAINER)


def redirection(gateway: Address, port: int) -> Plan:
    """The rule that leads questions to a network's resolver which does not listen on port 53."""
    family = "ip" if gateway.version == 4 else "ip6"
    goal = f"{bracketed(str(gateway))}:{port}"
    options = [_address("daddr", str(gateway)), _QUESTIONS, Option("", (Match(Field.FAMILY, (str(gateway.version),)),))]
    led = _planned(_DNAT, options, f"dnat {family} to {goal}", Action(Act.DNAT, goal), Kept.NETWORK, 0)
    return Plan((Chain(Backend.NFTABLES, FAMILY, TABLE, _DNAT),), (led,), frozenset())


def _called(published: Published) -> list[Option]:
    one = published.host_address not in ("", "0.0.0.0", "::")
    return [_address("daddr", published.host_address)] if one else []


def _address(field: str, text: str, *, negated: bool = False) -> Option:
    version = "6" if ":" in text else "4"
    looks_at = Field.SOURCE if field == "saddr" else Field.DESTINATION
    words = f"{'ip' if version == '4' else 'ip6'} {field} {'!= ' if negated else ''}{text}"
    return Option(words, (Match(Field.FAMILY, (version,)), Match(looks_at, (text,), negated)))


def _from(subnet: Subnet) -> Option:
    return _address("saddr", str(subnet))


def _port(protocol: str, first: int, last: int = 0) -> Option:
    ports = f"{first}-{last}" if last > first else str(first)
    return Option(
        f"{protocol} dport {ports}",
        (Match(Field.PROTOCOL, (protocol,)), Match(Field.DESTINATION_PORT, (ports,))),
    )


def _planned(
    chain: str,
    options: Iterable[Option],
    words: str,
    action: Action,
    kept: Kept,
    position: int | None = None,
) -> PlannedRule:
    return PlannedRule(chain, TABLE, rule(options, words, action), kept, position)
