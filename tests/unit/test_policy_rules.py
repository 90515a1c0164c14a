"""Routing policy rules: what each selector selects, and where a rule is a doubt."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import Link, Namespace, NumberRange, PolicyRule, Route, RouteKind
from testbed.predict.policy_rules import Flow
from testbed.predict.routing import look_up
from testbed.predict.wording.rows import policy_rule

_NET = ipaddress.ip_network
_HERE = ipaddress.ip_address("198.51.100.1")
_THERE = ipaddress.ip_address("192.0.2.9")
_BASE = (PolicyRule(0, 4, 255), PolicyRule(32766, 4, 254), PolicyRule(32767, 4, 253))
_LINKS = (
    Link(2, "lan0", "veth", "02:00:00:00:00:02", 1500, up=True, carrier=True, group=5),
    Link(3, "tun0", "veth", "02:00:00:00:00:03", 1500, up=True, carrier=True),
    Link(4, "red", "vrf", "02:00:00:00:00:04", 1500, up=True, carrier=True),
    Link(5, "red0", "veth", "02:00:00:00:00:05", 1500, up=True, carrier=True, master=4),
)
_DEFAULT = Route(254, RouteKind.UNICAST, _NET("0.0.0.0/0"), 2, ipaddress.ip_address("198.51.100.254"))
_TUNNEL = Route(51820, RouteKind.UNICAST, _NET("0.0.0.0/0"), 3)


def asked(*rules: PolicyRule, flow: Flow | None = None) -> str:
    """Where a packet goes: the interface, what a rule or route makes of it, ``doubt`` or ``no route``."""
    namespace = Namespace("net:[1]", "box", _LINKS, routes=(_DEFAULT, _TUNNEL), policy_rules=(*rules, *_BASE))
    chosen = look_up(namespace, flow or Flow(_THERE, _HERE, protocol="tcp", destination_port=8000))
    if chosen.unmodelled:
        return "doubt"
    if chosen.link:
        return chosen.link.name
    return str(chosen.kind) if chosen.kind else "no route"


_PROHIBIT = PolicyRule(100, 4, 0, "prohibit")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (replace(_PROHIBIT, source=_NET("198.51.100.0/24")), "prohibit"),
        (replace(_PROHIBIT, source=_NET("203.0.113.0/24")), "lan0"),
        (replace(_PROHIBIT, destination=_NET("192.0.2.0/24")), "prohibit"),
        (replace(_PROHIBIT, destination=_NET("192.0.2.0/24"), inverted=True), "lan0"),
        (replace(_PROHIBIT, mark=1), "lan0"),
        (replace(_PROHIBIT, mark=1, inverted=True), "prohibit"),
        (replace(_PROHIBIT, mark=0, mask=0xFF), "prohibit"),
        (replace(_PROHIBIT, incoming="lo"), "prohibit"),
        (replace(_PROHIBIT, incoming="lan0"), "lan0"),
        (replace(_PROHIBIT, outgoing="lan0"), "lan0"),
        (replace(_PROHIBIT, outgoing="lan0", inverted=True), "prohibit"),
        (replace(_PROHIBIT, tos=0x10), "lan0"),
        (replace(_PROHIBIT, protocol=6), "prohibit"),
        (replace(_PROHIBIT, protocol=17), "lan0"),
        (replace(_PROHIBIT, destination_ports=NumberRange(7999, 8000)), "prohibit"),
        (replace(_PROHIBIT, destination_ports=NumberRange(8001, 9000)), "lan0"),
        (replace(_PROHIBIT, source_ports=NumberRange(1, 1023)), "lan0"),
        (replace(_PROHIBIT, source_ports=NumberRange(1024, 65534)), "prohibit"),
        (replace(_PROHIBIT, source_ports=NumberRange(40000, 50000)), "doubt"),
        (replace(_PROHIBIT, uids=NumberRange(0, 0xFFFF_FFFE)), "prohibit"),
        (replace(_PROHIBIT, uids=NumberRange(1000, 1000)), "doubt"),
        (replace(_PROHIBIT, uids=NumberRange(1000, 1000), protocol=17), "lan0"),
        (replace(_PROHIBIT, other="tun_id 5"), "doubt"),
        (replace(_PROHIBIT, l3mdev=True), "lan0"),
    ],
)
def test_a_rule_selects_by_each_of_its_selectors(rule: PolicyRule, said: str) -> None:
    """All of them have to fit; what the picture does not show is a doubt only where the others fit."""
    assert asked(rule) == said


def test_a_doubt_that_leads_the_same_way_decides_nothing() -> None:
    """Whether the rule selects the packet or not, it goes by the default route."""
    assert asked(PolicyRule(100, 4, 254, uids=NumberRange(5, 6))) == "lan0"
    assert asked(PolicyRule(100, 4, 51820, uids=NumberRange(5, 6))) == "doubt"


def test_what_is_passed_on_is_root_s() -> None:
    """No user's socket sends it (net/ipv4/route.c, ip_route_input_slow)."""
    onward = Flow(_THERE, _HERE, incoming="lan0", protocol="tcp", destination_port=8000)
    assert asked(replace(_PROHIBIT, uids=NumberRange(0, 0)), flow=onward) == "prohibit"
    assert asked(replace(_PROHIBIT, uids=NumberRange(1000, 1000)), flow=onward) == "lan0"


