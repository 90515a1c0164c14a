"""iptables-save's text as chains of rules. What each option means is told by iptables-extensions(8)."""

from __future__ import annotations

import pytest

from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Rule
from testbed.readers.ipset_text import sets_of
from testbed.readers.iptables_text import parse
from tests.unit.recorded import recorded


def chains(text: str) -> dict[tuple[str, str], Chain]:
    """Chains by table and name."""
    return {(chain.table, chain.name): chain for chain in parse(text, family="ip", backend=Backend.IPTABLES)}


def rule(text: str) -> Rule:
    """The one rule of a table with this line."""
    found = parse(
        f"*filter\n:INPUT ACCEPT [0:0]\n:foo - [0:0]\n{text}\nCOMMIT\n", family="ip", backend=Backend.IPTABLES
    )
    ((only,),) = (chain.rules for chain in found if chain.rules)
    return only


def match(options: str) -> list[Match]:
    """What a rule with these options looks at."""
    return list(rule(f"-A INPUT {options} -j ACCEPT").matches)


def actions(target: str) -> list[Action]:
    """What a rule with this target does."""
    return list(rule(f"-A INPUT {target}").actions)


# Chains


@pytest.mark.parametrize(
    ("table", "name", "hook", "kind", "priority"),
    [
        ("raw", "PREROUTING", Hook.PREROUTING, "filter", -300),
        ("mangle", "FORWARD", Hook.FORWARD, "filter", -150),
        ("mangle", "OUTPUT", Hook.OUTPUT, "route", -150),
        ("nat", "PREROUTING", Hook.PREROUTING, "nat", -100),
        ("nat", "OUTPUT", Hook.OUTPUT, "nat", -100),
        ("nat", "INPUT", Hook.INPUT, "nat", 100),
        ("nat", "POSTROUTING", Hook.POSTROUTING, "nat", 100),
        ("filter", "INPUT", Hook.INPUT, "filter", 0),
        ("security", "OUTPUT", Hook.OUTPUT, "filter", 50),
    ],
)
def test_built_in_chains_are_hooked(table: str, name: str, hook: Hook, kind: str, priority: int) -> None:
    """Built-in chains have the hooks and priorities of enum nf_ip_hook_priorities (netfilter_ipv4.h)."""
    found = chains(f"*{table}\n:{name} ACCEPT [0:0]\nCOMMIT\n")[table, name]
    assert (found.hook, found.kind, found.priority) == (hook, kind, priority)


def test_a_policy_comes_with_its_counter() -> None:
    """A base chain has its policy and the packets that it decided."""
    found = chains("*filter\n:INPUT DROP [12:720]\nCOMMIT\n")["filter", "INPUT"]
    assert (found.policy, found.packets) == (Act.DROP, 12)


def test_a_chain_of_the_users_is_no_base_chain() -> None:
    """A chain that is jumped to has no hook, even if it is called as a built-in one is in another table."""
    found = chains("*nat\n:FORWARD - [0:0]\nCOMMIT\n")["nat", "FORWARD"]
    assert (found.hook, found.kind, found.packets) == (None, "", None)


def test_a_rule_keeps_its_line_and_counter() -> None:
    """A rule has its line as iptables -S prints it, and the packets it matched beside it."""
    found = rule("[7:420] -A INPUT -i podman0 -j DROP")
    assert (found.text, found.packets) == ("-A INPUT -i podman0 -j DROP", 7)


def test_rules_without_counters_are_read() -> None:
    """Without -c nothing is known of how many packets a rule matched."""
    assert rule("-A INPUT -j DROP").packets is None


def test_family_and_backend_are_the_callers() -> None:
    """ip6tables' output looks the same: what it is of is told to the parser."""
    (found,) = parse("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", family="ip6", backend=Backend.LEGACY)
    assert (found.family, found.backend) == ("ip6", Backend.LEGACY)


