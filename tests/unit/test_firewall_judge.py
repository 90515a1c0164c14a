"""What a firewall does to a packet. The order of things is told by nft(8) and iptables(8)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule, Ruleset
from testbed.predict.firewall import Layer, judge
from testbed.predict.packet import Packet
from testbed.readers import iptables_text, nft_json
from tests.unit.recorded import recorded

#: From a container to its gateway.
PACKET = Packet(
    ip_address("10.88.0.5"),
    ip_address("10.88.0.1"),
    "tcp",
    None,
    9000,
    iif="podman0",
    source_type="unicast",
    destination_type="unicast",
)
PACKET6 = replace(PACKET, source=ip_address("fd00::5"), destination=ip_address("fd00::1"))


def rules(*lines: str, table: str = "filter", policy: str = "ACCEPT", family: str = "ip") -> Ruleset:
    """A table of iptables with these rules; the chains ``a``, ``b`` and ``c`` may be jumped to."""
    hooks = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
    text = "".join(
        [
            f"*{table}\n",
            *(f":{hook} {policy} [0:0]\n" for hook in hooks),
            ":a - [0:0]\n:b - [0:0]\n:c - [0:0]\n",
            *(f"{line}\n" for line in lines),
        ]
    )
    which = "ip6" if family == "ip6" else "ip"
    return Ruleset(iptables_text.parse(text, family=which, backend=Backend.IPTABLES))  # type: ignore[arg-type]


def base(name: str, *found: Rule, priority: int = 0, policy: Act = Act.ACCEPT, family: str = "inet") -> Chain:
    """A base chain of nftables at INPUT."""
    return Chain(Backend.NFTABLES, family, name, "c", found, Hook.INPUT, "filter", priority, policy)


def verdict(found: Ruleset, packet: Packet = PACKET, hook: Hook = Hook.INPUT) -> Act:
    """What becomes of a packet."""
    return judge(found, hook, packet).verdict


ACCEPT = Rule("accept", (), (Action(Act.ACCEPT),))
DROP = Rule("drop", (), (Action(Act.DROP),))
REJECT = Rule("reject", (), (Action(Act.REJECT, "icmp-port-unreachable"),))
PERHAPS = Match(Field.UNKNOWN, ("limit rate 5/second",))


# Verdicts


def test_without_rules_everything_passes() -> None:
    """An empty ruleset lets a packet pass as it is, and nothing decided that."""
    assert judge(Ruleset(), Hook.INPUT, PACKET) == judge(rules(), Hook.INPUT, PACKET)
    found = judge(Ruleset(), Hook.INPUT, PACKET)
    assert (found.verdict, found.packet, found.chain, found.rule) == (Act.ACCEPT, PACKET, None, None)


def test_the_first_rule_that_holds_decides() -> None:
    """Rules are asked in their order, and the one that decided is told."""
    found = judge(
        rules("-A INPUT -p udp -j ACCEPT", "-A INPUT -p tcp -j DROP", "-A INPUT -j ACCEPT"), Hook.INPUT, PACKET
    )
    assert found.verdict is Act.DROP
    assert found.rule is not None and found.rule.text == "-A INPUT -p tcp -j DROP"
    assert found.chain is not None and found.chain.name == "INPUT"


def test_a_policy_decides_what_no_rule_did() -> None:
    """A chain's policy of DROP drops, and there is no rule to tell."""
    found = judge(rules("-A INPUT -p udp -j ACCEPT", policy="DROP"), Hook.INPUT, PACKET)
    assert (found.verdict, found.rule) == (Act.DROP, None)
    assert found.chain is not None and found.chain.name == "INPUT"


def test_an_accepting_rule_is_told() -> None:
    """What lets a packet pass a chain that drops by policy is told."""
    found = judge(rules("-A INPUT -p tcp -j ACCEPT", policy="DROP"), Hook.INPUT, PACKET)
    assert found.verdict is Act.ACCEPT
    assert found.rule is not None and found.rule.text == "-A INPUT -p tcp -j ACCEPT"


def test_a_reject_tells_how() -> None:
    """REJECT comes with the answer that it gives."""
    found = judge(rules("-A INPUT -p tcp -j REJECT --reject-with tcp-reset"), Hook.INPUT, PACKET)
    assert (found.verdict, found.argument) == (Act.REJECT, "tcp-reset")


@pytest.mark.parametrize(
    ("packet", "argument"), [(PACKET, "icmp-admin-prohibited"), (PACKET6, "icmp6-adm-prohibited")], ids=["4", "6"]
)
def test_icmpx_is_of_the_packets_family(packet: Packet, argument: str) -> None:
    """A reject for both families is answered by ICMP or by ICMPv6."""
    how = Rule("reject with icmpx admin-prohibited", (), (Action(Act.REJECT, "icmp-admin-prohibited"),))
    assert judge(Ruleset((base("t", how),)), Hook.INPUT, packet).argument == argument


