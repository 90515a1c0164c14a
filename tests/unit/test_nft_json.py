"""nft's JSON as chains of rules. What each expression means is told by nft(8), its form by libnftables-json(5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule
from testbed.readers.nft_devices import devices_of
from testbed.readers.nft_json import native_chains, parse, wants_devices
from tests.unit.recorded import recorded

TCP = Match(Field.PROTOCOL, ("tcp",))
IPV4 = Match(Field.FAMILY, ("4",))
IPV6 = Match(Field.FAMILY, ("6",))


def ruleset(*items: dict[str, Any]) -> str:
    """What nft -j prints of a table ``inet t`` with these further items."""
    return json.dumps({"nftables": [{"table": {"family": "inet", "name": "t"}}, *items]})


def chain(name: str = "c", **more: Any) -> dict[str, Any]:
    """A chain of that table."""
    return {"chain": {"family": "inet", "table": "t", "name": name, **more}}


def rule(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule of the chain ``c``."""
    return {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": list(steps), **more}}


def rules(*steps: dict[str, Any], **more: Any) -> Sequence[Rule]:
    """What one rule becomes."""
    (only,) = parse(ruleset(chain(), rule(*steps, **more)))
    return only.rules


def by_text(name: str) -> dict[str, list[Rule]]:
    """The rules of a recorded file by their texts."""
    found: dict[str, list[Rule]] = {}
    for one in parse(recorded(name)):
        for each in one.rules:
            found.setdefault(each.text, []).append(each)
    return found


# Chains


def test_base_chains_are_hooked() -> None:
    """A base chain has its hook, kind, priority and policy."""
    (found,) = parse(ruleset(chain(type="nat", hook="postrouting", prio=100, policy="accept")))
    assert found == Chain(Backend.NFTABLES, "inet", "t", "c", (), Hook.POSTROUTING, "nat", 100, Act.ACCEPT)


def test_a_policy_of_drop_is_seen() -> None:
    """A base chain that drops what no rule decided has that policy."""
    (found,) = parse(ruleset(chain(type="filter", hook="input", prio=-5, policy="drop")))
    assert (found.policy, found.priority) == (Act.DROP, -5)


def test_other_chains_have_no_hook() -> None:
    """A chain that is jumped to has no hook and no priority."""
    (found,) = parse(ruleset(chain()))
    assert (found.hook, found.kind, found.priority) == (None, "", 0)


def test_a_dormant_table_does_nothing() -> None:
    """The chains of a dormant table are not in the way of any packet (nft(8), TABLES)."""
    text = ruleset(chain(type="filter", hook="input", prio=0, policy="drop")).replace(
        '"name": "t"}}', '"name": "t", "flags": ["dormant"]}}', 1
    )
    assert parse(text) == ()


def device_chain(**more: Any) -> str:
    """What nft -j prints of a table of devices with one chain."""
    chain = {"family": "netdev", "table": "n", "name": "c", "type": "filter", "hook": "ingress", "prio": 0, **more}
    return json.dumps({"nftables": [{"table": {"family": "netdev", "name": "n"}}, {"chain": chain}]})


def test_rules_of_devices_are_read_like_others() -> None:
    """A netdev chain is there, at the hook INGRESS, and its rules say of which family and protocol they are."""
    (found,) = (one for one in parse(recorded("expressions.json")) if one.family == "netdev")
    assert (found.hook, found.devices) == (Hook.INGRESS, None)
    assert found.rules == (
        Rule("ip saddr 1.2.3.4 drop", (IPV4, Match(Field.SOURCE, ("1.2.3.4",))), (Action(Act.DROP),)),
    )


@pytest.mark.parametrize(("dev", "expected"), [("eth0", ("eth0",)), (["a", "b"], ("a", "b"))])
def test_a_chain_of_devices_names_them(dev: str | list[str], expected: tuple[str, ...]) -> None:
    """Newer versions of nft print the devices in JSON, one by itself."""
    text = device_chain(dev=dev)
    assert not wants_devices(text)
    (found,) = parse(text)
    assert found.devices == expected


def test_the_devices_of_a_chain_are_read_from_text_too() -> None:
    """nft 1.0.6 does not print them in JSON; ``nft list chains`` does, in both of its forms."""
    listed = """table netdev n {
	chain c {
		type filter hook ingress device "eth0" priority filter; policy drop;
	}
	chain e {
		type filter hook egress devices = { v0, v1 } priority filter; policy accept;
	}
}"""
    assert devices_of(listed) == {("netdev", "n", "c"): ("eth0",), ("netdev", "n", "e"): ("v0", "v1")}
    text = device_chain()
    assert wants_devices(text)
    (found,) = parse(text, devices_of(listed))
    assert found.devices == ("eth0",)


def test_bridge_chains_are_kept() -> None:
    """The bridge family is read like the others."""
    (found,) = (one for one in parse(recorded("expressions.json")) if one.family == "bridge")
    assert found.rules == (Rule('iifname "a" drop', (Match(Field.IIF, ("a",)),), (Action(Act.DROP),)),)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nftables": 1}', '{"nftables": [1]}', '{"nftables": [{}]}'])
def test_anything_else_is_refused(text: str) -> None:
    """What is no output of nft -j raises ValueError."""
    with pytest.raises(ValueError, match=r"Expecting value|this is not what nft -j prints"):
        parse(text)


# Rules as nft 1.0.6 printed them, by nft's own words


@pytest.mark.parametrize(
    ("text", "matches", "action"),
    [
        (
            'iifname "podman0" tcp dport 9000 counter drop',
            [Match(Field.IIF, ("podman0",)), TCP, Match(Field.DESTINATION_PORT, ("9000",))],
            Action(Act.DROP),
        ),
        (
            'iifname "pod*" tcp dport 9000-9005 counter reject with icmpx port-unreachable',
            [Match(Field.IIF, ("pod+",)), TCP, Match(Field.DESTINATION_PORT, ("9000-9005",))],
            Action(Act.REJECT, "icmp-port-unreachable"),
        ),
        ('iifname != "pod*" drop', [Match(Field.IIF, ("pod+",), negated=True)], Action(Act.DROP)),
        ("iifname { br*, lo } accept", [Match(Field.IIF, ("br+", "lo"))], Action(Act.ACCEPT)),
        ('iif "lo" accept', [Match(Field.IIF, ("lo",))], Action(Act.ACCEPT)),
        ('oif "lo" accept', [Match(Field.OIF, ("lo",))], Action(Act.ACCEPT)),
        (
            "ip saddr @s tcp dport @p accept",
            [
                IPV4,
                Match(Field.SOURCE, ("1.2.3.4-1.2.3.9", "10.0.0.0/8")),
                TCP,
                Match(Field.DESTINATION_PORT, ("80", "443")),
            ],
            Action(Act.ACCEPT),
        ),
        (
            "ip saddr { 10.0.0.1, 10.0.1.0/24, 10.2.0.1-10.2.0.6 } accept",
            [IPV4, Match(Field.SOURCE, ("10.0.0.1", "10.0.1.0/24", "10.2.0.1-10.2.0.6"))],
            Action(Act.ACCEPT),
        ),
        (
            "ip daddr != 127.0.0.0/8 drop",
            [IPV4, Match(Field.DESTINATION, ("127.0.0.0/8",), negated=True)],
            Action(Act.DROP),
        ),
        (
            'iifname "lo" ip6 daddr ::1 accept',
            [Match(Field.IIF, ("lo",)), IPV6, Match(Field.DESTINATION, ("::1",))],
            Action(Act.ACCEPT),
        ),
        (
            "ip saddr 10.0.0.0/24 reject with icmp host-prohibited",
            [IPV4, Match(Field.SOURCE, ("10.0.0.0/24",)), IPV4],
            Action(Act.REJECT, "icmp-host-prohibited"),
        ),
        (
            "ip6 saddr fe80::/10 reject with icmpv6 addr-unreachable",
            [IPV6, Match(Field.SOURCE, ("fe80::/10",)), IPV6],
            Action(Act.REJECT, "icmp6-addr-unreachable"),
        ),
        ("reject with icmpx admin-prohibited", [], Action(Act.REJECT, "icmp-admin-prohibited")),
        ("meta l4proto tcp reject with tcp reset", [TCP, TCP], Action(Act.REJECT, "tcp-reset")),
        (
            "meta nfproto ipv4 meta l4proto { tcp, udp } th dport { 53, 100-200 } accept",
            [IPV4, Match(Field.PROTOCOL, ("tcp", "udp")), Match(Field.DESTINATION_PORT, ("53", "100-200"))],
            Action(Act.ACCEPT),
        ),
        ("meta protocol ip accept", [IPV4], Action(Act.ACCEPT)),
        ("meta l4proto ipv6-icmp accept", [Match(Field.PROTOCOL, ("icmpv6",))], Action(Act.ACCEPT)),
        ("ip protocol icmp accept", [IPV4, Match(Field.PROTOCOL, ("icmp",))], Action(Act.ACCEPT)),
        ("ip6 nexthdr tcp accept", [IPV6, TCP], Action(Act.ACCEPT)),
        ("tcp dport < 1024 drop", [TCP, Match(Field.DESTINATION_PORT, ("0-1023",))], Action(Act.DROP)),
        ("tcp dport >= 1024 drop", [TCP, Match(Field.DESTINATION_PORT, ("1024-65535",))], Action(Act.DROP)),
        (
            "tcp dport != { 22, 23 } drop",
            [TCP, Match(Field.DESTINATION_PORT, ("22", "23"), negated=True)],
            Action(Act.DROP),
        ),
        (
            "tcp flags & (fin|syn|rst|ack) == syn accept",
            [TCP, Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,ack",))],
            Action(Act.ACCEPT),
        ),
        ("tcp flags syn accept", [TCP, Match(Field.TCP_FLAGS, ("syn/syn",))], Action(Act.ACCEPT)),
        (
            "tcp flags != syn accept",
            [TCP, Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,psh,ack,urg,ecn,cwr",), negated=True)],
            Action(Act.ACCEPT),
        ),
        ("ct state established,related accept", [Match(Field.STATE, ("established", "related"))], Action(Act.ACCEPT)),
        ("ct state != new accept", [Match(Field.STATE, ("new",), negated=True)], Action(Act.ACCEPT)),
        (
            "ct state ! established,new accept",
            [Match(Field.STATE, ("established", "new"), negated=True)],
            Action(Act.ACCEPT),
        ),
        ("ct status dnat accept", [Match(Field.STATUS, ("dnat",))], Action(Act.ACCEPT)),
        ("ct status ! dnat accept", [Match(Field.STATUS, ("dnat",), negated=True)], Action(Act.ACCEPT)),
        ("ct status & dnat == dnat accept", [Match(Field.STATUS, ("dnat",))], Action(Act.ACCEPT)),
        ("meta mark 0x2000 accept", [Match(Field.MARK, ("0x2000/0xffffffff",))], Action(Act.ACCEPT)),
        ("meta mark & 0xff == 0x20 accept", [Match(Field.MARK, ("0x20/0xff",))], Action(Act.ACCEPT)),
        ("meta mark & 0x2000 != 0x0 accept", [Match(Field.MARK, ("0x0/0x2000",), negated=True)], Action(Act.ACCEPT)),
        ("ct mark & 0x10 == 0x10 accept", [Match(Field.CONNTRACK_MARK, ("0x10/0x10",))], Action(Act.ACCEPT)),
        ("meta mark set 0x1", [], Action(Act.SET_MARK, "0x0/0x1")),
        ("meta mark set meta mark | 0x2000", [], Action(Act.SET_MARK, "0xffffdfff/0x2000")),
        ("meta mark set meta mark & 0xff", [], Action(Act.SET_MARK, "0xff/0x0")),
        ("meta mark set meta mark ^ 0xff", [], Action(Act.SET_MARK, "0xffffffff/0xff")),
        ("meta mark set meta mark & 0xffff0001 | 0x1", [], Action(Act.SET_MARK, "0xffff0000/0x1")),
        ("meta mark set ct mark", [], Action(Act.SET_MARK, "copy 0xffffffff/0xffffffff")),
        ("ct mark set 0x1000", [], Action(Act.SET_CONNTRACK_MARK, "0x0/0x1000")),
        ("fib daddr type local jump dn", [Match(Field.DESTINATION_TYPE, ("local",))], Action(Act.JUMP, "dn")),
        (
            "fib daddr type { local, broadcast } goto dn",
            [Match(Field.DESTINATION_TYPE, ("local", "broadcast"))],
            Action(Act.GOTO, "dn"),
        ),
        (
            "tcp dport 8080 dnat ip to 10.88.0.2:80",
            [TCP, Match(Field.DESTINATION_PORT, ("8080",)), IPV4],
            Action(Act.DNAT, "10.88.0.2:80"),
        ),
        (
            "tcp dport 8080 dnat ip6 to [fd00::2]:80",
            [TCP, Match(Field.DESTINATION_PORT, ("8080",)), IPV6],
            Action(Act.DNAT, "[fd00::2]:80"),
        ),
        ("tcp dport 8080 dnat to :81", [TCP, Match(Field.DESTINATION_PORT, ("8080",))], Action(Act.DNAT, ":81")),
        (
            "tcp dport 8000-8010 dnat ip to 10.88.0.2:8000-8010",
            [TCP, Match(Field.DESTINATION_PORT, ("8000-8010",)), IPV4],
            Action(Act.DNAT, "10.88.0.2:8000-8010"),
        ),
        (
            "tcp dport 80 redirect to :8080",
            [TCP, Match(Field.DESTINATION_PORT, ("80",))],
            Action(Act.REDIRECT, ":8080"),
        ),
        ("tcp dport 80 redirect", [TCP, Match(Field.DESTINATION_PORT, ("80",))], Action(Act.REDIRECT)),
        ('oifname "eth*" masquerade', [Match(Field.OIF, ("eth+",))], Action(Act.MASQUERADE)),
        ("snat ip to 1.2.3.4", [IPV4], Action(Act.SNAT, "1.2.3.4")),
        ("notrack", [], Action(Act.NOTRACK)),
        (
            "icmp type echo-request accept",
            [Match(Field.PROTOCOL, ("icmp",)), Match(Field.ICMP_TYPE, ("8",))],
            Action(Act.ACCEPT),
        ),
        (
            "ct original ip daddr 1.2.3.4 accept",
            [Match(Field.ORIGINAL_DESTINATION, ("1.2.3.4",))],
            Action(Act.ACCEPT),
        ),
        ("skuid 0 accept", [Match(Field.SOCKET, ("yes",)), Match(Field.USER, ("0",))], Action(Act.ACCEPT)),
        ("ip ttl 64 accept", [IPV4, Match(Field.HOP_LIMIT, ("64",))], Action(Act.ACCEPT)),
    ],
)
def test_rule_is_understood(text: str, matches: list[Match], action: Action) -> None:
    """A rule of each kind: its matches, with the conditions that nft leaves unsaid, and its one action."""
    found = by_text("expressions.json")[text][0]
    assert (list(found.matches), found.actions) == (matches, (action,))


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("limit rate over 5/second drop", [Match(Field.UNKNOWN, ("limit rate over 5/second",))]),
        ("fib daddr . iif type local accept", [Match(Field.UNKNOWN, ("fib daddr . iif type local",))]),
    ],
)
def test_other_matches_are_unknown_in_nfts_words(text: str, matches: list[Match]) -> None:
    """What is not modelled is kept as text, beside what is known of what it looks at."""
    assert list(by_text("expressions.json")[text][0].matches) == matches


FIB = {"fib": {"result": "oif", "flags": ["saddr", "mark", "iif"]}}


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("==", FIB, False, [Match(Field.REVERSE_PATH, ("strict mark",), negated=True)]),
        ("==", FIB, True, [Match(Field.REVERSE_PATH, ("strict mark",))]),
        ("!=", FIB, False, [Match(Field.REVERSE_PATH, ("strict mark",))]),
        ("==", FIB, {"prefix": {"addr": False, "len": 8}}, [Match(Field.REVERSE_PATH, ("strict mark",), negated=True)]),
        ("==", FIB, "0", [Match(Field.REVERSE_PATH, ("strict mark",), negated=True)]),
        (
            "==",
            {"fib": {"result": "oifname", "flags": ["saddr"]}},
            True,
            [Match(Field.REVERSE_PATH, ("loose",))],
        ),
        (
            "==",
            {"payload": {"protocol": "icmpv6", "field": "code"}},
            "no-route",
            [Match(Field.PROTOCOL, ("icmpv6",)), Match(Field.ICMP_CODE, ("0",))],
        ),
        (
            "==",
            {"payload": {"protocol": "icmpv6", "field": "code"}},
            0,
            [Match(Field.PROTOCOL, ("icmpv6",)), Match(Field.ICMP_CODE, ("0",))],
        ),
        (
            "==",
            {"payload": {"protocol": "icmpv6", "field": "type"}},
            {"set": ["nd-router-advert", "nd-neighbor-solicit"]},
            [Match(Field.PROTOCOL, ("icmpv6",)), Match(Field.ICMP_TYPE, ("134", "135"))],
        ),
        ("==", {"payload": {"protocol": "ether", "field": "type"}}, "arp", [Match(Field.FAMILY, ("arp",))]),
        ("==", {"payload": {"protocol": "arp", "field": "htype"}}, 1, [Match(Field.FAMILY, ("arp",))]),
        ("==", {"exthdr": {"name": "frag"}}, False, [Match(Field.EXTENSION_HEADER, ("frag",), negated=True)]),
        (
            "!=",
            {"&": [{"payload": {"protocol": "ip", "field": "frag-off"}}, 8191]},
            0,
            [IPV4, Match(Field.FRAGMENT, ("yes",))],
        ),
        ("==", {"ct": {"key": "direction"}}, "reply", [Match(Field.DIRECTION, ("reply",))]),
        ("==", {"ct": {"key": "proto-dst", "dir": "original"}}, 80, [Match(Field.ORIGINAL_DESTINATION_PORT, ("80",))]),
        (
            "==",
            {"concat": [{"meta": {"key": "iifname"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]},
            {"set": [{"concat": ["a", {"range": [1, 9]}]}]},
            [TCP, Match(Field.CONCATENATION, ("a . 1-9",), fields=(Field.IIF, Field.DESTINATION_PORT))],
        ),
    ],
)
def test_what_every_version_prints_is_understood(op: str, left: Any, right: Any, expected: list[Match]) -> None:
    """Lookups of routes, ICMP's names and numbers, frames, conntrack's tuples, and several fields at once."""
    (found,) = rules({"match": {"op": op, "left": left, "right": right}}, {"drop": None})
    assert list(found.matches) == expected


DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}