def test_podmans_own_rules_are_read() -> None:
    """The rules of netavark 1.4 for two networks and two published ports, each chain with its rules."""
    found = chains(recorded("podman-4.3.iptables"))
    assert found["nat", "NETAVARK-DN-1D8721804F16F"].rules[-1] == Rule(
        "-A NETAVARK-DN-1D8721804F16F -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80",
        (Match(Field.PROTOCOL, ("tcp",)), Match(Field.DESTINATION_PORT, ("8080",))),
        (Action(Act.DNAT, "10.88.0.2:80"),),
        0,
    )
    assert found["nat", "POSTROUTING"].rules[0].packets == 1
    assert found["nat", "PREROUTING"].rules[0].actions == (Action(Act.JUMP, "NETAVARK-HOSTPORT-DNAT"),)


@pytest.mark.parametrize("name", ["podman-4.3", "ufw", "docker"])
def test_usual_rules_are_understood(name: str) -> None:
    """Of what Podman, ufw and Docker write only rate limits are left unknown."""
    unknown = {
        " ".join(value.split()[:2])
        for chain in chains(recorded(f"{name}.iptables")).values()
        for found in chain.rules
        for value in [m.values[0] for m in found.matches if m.field is Field.UNKNOWN]
        + [a.argument for a in found.actions if a.act is Act.UNKNOWN]
    }
    assert unknown == ({"-m limit"} if name == "ufw" else set())