@pytest.mark.parametrize("hook", [h for h in Hook if h is not Hook.INPUT])
def test_other_hooks_are_not_asked(hook: Hook) -> None:
    """A rule at INPUT says nothing about a packet elsewhere."""
    assert verdict(rules("-A INPUT -j DROP"), hook=hook) is Act.ACCEPT


@pytest.mark.parametrize(
    ("family", "dropped"),
    [("ip", {4}), ("ip6", {6}), ("inet", {4, 6}), ("bridge", set()), ("netdev", set())],
)
def test_families_see_their_own_packets(family: str, dropped: set[int]) -> None:
    """ip sees IPv4, ip6 IPv6, inet both; what is on a bridge or at a device is not asked."""
    found = Ruleset((base("t", DROP, family=family),))
    assert {p.destination.version for p in (PACKET, PACKET6) if verdict(found, p) is Act.DROP} == dropped


# Several base chains


def test_accept_ends_only_its_own_base_chain() -> None:
    """A drop of a later base chain wins over an accept of an earlier one (nft(8), VERDICT STATEMENT)."""
    chains = (base("one", ACCEPT, priority=-10), base("other", DROP, priority=10))
    assert verdict(Ruleset(chains)) is Act.DROP


def test_drop_is_final() -> None:
    """No accept of a later base chain undoes a drop."""
    found = judge(Ruleset((base("one", DROP, priority=-10), base("other", ACCEPT, priority=10))), Hook.INPUT, PACKET)
    assert found.verdict is Act.DROP
    assert found.chain is not None and found.chain.table == "one"


def test_chains_are_asked_by_priority() -> None:
    """The lower priority is asked first, wherever it stands in the listing."""
    found = judge(Ruleset((base("late", REJECT, priority=10), base("early", DROP, priority=-10))), Hook.INPUT, PACKET)
    assert found.verdict is Act.DROP


def test_a_mark_is_seen_by_later_chains() -> None:
    """What one table marks another one sees."""
    mark = Rule("mark", (), (Action(Act.SET_MARK, "0x0/0x5"),))
    drop = Rule("drop", (Match(Field.MARK, ("0x5/0xffffffff",)),), (Action(Act.DROP),))
    assert verdict(Ruleset((base("one", mark, priority=-10), base("other", drop)))) is Act.DROP


# Jumps


def test_a_jump_comes_back() -> None:
    """After a chain that did not decide the next rule is asked."""
    assert verdict(rules("-A INPUT -j a", "-A INPUT -j DROP", "-A a -p udp -j ACCEPT")) is Act.DROP


def test_a_chain_that_is_jumped_to_decides() -> None:
    """The verdict of a rule in another chain is the packet's, and that chain is told."""
    found = judge(rules("-A INPUT -j a", "-A INPUT -j ACCEPT", "-A a -j DROP"), Hook.INPUT, PACKET)
    assert found.verdict is Act.DROP
    assert found.chain is not None and found.chain.name == "a"


def test_return_goes_back_to_the_caller() -> None:
    """RETURN leaves a chain before its end."""
    assert verdict(rules("-A INPUT -j a", "-A INPUT -j DROP", "-A a -j RETURN", "-A a -j ACCEPT")) is Act.DROP


def test_return_in_a_base_chain_is_its_policy() -> None:
    """RETURN in a built-in chain leaves the packet to the policy (iptables(8), TARGETS)."""
    assert verdict(rules("-A INPUT -j RETURN", "-A INPUT -j ACCEPT", policy="DROP")) is Act.DROP


def test_goto_does_not_come_back() -> None:
    """At the end of a chain that was gone to, the caller's caller goes on."""
    lines = ["-A INPUT -j a", "-A INPUT -j REJECT", "-A a -g b", "-A a -j DROP", "-A b -p udp -j ACCEPT"]
    assert verdict(rules(*lines)) is Act.REJECT


def test_goto_in_a_base_chain_ends_in_its_policy() -> None:
    """From a base chain there is nothing to come back to but its policy."""
    assert verdict(rules("-A INPUT -g a", "-A INPUT -j ACCEPT", "-A a -p udp -j ACCEPT", policy="DROP")) is Act.DROP


def test_chains_in_circles_are_unknown() -> None:
    """A circle, which the kernel would not load, ends in UNKNOWN and not never."""
    assert verdict(rules("-A INPUT -j a", "-A a -j b", "-A b -j a")) is Act.UNKNOWN


def test_a_chain_that_is_not_there_is_unknown() -> None:
    """A jump into what was not read is not known."""
    assert verdict(Ruleset((base("t", Rule("jump x", (), (Action(Act.JUMP, "x"),))),))) is Act.UNKNOWN