def test_a_translation_by_a_map_is_one_for_each_pair() -> None:
    """The address, or address and port, are looked up; a packet that is in no pair goes on to the next rule."""
    found = rules({"dnat": {"addr": {"map": {"key": DPORT, "data": {"set": [[80, "10.0.0.1"], [81, "10.0.0.2"]]}}}}})
    assert [(each.matches[-1].values, each.actions) for each in found] == [
        (("80",), (Action(Act.DNAT, "10.0.0.1"),)),
        (("81",), (Action(Act.DNAT, "10.0.0.2"),)),
    ]
    both = rules({"dnat": {"addr": {"map": {"key": DPORT, "data": {"set": [[80, {"concat": ["10.0.0.1", 8080]}]]}}}}})
    assert [each.actions for each in both] == [(Action(Act.DNAT, "10.0.0.1:8080"),)]


def test_what_is_kept_in_a_set_is_no_condition() -> None:
    """Adding to a set lets every packet go on; with a limit for each element it does not."""
    add = {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@s"}
    (found,) = rules({"set": add}, {"drop": None})
    assert found.matches == ()
    (limited,) = rules({"set": {**add, "stmt": [{"limit": {"rate": 1, "per": "second"}}]}}, {"drop": None})
    assert [match.field for match in limited.matches] == [Field.UNKNOWN]


@pytest.mark.parametrize("text", ['log prefix "hello "', "continue"])
def test_what_only_tells_is_no_action(text: str) -> None:
    """Logging and going on are nothing that happens to a packet."""
    assert by_text("expressions.json")[text][0].actions == ()


@pytest.mark.parametrize("kind", ["queue", "tproxy", "synproxy", "fwd"])
def test_other_statements_are_unknown(kind: str) -> None:
    """A statement that is not modelled is kept as text."""
    (found,) = rules({kind: {"port": 1}})
    assert found.actions == (Action(Act.UNKNOWN, f'{kind} {{"port":1}}'),)


def test_what_only_iptables_understands_is_unknown() -> None:
    """An extension of iptables is an unknown match or an unknown action, by its type."""
    (found,) = rules({"xt": {"type": "match", "name": "recent"}}, {"xt": {"type": "target", "name": "TPROXY"}})
    assert found.matches == (Match(Field.UNKNOWN, ('xt match "recent"',)),)
    assert found.actions == (Action(Act.UNKNOWN, 'xt target "TPROXY"'),)


@pytest.mark.parametrize("address", [{"map": {"key": "x", "data": {}}}, {"range": ["10.0.0.1", "10.0.0.4"]}])
def test_several_destinations_are_unknown(address: dict[str, Any]) -> None:
    """Of a translation to one of several addresses it is not known which."""
    (found,) = rules({"dnat": {"family": "ip", "addr": address}})
    assert [action.act for action in found.actions] == [Act.UNKNOWN]


def test_a_port_drawn_by_lot_is_unknown() -> None:
    """Of a translation to a random port of a range it is not known to which."""
    (found,) = rules({"dnat": {"addr": "10.0.0.1", "port": {"range": [80, 90]}, "flags": "random"}})
    assert [action.act for action in found.actions] == [Act.UNKNOWN]


def test_bits_that_are_set_twice_are_set() -> None:
    """Setting a bit again leaves it set."""
    mark = {"meta": {"key": "mark"}}
    (found,) = rules({"mangle": {"key": mark, "value": {"|": [{"|": [mark, 1]}, 3]}}})
    assert found.actions == (Action(Act.SET_MARK, "0xfffffffc/0x3"),)


@pytest.mark.parametrize(
    ("op", "left", "right", "text"),
    [
        ("==", {"ct": {"key": "status"}}, ["dnat", "snat"], "ct status dnat,snat"),
        ("==", {"ct": {"key": "status"}}, "dnat", "ct status dnat"),
        ("==", {"ct": {"key": "state"}}, ["new", "related"], "ct state new,related"),
        ("in", {"meta": {"key": "mark"}}, 1, "meta mark 0x1"),
        (">", {"meta": {"key": "mark"}}, 1, "meta mark > 0x1"),
        ("==", {"meta": {"key": "iifname"}}, "tail+", 'iifname "tail+"'),
        ("==", {"meta": {"key": "iif"}}, 7, "iif 7"),
    ],
)
def test_comparisons_that_a_match_cannot_say_are_unknown(op: str, left: Any, right: Any, text: str) -> None:
    """All of several bits at once, bits of a number, a name that ends like a wildcard of ours: none is guessed."""
    (found,) = rules({"match": {"op": op, "left": left, "right": right}}, {"drop": None})
    assert found.matches == (Match(Field.UNKNOWN, (text,)),)


# Rules that become several


def test_a_verdict_map_is_a_rule_for_each_element() -> None:
    """``ct state vmap`` is one rule for each state, each with the text of the whole."""
    text = "ct state vmap { invalid : drop, established : accept, related : accept }"
    assert [(r.matches, r.actions) for r in by_text("expressions.json")[text]] == [
        ((Match(Field.STATE, ("invalid",)),), (Action(Act.DROP),)),
        ((Match(Field.STATE, ("established",)),), (Action(Act.ACCEPT),)),
        ((Match(Field.STATE, ("related",)),), (Action(Act.ACCEPT),)),
    ]


def test_a_named_verdict_map_is_looked_up() -> None:
    """The elements of a named map are those that are declared beside it."""
    (found,) = by_text("expressions.json")["tcp dport vmap @m"]
    assert (found.matches, found.actions) == ((TCP, Match(Field.DESTINATION_PORT, ("80",))), (Action(Act.DROP),))


def test_a_map_that_is_not_there_is_unknown() -> None:
    """Of a map without a declaration nothing is known."""
    (found,) = rules({"vmap": {"key": {"meta": {"key": "iifname"}}, "data": "@gone"}})
    assert [m.field for m in found.matches] == [Field.UNKNOWN]
    assert [a.act for a in found.actions] == [Act.UNKNOWN]


def test_a_set_that_is_not_there_is_unknown() -> None:
    """Of a set without a declaration nothing is known."""
    left = {"meta": {"key": "iifname"}}
    (found,) = rules({"match": {"op": "==", "left": left, "right": "@gone"}}, {"drop": None})
    assert found.matches == (Match(Field.UNKNOWN, ("iifname @gone",)),)


def test_a_set_of_another_table_is_not_this_one() -> None:
    """A set is looked up in the rule's own table."""
    other = {"set": {"family": "inet", "table": "other", "name": "s", "elem": ["lo"]}}
    step = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "@s"}}
    (found,) = parse(ruleset(other, chain(), rule(step, {"drop": None})))
    assert found.rules[0].matches == (Match(Field.UNKNOWN, ("iifname @s",)),)