# Matches


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-i podman0", [Match(Field.IIF, ("podman0",))]),
        ("! -i eth+", [Match(Field.IIF, ("eth+",), negated=True)]),
        ("-o br0", [Match(Field.OIF, ("br0",))]),
        ("-s 10.88.0.0/16", [Match(Field.SOURCE, ("10.88.0.0/16",))]),
        ("! -d 224.0.0.0/4", [Match(Field.DESTINATION, ("224.0.0.0/4",), negated=True)]),
        ("-p tcp", [Match(Field.PROTOCOL, ("tcp",))]),
        ("-p ipv6-icmp", [Match(Field.PROTOCOL, ("icmpv6",))]),
        ("-p 17", [Match(Field.PROTOCOL, ("udp",))]),
        ("! -p tcp", [Match(Field.PROTOCOL, ("tcp",), negated=True)]),
        ("-m tcp --dport 80", [Match(Field.DESTINATION_PORT, ("80",))]),
        ("-m udp --sport 1024:65535", [Match(Field.SOURCE_PORT, ("1024-65535",))]),
        ("-m tcp ! --dport :1023", [Match(Field.DESTINATION_PORT, ("0-1023",), negated=True)]),
        ("-m tcp --dport 1024:", [Match(Field.DESTINATION_PORT, ("1024-65535",))]),
        ("-m multiport --dports 80,443,1000:2000", [Match(Field.DESTINATION_PORT, ("80", "443", "1000-2000"))]),
        ("-m multiport ! --sports 1,2", [Match(Field.SOURCE_PORT, ("1", "2"), negated=True)]),
        ("-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", [Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,ack",))]),
        ("-m tcp --syn", [Match(Field.TCP_FLAGS, ("syn/fin,syn,rst,ack",))]),
        ("-m tcp ! --tcp-flags ALL NONE", [Match(Field.TCP_FLAGS, ("/fin,syn,rst,psh,ack,urg",), negated=True)]),
        ("-m conntrack --ctstate RELATED,ESTABLISHED", [Match(Field.STATE, ("related", "established"))]),
        ("-m state --state NEW", [Match(Field.STATE, ("new",))]),
        ("-m conntrack --ctstate DNAT", [Match(Field.STATUS, ("dnat",))]),
        (
            "-m conntrack ! --ctstate NEW,DNAT",
            [Match(Field.STATE, ("new",), negated=True), Match(Field.STATUS, ("dnat",), negated=True)],
        ),
        ("-m conntrack --ctstatus SEEN_REPLY", [Match(Field.STATUS, ("seen-reply",))]),
        ("-m mark --mark 0x2000/0x2000", [Match(Field.MARK, ("0x2000/0x2000",))]),
        ("-m mark ! --mark 0x1", [Match(Field.MARK, ("0x1/0xffffffff",), negated=True)]),
        ("-m connmark --mark 0x10/0xf0", [Match(Field.CONNTRACK_MARK, ("0x10/0xf0",))]),
        ("-m addrtype --dst-type LOCAL,BROADCAST", [Match(Field.DESTINATION_TYPE, ("local", "broadcast"))]),
        ("-m addrtype ! --src-type LOCAL", [Match(Field.SOURCE_TYPE, ("local",), negated=True)]),
        ("-m iprange --src-range 10.0.0.1-10.0.0.9", [Match(Field.SOURCE, ("10.0.0.1-10.0.0.9",))]),
        (
            "-m iprange ! --dst-range 10.0.0.1-10.0.0.9",
            [Match(Field.DESTINATION, ("10.0.0.1-10.0.0.9",), negated=True)],
        ),
        ("-m multiport --ports 80", [Match(Field.EITHER_PORT, ("80",))]),
        ("-f", [Match(Field.FRAGMENT, ("yes",))]),
        ("! -f", [Match(Field.FRAGMENT, ("yes",), negated=True)]),
        ("-m icmp --icmp-type 3/1", [Match(Field.ICMP_TYPE, ("3/1",))]),
        ("-m icmp6 ! --icmpv6-type 135", [Match(Field.ICMP_TYPE, ("135",), negated=True)]),
        ("-m icmp --icmp-type any", []),
        ("-m owner --uid-owner 1000-1999", [Match(Field.USER, ("1000-1999",))]),
        ("-m owner ! --socket-exists", [Match(Field.SOCKET, ("yes",), negated=True)]),
        ("-m pkttype --pkt-type broadcast", [Match(Field.PACKET_TYPE, ("broadcast",))]),
        ("-m physdev --physdev-in veth+", [Match(Field.BRIDGE_PORT_IN, ("veth+",))]),
        ("-m physdev --physdev-is-in", [Match(Field.BRIDGE_PORT_IN, ("",), negated=True)]),
        ("-m physdev ! --physdev-is-out", [Match(Field.BRIDGE_PORT_OUT, ("",))]),
        ("-m physdev --physdev-is-bridged", [Match(Field.BRIDGED, ("yes",))]),
        ("-m policy --dir in --pol ipsec", [Match(Field.IPSEC, ("ipsec",))]),
        ("-m ttl --ttl-gt 5", [Match(Field.HOP_LIMIT, ("6-255",))]),
        ("-m hl --hl-eq 255", [Match(Field.HOP_LIMIT, ("255",))]),
        ("-m rt --rt-type 0", [Match(Field.EXTENSION_HEADER, ("rt",)), Match(Field.EXTENSION_HEADER, ("rt",))]),
        ("-m frag", [Match(Field.EXTENSION_HEADER, ("frag",))]),
        ("-m rpfilter", [Match(Field.REVERSE_PATH, ("strict",))]),
        ("-m rpfilter --loose --validmark --invert", [Match(Field.REVERSE_PATH, ("loose mark",), negated=True)]),
        ("-m conntrack --ctdir REPLY", [Match(Field.DIRECTION, ("reply",))]),
        (
            "-m conntrack --ctproto 6 --ctorigdst 10.0.0.1 --ctorigdstport 5:8",
            [
                Match(Field.PROTOCOL, ("tcp",)),
                Match(Field.ORIGINAL_DESTINATION, ("10.0.0.1",)),
                Match(Field.ORIGINAL_DESTINATION_PORT, ("5-8",)),
            ],
        ),
        ('-m comment --comment "a rule of ours"', []),
        ('-m comment --comment "-j DROP"', []),
        ("-m comment --comment -j", []),
        ('-m comment --comment "!"', []),
    ],
)
def test_match_is_understood(options: str, expected: list[Match]) -> None:
    """Each option that is modelled becomes its field, its values in one form, and whether it is negated."""
    assert match(options) == expected


@pytest.mark.parametrize(
    ("options", "unknown"),
    [
        ("-m limit --limit 5/min", "-m limit --limit 5/min"),
        ("-m socket", "-m socket"),
        ("-m recent --set --name X --rsource", "-m recent --set --name X --rsource"),
        ("-m conntrack --ctstate NEW,DNAT", "-m conntrack --ctstate NEW,DNAT"),
        ("-m conntrack --ctexpire 5", "-m conntrack --ctexpire 5"),
        ("-m addrtype --limit-iface-in", "-m addrtype --limit-iface-in"),
        ("-m set ! --match-set x src", "-m set ! --match-set x src"),
        ("-s 10.0.0.1/255.0.255.0", "-s 10.0.0.1/255.0.255.0"),
        ("[unsupported revision]", "[unsupported revision]"),
    ],
)
def test_other_matches_are_unknown_in_their_own_words(options: str, unknown: str) -> None:
    """What is not modelled is kept as text; the rule's target is still seen."""
    found = rule(f"-A INPUT {options} -j DROP")
    assert found.matches == (Match(Field.UNKNOWN, (unknown,)),)
    assert found.actions == (Action(Act.DROP),)