# Matches


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ("-i podman0", True),
        ("-i podman", False),
        ("-i pod+", True),
        ("-i podman0+", True),
        ("-i +", True),
        ("! -i pod+", False),
        ("! -i lo", True),
        ("-o podman0", False),
        ("-s 10.88.0.0/16", True),
        ("-s 10.88.0.5", True),
        ("-s 10.89.0.0/16", False),
        ("! -s 10.89.0.0/16", True),
        ("-d 10.88.0.1/32", True),
        ("-m iprange --src-range 10.88.0.5-10.88.0.9", True),
        ("-m iprange --src-range 10.88.0.6-10.88.0.9", False),
        ("-p tcp", True),
        ("-p udp", False),
        ("! -p udp", True),
        ("-p tcp -m tcp --dport 9000", True),
        ("-p tcp -m tcp --dport 8999:9000", True),
        ("-p tcp -m tcp --dport 9001:9002", False),
        ("-p tcp -m tcp ! --dport 9000", False),
        ("-p tcp -m multiport --dports 22,9000", True),
        ("-p tcp -m multiport ! --dports 22,80", True),
        ("-p tcp -m tcp --sport 1024:65535", True),
        ("-p tcp -m tcp --sport 32768:60999", True),
        ("-p tcp -m tcp --sport 53", False),
        ("-p tcp -m tcp ! --sport 53", True),
        ("-p tcp -m tcp --syn", True),
        ("-p tcp -m tcp ! --syn", False),
        ("-p tcp -m tcp --tcp-flags ALL NONE", False),
        ("-m conntrack --ctstate NEW", True),
        ("-m conntrack --ctstate RELATED,ESTABLISHED", False),
        ("-m conntrack ! --ctstate RELATED,ESTABLISHED", True),
        ("-m conntrack --ctstate DNAT", False),
        ("-m conntrack ! --ctstate DNAT", True),
        ("-m mark --mark 0x0", True),
        ("-m mark --mark 0x1", False),
        ("-m mark ! --mark 0x1", True),
        ("-m mark --mark 0x0/0x2000", True),
        ("-m connmark --mark 0x0", True),
        ("-m addrtype --dst-type LOCAL", False),
        ("-m addrtype --dst-type UNICAST,LOCAL", True),
        ("-m addrtype ! --src-type LOCAL", True),
    ],
)
def test_match(options: str, holds: bool) -> None:
    """Each match holds for a packet from 10.88.0.5 to port 9000 of 10.88.0.1 by podman0, or it does not."""
    assert verdict(rules(f"-A INPUT {options} -j DROP")) is (Act.DROP if holds else Act.ACCEPT)


@pytest.mark.parametrize(
    ("options", "packet", "holds"),
    [
        ("-m conntrack --ctstate ESTABLISHED", replace(PACKET, state="established"), True),
        ("-m conntrack --ctstate DNAT", replace(PACKET, status=frozenset({"dnat"})), True),
        ("-m mark --mark 0x2000/0x2000", replace(PACKET, mark=0x2001), True),
        ("-m connmark --mark 0x10/0xf0", replace(PACKET, conntrack_mark=0x15), True),
        ("-m addrtype --dst-type LOCAL", replace(PACKET, destination_type="local"), True),
        ("-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK", replace(PACKET, flags=frozenset({"syn", "ack"})), True),
        ("-p tcp -m tcp --syn", replace(PACKET, flags=frozenset({"syn", "ack"})), False),
        ("-p tcp -m tcp --sport 8080", replace(PACKET, source_port=8080), True),
        ("-p tcp -m tcp --dport 9000", replace(PACKET, protocol="icmp", destination_port=None), False),
        ("-p icmp", replace(PACKET, protocol="icmp", destination_port=None), True),
    ],
)
def test_match_of_another_packet(options: str, packet: Packet, holds: bool) -> None:
    """A match looks at the field that it names."""
    assert verdict(rules(f"-A INPUT {options} -j DROP"), packet) is (Act.DROP if holds else Act.ACCEPT)


def test_addresses_of_the_other_family_do_not_match() -> None:
    """The numbers of an IPv4 subnet say nothing about an IPv6 address."""
    drop = Rule("drop", (Match(Field.SOURCE, ("0.0.0.0/0",)),), (Action(Act.DROP),))
    assert verdict(Ruleset((base("t", drop),)), PACKET6) is Act.ACCEPT


# What is not known


def doubtful(*found: Rule, policy: Act = Act.ACCEPT) -> Ruleset:
    """A base chain with these rules."""
    return Ruleset((base("t", *found, policy=policy),))


def test_a_rule_that_may_hold_makes_the_verdict_unknown() -> None:
    """Where it makes a difference whether a rule holds the verdict is UNKNOWN, and that rule is told."""
    perhaps = Rule("limit drop", (PERHAPS,), (Action(Act.DROP),))
    found = judge(doubtful(perhaps), Hook.INPUT, PACKET)
    assert (found.verdict, found.rule) == (Act.UNKNOWN, perhaps)


def test_a_rule_that_makes_no_difference_does_not_matter() -> None:
    """A limit on a drop in front of a drop changes nothing."""
    perhaps = Rule("limit drop", (PERHAPS,), (Action(Act.DROP),))
    found = judge(doubtful(perhaps, DROP), Hook.INPUT, PACKET)
    assert (found.verdict, found.rule) == (Act.DROP, DROP)


def test_a_rule_that_surely_does_not_hold_does_not_matter() -> None:
    """One match that does not hold is enough, whatever the others are."""
    perhaps = Rule("udp limit drop", (PERHAPS, Match(Field.PROTOCOL, ("udp",))), (Action(Act.DROP),))
    assert verdict(doubtful(perhaps)) is Act.ACCEPT