def test_elements_lose_their_timeouts() -> None:
    """An element with a timeout or a comment is its value."""
    elements = {"set": {"family": "inet", "table": "t", "name": "s", "elem": [{"elem": {"val": 80, "timeout": 60}}]}}
    step = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@s"}}
    (found,) = parse(ruleset(elements, chain(), rule(step, {"drop": None})))
    assert found.rules[0].matches == (TCP, Match(Field.DESTINATION_PORT, ("80",)))


def test_what_is_done_before_a_match_is_done_without_it() -> None:
    """A mark that is set in front of a match is set whether or not that holds: that is a rule of its own."""
    step = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}
    mark = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}
    first, second = rules(mark, step, {"drop": None})
    assert (first.matches, first.actions) == ((), (Action(Act.SET_MARK, "0x0/0x1"),))
    assert (second.matches, second.actions) == ((TCP, Match(Field.DESTINATION_PORT, ("80",))), (Action(Act.DROP),))
    assert first.text == second.text == "meta mark set 0x1 tcp dport 80 drop"


def test_a_match_that_its_own_rule_has_made_stale_is_unknown() -> None:
    """A rule that looks at the mark, changes it and goes on: the second part cannot be asked again about the mark."""
    mark = {"meta": {"key": "mark"}}
    port = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}
    looked = {"match": {"op": "==", "left": mark, "right": 0}}
    _, second = rules(looked, {"mangle": {"key": mark, "value": 1}}, port, {"drop": None})
    assert [m.field for m in second.matches] == [Field.UNKNOWN, Field.PROTOCOL, Field.DESTINATION_PORT]