SETS = """create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x294dad2f
add a 10.0.0.1
add a 10.0.0.2 timeout 29
create n hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x0285417c
add n 10.1.0.0/16
add n 10.1.5.0/24 nomatch
create p hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x121e4210
add p 10.0.0.1,tcp:80
add p 10.0.0.2,udp:53
add p 10.0.0.2,icmp:ping
create b bitmap:port range 0-1000
add b 80
create x hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x6e310730
add x 10.0.0.0/8,eth0
create m hash:mac hashsize 1024 maxelem 65536 bucketsize 12 initval 0x6e310730
create e hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x294dad2f
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-m set --match-set a src", Match(Field.SOURCE, ("10.0.0.1", "10.0.0.2"))),
        ("-m set ! --match-set a dst", Match(Field.DESTINATION, ("10.0.0.1", "10.0.0.2"), negated=True)),
        ("-m set --match-set b dst", Match(Field.DESTINATION_PORT, ("80",))),
        ("-m set --match-set e src", Match(Field.SOURCE, ())),
        (
            "-m set --match-set p src,dst",
            Match(
                Field.CONCATENATION,
                ("10.0.0.1 . tcp . 80", "10.0.0.2 . udp . 53"),
                fields=(Field.SOURCE, Field.PROTOCOL, Field.DESTINATION_PORT),
            ),
        ),
        (
            "-m set --match-set x src,src",
            Match(Field.CONCATENATION, ("10.0.0.0/8 . eth0",), fields=(Field.SOURCE, Field.IIF)),
        ),
        *(
            (f"-m set --match-set {name} src", Match(Field.UNKNOWN, (f"-m set --match-set {name} src",)))
            for name in ("n", "m", "missing")
        ),
    ],
)
def test_sets_are_looked_into(options: str, expected: Match) -> None:
    """As ``ipset save`` 7.17 prints them; one with exceptions, of a type that is not modelled, or gone, is unknown."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {options} -j DROP\nCOMMIT\n"
    (chain,) = parse(text, family="ip", backend=Backend.IPTABLES, sets=sets_of(SETS))
    assert chain.rules[0].matches == (expected,)


def test_a_known_match_stands_beside_an_unknown_one() -> None:
    """Part of a rule that is not understood leaves the rest of it understood."""
    assert match("-p tcp -m tcp --dport 22 -m limit --limit 3/min") == [
        Match(Field.PROTOCOL, ("tcp",)),
        Match(Field.DESTINATION_PORT, ("22",)),
        Match(Field.UNKNOWN, ("-m limit --limit 3/min",)),
    ]


def test_a_comment_does_not_end_a_rule() -> None:
    """A vertical tab in a comment, which str.splitlines() takes for the end of a line, is no end of it."""
    assert rule('-A INPUT -m comment --comment "a\x0bb" -j DROP').actions == (Action(Act.DROP),)


def test_a_rule_that_cannot_be_read_is_wholly_unknown() -> None:
    """A quote that does not end makes nothing of the rule known, not even that it does nothing."""
    text = '-A INPUT -m comment --comment "a -j DROP'
    assert rule(text) == Rule(text, (Match(Field.UNKNOWN, (text,)),), (Action(Act.UNKNOWN, text),))