def test_an_unknown_match_that_is_negated_is_unknown() -> None:
    """Not to know is not to know the opposite either."""
    perhaps = Rule("drop", (replace(PERHAPS, negated=True),), (Action(Act.DROP),))
    assert verdict(doubtful(perhaps)) is Act.UNKNOWN


def test_a_rule_without_actions_never_matters() -> None:
    """A limit that only logs is nothing to be unsure about."""
    assert verdict(doubtful(Rule("limit log", (PERHAPS,), ()))) is Act.ACCEPT


def test_an_unknown_mark_matters_only_where_it_is_looked_at() -> None:
    """A mark that may be set leaves packets that differ, and the verdict is unknown unless all end in a drop."""
    perhaps = Rule("limit mark", (PERHAPS,), (Action(Act.SET_MARK, "0x0/0x1"),))
    assert verdict(doubtful(perhaps, DROP)) is Act.DROP
    assert verdict(doubtful(perhaps)) is Act.UNKNOWN


def test_ways_that_end_alike_are_one() -> None:
    """A rule that may accept, in front of a policy of accept, changes nothing."""
    perhaps = Rule("limit accept", (PERHAPS,), (Action(Act.ACCEPT),))
    assert verdict(doubtful(perhaps)) is Act.ACCEPT
    assert verdict(doubtful(perhaps, policy=Act.DROP)) is Act.UNKNOWN


def test_the_rule_that_made_the_difference_is_told() -> None:
    """Of several rules that may hold, the one behind which the ways part is told."""
    harmless = Rule("limit accept", (PERHAPS,), (Action(Act.ACCEPT),))
    drop = Rule("limit drop", (PERHAPS,), (Action(Act.DROP),))
    assert judge(doubtful(harmless, drop), Hook.INPUT, PACKET).rule == drop


def test_a_jump_that_may_be_made_is_told() -> None:
    """Where it is not known whether a chain is entered, the jump is told and not what the chain does."""
    found = judge(rules("-A INPUT -m limit --limit 1/s -j a", "-A a -j DROP"), Hook.INPUT, PACKET)
    assert found.verdict is Act.UNKNOWN
    assert found.rule is not None and found.rule.text == "-A INPUT -m limit --limit 1/s -j a"


def test_an_unknown_action_is_unknown() -> None:
    """What a statement does that is not modelled is not known, if the packet gets there."""
    queue = Rule("udp queue", (Match(Field.PROTOCOL, ("udp",)),), (Action(Act.UNKNOWN, "queue"),))
    assert judge(doubtful(queue), Hook.INPUT, replace(PACKET, protocol="udp")).rule == queue
    assert verdict(doubtful(queue)) is Act.ACCEPT


def test_a_port_that_the_kernel_chose_may_be_many() -> None:
    """A range that covers only some ephemeral ports (32768-60999) leaves it open."""
    assert verdict(rules("-A INPUT -p tcp -m tcp --sport 40000:50000 -j DROP")) is Act.UNKNOWN


def test_very_many_doubts_are_unknown() -> None:
    """Where too many rules may hold nobody follows all ways, of which there are 2 to the 30th here: UNKNOWN."""
    marks = [Rule(f"mark {n}", (PERHAPS,), (Action(Act.SET_MARK, f"0xffffffff/{1 << n:#x}"),)) for n in range(30)]
    assert verdict(doubtful(*marks, DROP)) is Act.UNKNOWN


@pytest.mark.parametrize(
    ("table", "iif", "state"),
    [("raw", "podman0", "INVALID"), ("raw", "lo", "NEW"), ("mangle", "podman0", "NEW")],
)
def test_before_conntrack_a_packet_is_invalid(table: str, iif: str, state: str) -> None:
    """In the raw table a packet has no connection yet, which is state invalid; what comes by lo has kept its own."""
    packet = replace(PACKET, iif=iif)
    for each in ("INVALID", "NEW"):
        found = rules(f"-A PREROUTING -m conntrack --ctstate {each} -j DROP", table=table)
        assert (verdict(found, packet, Hook.PREROUTING) is Act.DROP) == (each == state)


# Marks and tracking


@pytest.mark.parametrize(
    ("target", "mark"),
    [
        ("-j MARK --set-xmark 0x2000/0x2000", 0x2011),
        ("-j MARK --set-xmark 0x1", 0x1),
        ("-j MARK --and-mark 0x10", 0x10),
        ("-j MARK --xor-mark 0x1", 0x10),
        ("-j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff", 0x40),  # 0x10 ^ 0x50
    ],
)
def test_marks_are_set(target: str, mark: int) -> None:
    """A mark of 0x11, of a connection with the mark 0x50, becomes what the target makes of it."""
    packet = replace(PACKET, mark=0x11, conntrack_mark=0x50)
    found = judge(rules(f"-A PREROUTING {target}", table="mangle"), Hook.PREROUTING, packet)
    assert found.packet == replace(packet, mark=mark)