# Counters, comments


def test_a_counter_behind_all_matches_is_the_rules() -> None:
    """How often a rule has matched is what the counter behind its matches says."""
    text = 'iifname "a" oifname "b" tcp dport 22 ct state established,new counter accept'
    assert by_text("expressions.json")[text][0].packets == 1


def test_a_counter_in_front_of_a_match_is_not() -> None:
    """A counter in front of a match has counted others too."""
    step = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}
    (found,) = rules({"counter": {"packets": 5, "bytes": 300}}, step, {"drop": None})
    assert found.packets is None


def test_a_comment_is_part_of_the_text() -> None:
    """A rule is recognised by its comment, which stands at its end."""
    assert [r.text for r in rules({"accept": None}, comment="our own")] == ['accept comment "our own"']


# Whole rulesets


@pytest.mark.parametrize("name", ["netavark-1.14", "firewalld"])
def test_usual_rulesets_are_understood(name: str) -> None:
    """Nothing of what netavark and firewalld write is unknown."""
    for one in parse(recorded(f"{name}.json")):
        for each in one.rules:
            assert all(m.field is not Field.UNKNOWN for m in each.matches), each.text
            assert all(a.act is not Act.UNKNOWN for a in each.actions), each.text


@pytest.mark.parametrize("name", ["netavark-1.14", "firewalld"])
def test_texts_are_those_that_made_the_rules(name: str) -> None:
    """Our words for a rule are nft's, which the recorded rules were made from, but for how marks are padded."""
    source = recorded(f"{name}.nft").replace("0x00002000", "0x2000")
    lines = [line.strip() for line in source.splitlines() if line.startswith("\t\t") and line.strip()[:5] != "type "]
    texts = [each.text for one in sorted(parse(recorded(f"{name}.json")), key=_place(source)) for each in one.rules]
    assert texts == lines


def _place(source: str) -> Any:
    """Where a chain stands in a file: nft lists base chains first."""
    return lambda one: source.index(f"chain {one.name} {{")


def test_native_rules_are_told_from_those_of_iptables() -> None:
    """A rule with a verdict map, and one without a counter, are not iptables' own; one with an extension of it is."""
    assert native_chains(recorded("mixed.json")) == {("ip", "filter", "INPUT")}


@pytest.mark.parametrize(
    "steps",
    [
        [{"drop": None}],
        [{"counter": {"packets": 0}}, {"queue": {}}],
        [{"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": "new"}}, {"counter": {}}, {"drop": None}],
        [{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": "@s"}}, {"counter": {}}, {"drop": None}],
    ],
    ids=["no counter", "a statement", "a match", "a set"],
)
def test_what_iptables_does_not_make_is_native(steps: list[dict[str, Any]]) -> None:
    """One such rule makes its chain one that iptables-save does not show as it is."""
    assert native_chains(ruleset(chain(), rule(*steps))) == {("inet", "t", "c")}