# Targets


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("-j ACCEPT", [Action(Act.ACCEPT)]),
        ("-j DROP", [Action(Act.DROP)]),
        ("-j RETURN", [Action(Act.RETURN)]),
        ("-j foo", [Action(Act.JUMP, "foo")]),
        ("-g foo", [Action(Act.GOTO, "foo")]),
        ("-j REJECT --reject-with icmp-host-prohibited", [Action(Act.REJECT, "icmp-host-prohibited")]),
        ("-j REJECT", [Action(Act.REJECT, "icmp-port-unreachable")]),
        ("-p tcp -j DNAT --to-destination 10.88.0.2:80", [Action(Act.DNAT, "10.88.0.2:80")]),
        ("-p tcp -j DNAT --to-destination :80", [Action(Act.DNAT, ":80")]),
        ("-p tcp -j DNAT --to-destination [fd00::2]:80", [Action(Act.DNAT, "[fd00::2]:80")]),
        ("-j DNAT --to-destination fd00::2", [Action(Act.DNAT, "fd00::2")]),
        ("-p tcp -j DNAT --to-destination 10.0.0.2:80-90/1000", [Action(Act.DNAT, "10.0.0.2:80-90/1000")]),
        ("-j SNAT --to-source 192.0.2.1", [Action(Act.SNAT, "192.0.2.1")]),
        ("-j MASQUERADE", [Action(Act.MASQUERADE)]),
        ("-p tcp -j MASQUERADE --to-ports 80-90 --random-fully", [Action(Act.MASQUERADE)]),
        ("-p tcp -j REDIRECT --to-ports 8080", [Action(Act.REDIRECT, ":8080")]),
        ("-j REDIRECT", [Action(Act.REDIRECT)]),
        ("-j MARK --set-xmark 0x2000/0x2000", [Action(Act.SET_MARK, "0xffffdfff/0x2000")]),
        ("-j MARK --set-mark 0x1/0x2", [Action(Act.SET_MARK, "0xfffffffc/0x1")]),
        ("-j MARK --set-xmark 0x1", [Action(Act.SET_MARK, "0x0/0x1")]),
        ("-j MARK --or-mark 0x4", [Action(Act.SET_MARK, "0xfffffffb/0x4")]),
        ("-j MARK --and-mark 0x4", [Action(Act.SET_MARK, "0x4/0x0")]),
        ("-j MARK --xor-mark 0x4", [Action(Act.SET_MARK, "0xffffffff/0x4")]),
        ("-j CONNMARK --set-xmark 0x1/0x3", [Action(Act.SET_CONNTRACK_MARK, "0xfffffffc/0x1")]),
        ("-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf0", [Action(Act.SET_MARK, "copy 0xff/0xf0")]),
        ("-j CONNMARK --save-mark", [Action(Act.SET_CONNTRACK_MARK, "copy 0xffffffff/0xffffffff")]),
        ("-j CT --notrack", [Action(Act.NOTRACK)]),
        ("-j NOTRACK", [Action(Act.NOTRACK)]),
        ("-j CT --helper ftp", []),
        ("-p tcp -j CT --ctevents new", []),
        ("-j TTL --ttl-set 64", []),
        ("-j TTL --ttl-set 1", [Action(Act.UNKNOWN, "-j TTL --ttl-set 1")]),
        ("-j TEE --gateway 10.0.0.1", []),
        ('-j LOG --log-prefix "-j DROP "', []),
        ("-j NFLOG --nflog-group 1", []),
        ("-j TRACE", []),
        ("-p tcp -j TCPMSS --clamp-mss-to-pmtu", []),
        ("-p udp -j CHECKSUM --checksum-fill", []),
        ("-p tcp", []),
        ("-j NFQUEUE --queue-num 0", [Action(Act.UNKNOWN, "-j NFQUEUE --queue-num 0")]),
        ("-j CT --zone 1", [Action(Act.UNKNOWN, "-j CT --zone 1")]),
        (
            "-j DNAT --to-destination 10.0.0.1-10.0.0.3",
            [Action(Act.UNKNOWN, "-j DNAT --to-destination 10.0.0.1-10.0.0.3")],
        ),
        (
            "-p tcp -j DNAT --to-destination 10.0.0.1:80-90 --random",
            [Action(Act.UNKNOWN, "-j DNAT --to-destination 10.0.0.1:80-90 --random")],
        ),
    ],
)
def test_target_is_understood(target: str, expected: list[Action]) -> None:
    """Each target that is modelled becomes its action; what only logs is none, and any other is kept as text."""
    assert actions(target) == expected


def test_real_output_of_every_kind_is_read() -> None:
    """What iptables-save 1.8.9 printed for rules of many kinds: each line becomes a rule with that line."""
    text = recorded("options.iptables")
    lines = [line.partition("] ")[2] for line in text.split("\n") if line.startswith("[")]
    assert [found.text for chain in chains(text).values() for found in chain.rules] == lines