def test_a_connections_mark_is_set() -> None:
    """CONNMARK sets the connection's mark, here from the packet's."""
    packet = replace(PACKET, mark=0x11, conntrack_mark=0x50)
    line = "-A PREROUTING -j CONNMARK --save-mark --nfmask 0xf --ctmask 0xf"
    found = judge(rules(line, table="mangle"), Hook.PREROUTING, packet)
    assert found.packet == replace(packet, conntrack_mark=0x51)


def test_what_is_not_tracked_is_not_translated() -> None:
    """After NOTRACK a packet's state is untracked, and no nat chain sees it."""
    raw = rules("-A PREROUTING -j CT --notrack", table="raw")
    nat = rules("-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2:80", table="nat")
    found = judge(Ruleset((*raw.chains, *nat.chains)), Hook.PREROUTING, PACKET)
    assert (found.packet.state, found.packet.tracked, found.translation) == ("untracked", False, None)


def test_a_packet_that_was_not_tracked_before_is_not_translated() -> None:
    """NOTRACK at an earlier hook counts too."""
    found = judge(nat("-A POSTROUTING -j MASQUERADE"), Hook.POSTROUTING, replace(PACKET, tracked=False))
    assert found.translation is None


# Translations


def nat(*lines: str) -> Ruleset:
    """A nat table."""
    return rules(*lines, table="nat")


@pytest.mark.parametrize(
    ("where", "address", "port"),
    [
        ("10.88.0.2:80", "10.88.0.2", 80),
        ("10.88.0.2", "10.88.0.2", 9000),
        (":80", "10.88.0.1", 80),
        ("10.88.0.2:8000-9000", "10.88.0.2", 9000),
        ("10.88.0.2:80-90/8995", "10.88.0.2", 85),
    ],
)
def test_destinations_are_translated(where: str, address: str, port: int) -> None:
    """DNAT sets address and port, keeps a port that is in its range, and moves one by the range's base."""
    found = judge(nat(f"-A PREROUTING -p tcp -j DNAT --to-destination {where}"), Hook.PREROUTING, PACKET)
    assert (found.verdict, str(found.packet.destination), found.packet.destination_port) == (Act.ACCEPT, address, port)
    assert found.translation == Action(Act.DNAT, where)
    assert found.translated_by is not None and found.translated_by[0].name == "PREROUTING"


def test_ipv6_destinations_are_translated() -> None:
    """An IPv6 address in front of a port stands in brackets."""
    line = "-A PREROUTING -p tcp -j DNAT --to-destination [fd00::2]:80"
    found = judge(rules(line, table="nat", family="ip6"), Hook.PREROUTING, PACKET6)
    assert (str(found.packet.destination), found.packet.destination_port) == ("fd00::2", 80)