def test_a_packet_of_a_vrf_is_a_doubt() -> None:
    """The rule of VRFs is for what comes in by their interfaces only."""
    rule = PolicyRule(100, 4, 0, l3mdev=True)
    assert asked(rule, flow=Flow(_THERE, _HERE, incoming="red0")) == "doubt"
    assert asked(rule, flow=Flow(_THERE, _HERE, incoming="lan0")) == "lan0"


def test_a_suppressed_route_leaves_it_to_the_next_rule() -> None:
    """wg-quick's two rules: the default route of main is passed over, and the tunnel's taken."""
    rules = (PolicyRule(90, 4, 254, suppress_prefixlength=0), PolicyRule(100, 4, 51820, mark=51820, inverted=True))
    assert asked(*rules) == "tun0"
    assert asked(*rules, flow=Flow(_THERE, _HERE, mark=51820)) == "lan0"


@pytest.mark.parametrize(("group", "said"), [(5, "tun0"), (6, "lan0")])
def test_a_route_by_an_interface_of_a_suppressed_group_is_passed_over(group: int, said: str) -> None:
    """Of that group and no other."""
    assert asked(PolicyRule(90, 4, 254, suppress_ifgroup=group), PolicyRule(100, 4, 51820)) == said


def test_goto_passes_over_the_rules_between() -> None:
    """The rule that it names is asked as any other; where there is none it does nothing."""
    assert asked(PolicyRule(90, 4, 0, "goto", goto=32766), _PROHIBIT) == "lan0"
    assert asked(PolicyRule(90, 4, 0, "goto", goto=31000), _PROHIBIT) == "prohibit"
    assert asked(PolicyRule(90, 4, 0, "nop"), _PROHIBIT) == "prohibit"


def test_of_two_rules_that_forbid_the_one_that_selects_is_told() -> None:
    """Not the first one that forbids anything."""
    innocent = replace(_PROHIBIT, source=_NET("203.0.113.0/24"))
    deciding = PolicyRule(200, 4, 0, "prohibit", destination=_NET("192.0.2.0/24"))
    namespace = Namespace("net:[1]", "box", _LINKS, routes=(_DEFAULT,), policy_rules=(innocent, deciding, *_BASE))
    chosen = look_up(namespace, Flow(_THERE, _HERE))
    assert chosen.forbidden_by == deciding
    assert policy_rule(deciding) == "to 192.0.2.0/24 priority 200 prohibit"


def test_a_rule_is_said_with_every_selector_that_it_has() -> None:
    """In the words of ip-rule(8), so that it can be removed by them."""
    rule = PolicyRule(
        5,
        4,
        77,
        source=_NET("10.0.0.0/8"),
        incoming="lan0",
        mark=1,
        mask=0xFF,
        inverted=True,
        suppress_prefixlength=0,
        protocol=6,
        destination_ports=NumberRange(80, 90),
        uids=NumberRange(7, 7),
    )
    assert policy_rule(rule) == (
        "not from 10.0.0.0/8 fwmark 0x1/0xff iif lan0 uidrange 7-7 ipproto 6 dport 80-90 priority 5 lookup 77 "
        "suppress_prefixlength 0"
    )


def test_a_rule_for_sources_of_ipv6_selects_nothing_that_has_none_yet() -> None:
    """connect(2) of IPv6 looks its route up before it has a source, and once only (fib6_rule_match)."""
    rule = PolicyRule(100, 6, 0, "prohibit", source=_NET("::/0"))
    base = (PolicyRule(0, 6, 255), PolicyRule(32766, 6, 254))
    route = Route(254, RouteKind.UNICAST, _NET("::/0"), 2)
    namespace = Namespace("net:[1]", "box", _LINKS, routes=(route,), policy_rules=(rule, *base))
    to, source = ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("2001:db8:1::1")
    assert look_up(namespace, Flow(to)).kind is RouteKind.UNICAST
    assert look_up(namespace, Flow(to, source)).kind is RouteKind.PROHIBIT