def test_a_port_outside_of_a_range_is_unknown() -> None:
    """Which port of a range the kernel takes for one that is not in it is not known."""
    assert (
        verdict(nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2:80-90"), hook=Hook.PREROUTING)
        is Act.UNKNOWN
    )


def test_the_type_of_a_new_destination_is_not_known() -> None:
    """What the routing table says of the new address the caller has to ask it."""
    found = judge(nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2"), Hook.PREROUTING, PACKET)
    assert found.packet.destination_type == ""


def test_the_first_translation_is_the_only_one() -> None:
    """Later nat chains of a hook are not asked once one has translated."""
    mine = nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2:80")
    other = Chain(
        Backend.NFTABLES,
        "inet",
        "t",
        "pre",
        (Rule("dnat to 10.88.0.3", (), (Action(Act.DNAT, "10.88.0.3"),)),),
        Hook.PREROUTING,
        "nat",
        -90,
    )
    found = judge(Ruleset((*mine.chains, other)), Hook.PREROUTING, PACKET)
    assert str(found.packet.destination) == "10.88.0.2"


def test_only_new_connections_are_translated() -> None:
    """A packet of a known connection does not see the nat table; conntrack translates it."""
    found = judge(nat("-A PREROUTING -j DROP"), Hook.PREROUTING, replace(PACKET, state="established"))
    assert found.verdict is Act.ACCEPT


def test_accept_leaves_the_destination_alone() -> None:
    """ACCEPT in a nat chain ends it without a translation."""
    lines = ["-A PREROUTING -j ACCEPT", "-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2:80"]
    found = judge(nat(*lines), Hook.PREROUTING, PACKET)
    assert (found.packet, found.translation) == (PACKET, None)


def test_filters_see_the_translated_destination() -> None:
    """A chain behind the translation sees the new destination, one before it the old one."""
    both = (
        *nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.88.0.2:80").chains,
        *rules("-A PREROUTING -d 10.88.0.2 -j DROP", table="filter").chains,
        *rules("-A PREROUTING -d 10.88.0.2 -j REJECT", table="mangle").chains,
    )
    assert verdict(Ruleset(both), hook=Hook.PREROUTING) is Act.DROP


def test_translations_are_made_at_the_kernels_priority() -> None:
    """A nat chain with an early priority translates no earlier than others (nf_nat_proto.c): filters go first."""
    early = tuple(
        replace(c, priority=-400) for c in nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.9.9.9").chains
    )
    mangle = rules("-A PREROUTING -d 10.88.0.1 -j DROP", table="mangle")
    assert verdict(Ruleset((*early, *mangle.chains)), hook=Hook.PREROUTING) is Act.DROP


def test_a_redirect_of_ones_own_packets_is_to_loopback() -> None:
    """REDIRECT at OUTPUT sends a packet to 127.0.0.1 (iptables-extensions(8))."""
    found = judge(nat("-A OUTPUT -p tcp -j REDIRECT --to-ports 8080"), Hook.OUTPUT, PACKET)
    assert (str(found.packet.destination), found.packet.destination_port) == ("127.0.0.1", 8080)


def test_a_redirect_of_others_packets_leaves_the_address_to_the_caller() -> None:
    """REDIRECT at PREROUTING sets the port; the address is that of the interface, which no rule tells."""
    found = judge(nat("-A PREROUTING -p tcp -j REDIRECT --to-ports 8080"), Hook.PREROUTING, PACKET)
    assert (found.packet.destination, found.packet.destination_port) == (PACKET.destination, 8080)
    assert found.translation == Action(Act.REDIRECT, ":8080")


def test_masquerading_leaves_the_address_to_the_caller() -> None:
    """MASQUERADE is reported; the source is that of the interface, which no rule tells."""
    found = judge(nat("-A POSTROUTING -j MASQUERADE"), Hook.POSTROUTING, PACKET)
    assert (found.packet.source, found.translation) == (PACKET.source, Action(Act.MASQUERADE))
    assert found.packet.status == {"snat"}


def test_sources_are_translated() -> None:
    """SNAT sets the source."""
    found = judge(nat("-A POSTROUTING -j SNAT --to-source 192.0.2.1"), Hook.POSTROUTING, PACKET)
    assert str(found.packet.source) == "192.0.2.1"


@pytest.mark.parametrize(
    ("where", "status"),
    [("10.88.0.2", {"dnat"}), (":80", {"dnat"}), ("10.88.0.1", set()), ("10.88.0.1:9000", set())],
)
def test_a_translation_is_in_the_status_at_once(where: str, status: set[str]) -> None:
    """Later chains of the same hook see ``dnat``; a translation to the same is none (nf_nat_core.c)."""
    found = judge(nat(f"-A PREROUTING -p tcp -j DNAT --to-destination {where}"), Hook.PREROUTING, PACKET)
    assert found.packet.status == status


def test_a_subnet_is_translated() -> None:
    """NETMAP gives an address another subnet and keeps the rest of it."""
    found = judge(nat("-A PREROUTING -j NETMAP --to 10.2.0.0/16"), Hook.PREROUTING, PACKET)
    assert (str(found.packet.destination), found.packet.destination_port) == ("10.2.0.1", 9000)


# What other packets have


@pytest.mark.parametrize(
    ("options", "packet", "holds"),
    [
        ("-m conntrack --ctorigdst 10.88.0.1", PACKET, True),
        (
            "-m conntrack --ctorigdst 10.88.0.1 --ctorigdstport 9000",
            replace(PACKET, destination=ip_address("10.88.0.2"), destination_port=80, original=PACKET.ends),
            True,
        ),
        ("-m conntrack --ctreplsrc 10.88.0.2", replace(PACKET, destination=ip_address("10.88.0.2")), True),
        ("-m conntrack --ctrepldst 10.88.0.1", replace(PACKET, reply=True), True),
        ("-m conntrack --ctdir REPLY", PACKET, False),
        ("-m conntrack --ctdir REPLY", replace(PACKET, reply=True), True),
        ("-m conntrack --ctstatus SEEN_REPLY", PACKET, False),
        ("-m conntrack --ctstatus SEEN_REPLY", replace(PACKET, state="established"), True),
        ("-m owner --uid-owner 0", PACKET, False),
        ("-m owner ! --uid-owner 0", PACKET, True),
        ("-m owner --uid-owner 0-9", replace(PACKET, socket=True, user=5), True),
        ("-m owner ! --uid-owner 0-9", replace(PACKET, socket=True, user=5), False),
        ("-m owner --socket-exists", replace(PACKET, socket=True), True),
        ("-m owner --gid-owner 0", PACKET, False),
        ("-m physdev --physdev-in veth0", replace(PACKET, port_in="veth0"), True),
        ("-m physdev --physdev-in veth+", replace(PACKET, port_in="veth0"), True),
        ("-m physdev --physdev-is-in", replace(PACKET, port_in="veth0"), True),
        ("-m physdev --physdev-is-in", PACKET, False),
        ("-m physdev --physdev-is-bridged", replace(PACKET, port_in="veth0"), False),
        ("-m physdev --physdev-is-bridged", replace(PACKET, port_in="veth0", port_out="veth1"), True),
        ("-p tcp -m multiport --ports 22,9000", PACKET, True),
        ("-m pkttype --pkt-type unicast", PACKET, True),
        ("-m pkttype --pkt-type multicast", PACKET, False),
        ("-f", PACKET, False),
        ("-m policy --dir in --pol none", PACKET, True),
        ("-m policy --dir in --pol ipsec", PACKET, False),
        ("-m rpfilter", replace(PACKET, iif="lo"), True),
        ("-m rpfilter --invert", replace(PACKET, iif="lo"), False),
        ("-p icmp -m icmp --icmp-type 3", replace(PACKET, protocol="icmp", icmp_type=3), True),
        ("-p icmp -m icmp --icmp-type 8", replace(PACKET, protocol="icmp", icmp_type=3), False),
        ("-p icmp -m icmp --icmp-type any", replace(PACKET, protocol="icmp", icmp_type=3), True),
        ("-m ttl --ttl-eq 64", replace(PACKET, hop_limit=64), True),
        ("-m ttl --ttl-lt 64", replace(PACKET, hop_limit=64), False),
    ],
)
def test_match_of_what_a_namespace_knows(options: str, packet: Packet, holds: bool) -> None:
    """Tuples of conntrack, the socket's owner, bridge ports, types: each match looks at the field that it names."""
    assert verdict(rules(f"-A INPUT {options} -j DROP"), packet) is (Act.DROP if holds else Act.ACCEPT)


@pytest.mark.parametrize(
    ("options", "packet"),
    [
        ("-m owner --uid-owner 0", replace(PACKET, socket=True)),
        ("-m owner --gid-owner 0", replace(PACKET, socket=True, user=0)),
        ("-m physdev --physdev-out veth0", replace(PACKET, port_out=None)),
        ("-m ttl --ttl-eq 64", PACKET),
        ("-p icmp -m icmp --icmp-type 3/1", replace(PACKET, protocol="icmp", icmp_type=3)),
        ("-m rpfilter", PACKET),
        ("-m conntrack --ctstatus ASSURED", replace(PACKET, state="established")),
    ],
)
def test_match_of_what_is_not_known(options: str, packet: Packet) -> None:
    """A user that nobody knows, a port, a route without a namespace: whether such a rule holds is not known."""
    assert verdict(rules(f"-A INPUT {options} -j DROP"), packet) is Act.UNKNOWN


def concatenated(*values: str, negated: bool = False) -> Ruleset:
    """A rule that drops by source and destination port."""
    match = Match(Field.CONCATENATION, values, negated, (Field.SOURCE, Field.DESTINATION_PORT))
    return Ruleset((base("t", Rule("drop", (match,), (Action(Act.DROP),))),))


def test_a_concatenation_holds_where_all_of_one_row_does() -> None:
    """Each field of one row has to hold, and a field of another row does not help."""
    assert verdict(concatenated("10.88.0.0/16 . 80-90", "10.88.0.5 . 9000")) is Act.DROP
    assert verdict(concatenated("10.88.0.0/16 . 80-90", "10.99.0.5 . 9000")) is Act.ACCEPT
    assert verdict(concatenated("10.99.0.5 . 9000", negated=True)) is Act.DROP


@pytest.mark.parametrize(
    ("devices", "expected"), [(("a", "podman0"), Act.DROP), (("a",), Act.ACCEPT), (None, Act.UNKNOWN)]
)
def test_chains_of_devices(devices: tuple[str, ...] | None, expected: Act) -> None:
    """A chain that is hooked to the device decides; where nobody knows to which one, it may."""
    chain = replace(base("t", DROP, family="netdev"), hook=Hook.INGRESS, devices=devices)
    assert judge(Ruleset((chain,)), Hook.INGRESS, PACKET, layer=Layer.DEVICE).verdict is expected


def test_each_layer_has_its_own_chains() -> None:
    """Chains of bridges and of ARP are asked about frames, and not about packets."""
    found = Ruleset((base("t", DROP, family="bridge"), base("t", REJECT, family="arp")))
    assert {layer: judge(found, Hook.INPUT, PACKET, layer=layer).verdict for layer in (Layer.BRIDGE, Layer.ARP)} == {
        Layer.BRIDGE: Act.DROP,
        Layer.ARP: Act.REJECT,
    }


# Rules that people have


def of_iptables(name: str) -> Ruleset:
    """A recorded ruleset of iptables-save."""
    return Ruleset(iptables_text.parse(recorded(name), family="ip", backend=Backend.IPTABLES))


def of_nft(name: str) -> Ruleset:
    """A recorded ruleset of nft."""
    return Ruleset(nft_json.parse(recorded(name)))


TO_HOST = replace(PACKET, destination_type="local")
FROM_LAN = replace(TO_HOST, source=ip_address("192.0.2.7"), destination=ip_address("192.0.2.1"), iif="eth0")


@pytest.mark.parametrize("name", ["podman-4.3.iptables", "netavark-1.14.json"])
def test_podman_forwards_a_published_port(name: str) -> None:
    """Both of netavark's drivers send port 8080 of the host to port 80 of the container, and mark what came from it."""
    found = of_iptables(name) if name.endswith("iptables") else of_nft(name)
    lan = judge(found, Hook.PREROUTING, replace(FROM_LAN, destination_port=8080)).packet
    own = judge(found, Hook.PREROUTING, replace(TO_HOST, destination_port=8080)).packet
    assert (str(lan.destination), lan.destination_port, lan.mark) == ("10.88.0.2", 80, 0)
    assert (str(own.destination), own.destination_port, own.mark) == ("10.88.0.2", 80, 0x2000)
    assert judge(found, Hook.PREROUTING, replace(FROM_LAN, destination_port=8081)).translation is None
    hairpin = judge(found, Hook.POSTROUTING, replace(own, oif="podman0", iif=""))
    assert hairpin.translation == Action(Act.MASQUERADE)
    assert judge(found, Hook.POSTROUTING, replace(lan, oif="podman0", iif="")).translation is None


def test_podman_leaves_a_port_of_another_address_alone() -> None:
    """A port that is published on 127.0.0.1 is not translated at the host's other addresses."""
    found = of_iptables("podman-4.3.iptables")
    assert judge(found, Hook.PREROUTING, replace(TO_HOST, destination_port=5432)).translation is None


def test_netavark_drops_between_isolated_networks() -> None:
    """From one isolated network to another one is dropped."""
    packet = replace(PACKET, iif="podman1", oif="podman2")
    found = judge(of_nft("netavark-1.14.json"), Hook.FORWARD, packet)
    assert found.rule is not None and found.rule.text == 'oifname "podman2" drop'


@pytest.mark.parametrize(
    ("packet", "expected", "text"),
    [
        (TO_HOST, Act.ACCEPT, "-A ufw-user-input -i podman0 -p tcp -m multiport --dports 5432,9000:9100 -j ACCEPT"),
        (replace(TO_HOST, destination_port=9101), Act.DROP, None),
        (replace(FROM_LAN, destination_port=22), Act.ACCEPT, "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT"),
        (FROM_LAN, Act.DROP, None),
        (replace(FROM_LAN, destination_type="unicast"), Act.DROP, "-A ufw-not-local -j DROP"),
        (replace(FROM_LAN, iif="lo"), Act.ACCEPT, "-A ufw-before-input -i lo -j ACCEPT"),
    ],
    ids=["allowed by podman0", "other port", "ssh", "from the LAN", "not for this host", "loopback"],
)
def test_ufw(packet: Packet, expected: Act, text: str | None) -> None:
    """ufw drops by policy what it does not allow; that it logs with a limit leaves nothing unknown."""
    found = judge(of_iptables("ufw.iptables"), Hook.INPUT, packet)
    assert (found.verdict, found.rule and found.rule.text) == (expected, text)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (replace(FROM_LAN, destination=ip_address("172.17.0.2"), destination_port=80, oif="docker0"), Act.ACCEPT),
        (replace(FROM_LAN, destination=ip_address("172.17.0.2"), destination_port=81, oif="docker0"), Act.DROP),
        (replace(PACKET, iif="docker0", oif="eth0"), Act.ACCEPT),
        (replace(PACKET, iif="podman0", oif="eth0"), Act.DROP),
    ],
    ids=["published", "not published", "from a container", "from Podman's container beside it"],
)
def test_docker(packet: Packet, expected: Act) -> None:
    """Docker's FORWARD chain lets its own containers' traffic through and drops by policy what others forward."""
    assert verdict(of_iptables("docker.iptables"), packet, Hook.FORWARD) is expected


@pytest.mark.parametrize(
    ("packet", "expected", "argument"),
    [
        (TO_HOST, Act.REJECT, "icmp-admin-prohibited"),
        (PACKET6, Act.REJECT, "icmp6-adm-prohibited"),
        (replace(TO_HOST, destination_port=22), Act.ACCEPT, ""),
        (replace(TO_HOST, iif="trusted0"), Act.ACCEPT, ""),
        (replace(TO_HOST, state="invalid"), Act.DROP, ""),
        (replace(TO_HOST, status=frozenset({"dnat"})), Act.ACCEPT, ""),
    ],
    ids=["not allowed", "not allowed, IPv6", "ssh", "trusted zone", "invalid", "published port"],
)
def test_firewalld(packet: Packet, expected: Act, argument: str) -> None:
    """firewalld rejects, as prohibited by the administrator, what no zone allows."""
    found = judge(of_nft("firewalld.json"), Hook.INPUT, packet)
    assert (found.verdict, found.argument) == (expected, argument)


def test_what_no_rule_is_about_is_the_policys() -> None:
    """Two hundred rules are looked at, and none is about the packet (benchmarks/explaining.py has what that takes)."""
    lines = [f"-A INPUT -s 10.{n}.0.0/16 -p tcp -m tcp --dport {n + 1} -j ACCEPT" for n in range(100)]
    lines += [f"-A INPUT -p tcp -m tcp --dport {n + 1} -m conntrack --ctstate NEW -j ACCEPT" for n in range(100)]
    assert judge(rules(*lines, policy="DROP"), Hook.INPUT, PACKET).verdict is Act.DROP
