"""What is read of a firewall and judged by it is what the kernel does to real connections."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

import pytest

from testbed import machine, tools
from testbed.containers import HostContainer
from testbed.errors import CommandError
from testbed.evidence import Act, Backend, Hook, Ruleset
from testbed.host.private import PrivateHost
from testbed.namespaces import NetworkNamespace
from testbed.predict.firewall import Judged, judge
from testbed.predict.packet import Packet
from testbed.readers.firewall import read_firewall
from tests.host.placed import IDLE
from tests.unit.recorded import recorded

MakeHost = Callable[..., PrivateHost]

GATEWAY: Final = "10.88.0.1"
GATEWAY6: Final = "fd00:88::1"
PORT: Final = 9000
#: A connection over veth pairs of one machine is there in microseconds; a SYN that is dropped never is.
SECONDS: Final = 0.3
#: The first ICMPv6 answer is there before connect(2) has let go of the socket, and is then passed over
#: (net/ipv6/tcp_ipv6.c, tcp_v6_err); the second one comes when the SYN is sent again, after a second.
SECONDS_V6: Final = 5.0
DROPPED: Final = -1
#: What connect(2) gives for each answer (net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach).
REJECTS: Final = {
    "tcp-reset": errno.ECONNREFUSED,
    "icmp-port-unreachable": errno.ECONNREFUSED,
    "icmp-net-unreachable": errno.ENETUNREACH,
    "icmp-host-unreachable": errno.EHOSTUNREACH,
    "icmp-proto-unreachable": errno.ENOPROTOOPT,
    "icmp-net-prohibited": errno.ENETUNREACH,
    "icmp-host-prohibited": errno.EHOSTUNREACH,
    "icmp-admin-prohibited": errno.EHOSTUNREACH,
    "icmp6-no-route": errno.ENETUNREACH,
    "icmp6-adm-prohibited": errno.EACCES,
    "icmp6-addr-unreachable": errno.EHOSTUNREACH,
    "icmp6-port-unreachable": errno.ECONNREFUSED,
}


@dataclass(frozen=True, slots=True)
class Wire:
    """A host, and a namespace beside it on a bridge called podman0, as a container would be."""

    host: PrivateHost
    guest: NetworkNamespace

    def dial(self, address: str = GATEWAY, port: int = PORT) -> int:
        """What connecting from the guest ends with: an errno, 0 for a connection, -1 for silence."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.guest.socket(family) as caller:
            caller.settimeout(SECONDS_V6 if family is socket.AF_INET6 else SECONDS)
            number = caller.connect_ex((address, port))
        return DROPPED if number == errno.EAGAIN else number

    def rules(self) -> Ruleset:
        """The host's rules, all of which can be read."""
        found, missing = read_firewall(self.host.net)
        assert missing == ()
        return found


_LINKS: Final = f"""link add podman0 type bridge
link add veth0 type veth peer name eth0 netns guest
link set veth0 master podman0 up
link set podman0 up
addr add {GATEWAY}/16 dev podman0
addr add {GATEWAY6}/64 dev podman0 nodad
"""
_GUEST_LINKS: Final = """link set eth0 up
addr add 10.88.0.5/16 dev eth0
addr add fd00:88::5/64 dev eth0 nodad
route add default via 10.88.0.1
"""


@contextmanager
def wired(host: PrivateHost) -> Iterator[Wire]:
    """A wire to a host, which listens on port 9000 of both families meanwhile."""
    host.run(["ip", "netns", "add", "guest"])
    host.run(["ip", "-batch", "-"], stdin=_LINKS.encode())
    host.run(["ip", "-netns", "guest", "-batch", "-"], stdin=_GUEST_LINKS.encode())
    guest = host.namespace(host.path("/run/netns/guest"), "guest")
    with host.net.socket(socket.AF_INET6) as listener:
        listener.bind(("::", PORT))
        listener.listen()
        yield Wire(host, guest)


@pytest.fixture(scope="module")
def lasting_wire(testbed_session: None) -> Iterator[Wire]:
    """One wire for all tests: its rules are quickly undone."""
    with PrivateHost("host", with_engine=False) as host, wired(host) as wire:
        yield wire


@pytest.fixture
def wire(lasting_wire: Wire) -> Iterator[Wire]:
    """The wire, without any rules."""
    yield lasting_wire
    lasting_wire.host.run(["nft", "flush", "ruleset"])


def judged(rules: Ruleset, *hooks: Hook, address: str = GATEWAY, port: int = PORT) -> Judged:
    """What the first packet of a connection from the guest meets at some hooks of the host."""
    source = "fd00:88::5" if ":" in address else "10.88.0.5"
    packet = Packet(ip_address(source), ip_address(address), "tcp", None, port, iif="podman0", destination_type="local")
    found = Judged(Act.ACCEPT, packet)
    for hook in hooks:
        found = judge(rules, hook, replace(found.packet, destination_type="local"))
        if found.verdict is not Act.ACCEPT:
            break
    return found


def agree(wire: Wire, expected: Act, *, address: str = GATEWAY, port: int = PORT) -> Judged:
    """Hold the kernel's answer against the judgement, and both against what is expected.

    The rule that decided has counted the packet.
    """
    number = wire.dial(address, port)
    found = judged(wire.rules(), Hook.PREROUTING, Hook.INPUT, address=address, port=port)
    assert found.verdict is expected
    kernels = {Act.ACCEPT: 0, Act.DROP: DROPPED, Act.REJECT: REJECTS.get(found.argument)}
    assert number == kernels[expected]
    if found.rule is not None:
        assert found.rule.packets
    elif found.chain is not None and found.chain.backend is not Backend.NFTABLES:
        assert found.chain.packets
    return found


def load(wire: Wire, text: str, *, family: str = "ip") -> None:
    """Load rules: by iptables-restore those that begin as its own do, by nft all others."""
    program = [f"{family}tables-restore"] if text.startswith("*") else ["nft", "-f", "-"]
    wire.host.run(program, stdin=text.encode())


def iptables(*lines: str, policy: str = "ACCEPT") -> str:
    """What iptables-restore takes for these lines of the filter table."""
    return "\n".join(["*filter", f":INPUT {policy} [0:0]", *lines, "COMMIT", ""])


def nft(*lines: str, policy: str = "accept", extra: str = "") -> str:
    """What nft takes for these rules at INPUT."""
    body = "\n".join(lines)
    return f"""table inet mine {{
{extra}
chain helper {{ counter drop; }}
chain input {{ type filter hook input priority 0; policy {policy};
{body}
}}
}}
"""


# Rules of iptables


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (iptables("-A INPUT -i podman0 -j DROP"), Act.DROP),
        (iptables(policy="DROP"), Act.DROP),
        (iptables("-A INPUT -p tcp --dport 9000 -j ACCEPT", policy="DROP"), Act.ACCEPT),
        (iptables("-A INPUT -p tcp --dport 9001 -j ACCEPT", policy="DROP"), Act.DROP),
        (iptables("-A INPUT -i pod+ -j DROP"), Act.DROP),
        (iptables("-A INPUT ! -i pod+ -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -i podman -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT ! -s 10.89.0.0/16 -j DROP"), Act.DROP),
        (iptables("-A INPUT -s 10.88.0.0/24 ! -d 10.88.0.1 -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -m iprange --src-range 10.88.0.4-10.88.0.6 -j DROP"), Act.DROP),
        (iptables("-A INPUT -p tcp -m multiport --dports 22,8000:9000 -j DROP"), Act.DROP),
        (iptables("-A INPUT -p tcp -m multiport ! --dports 22,9000 -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -p tcp --sport 1024: -j DROP"), Act.DROP),
        (iptables("-A INPUT -p tcp --sport 53 -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -p tcp --syn -j DROP"), Act.DROP),
        (iptables("-A INPUT -p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", policy="DROP"), Act.DROP),
        (iptables("-A INPUT -m conntrack --ctstate NEW -j DROP"), Act.DROP),
        (iptables("-A INPUT -m conntrack ! --ctstate ESTABLISHED -j DROP"), Act.DROP),
        (iptables("-A INPUT -m conntrack --ctstate DNAT -j DROP"), Act.ACCEPT),
        (iptables("-A INPUT -m addrtype --dst-type LOCAL -j DROP"), Act.DROP),
        (iptables("-A INPUT -m addrtype ! --dst-type LOCAL -j DROP"), Act.ACCEPT),
        (
            iptables(":x - [0:0]", "-A INPUT -j x", "-A INPUT -j DROP", "-A x -p tcp -j RETURN", "-A x -j ACCEPT"),
            Act.DROP,
        ),
        (iptables(":x - [0:0]", "-A INPUT -g x", "-A INPUT -j ACCEPT", "-A x -p udp -j DROP", policy="DROP"), Act.DROP),
        (iptables("-A INPUT -m limit --limit 1/hour -j LOG", "-A INPUT -j DROP"), Act.DROP),
        (
            "*mangle\n-A PREROUTING -i podman0 -j MARK --set-mark 0x21\nCOMMIT\n"
            + iptables("-A INPUT -m mark --mark 0x20/0xf0 -j DROP"),
            Act.DROP,
        ),
        (
            "*mangle\n-A PREROUTING -j CONNMARK --set-mark 0x7\n-A PREROUTING -j CONNMARK --restore-mark\nCOMMIT\n"
            + iptables("-A INPUT -m mark --mark 0x7 -j DROP"),
            Act.DROP,
        ),
        (
            "*raw\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n"
            + iptables("-A INPUT -m conntrack --ctstate UNTRACKED -j DROP"),
            Act.DROP,
        ),
    ],
)
def test_iptables(wire: Wire, rules: str, expected: Act) -> None:
    """The kernel does to a connection what the rules, read by iptables-save, are judged to do."""
    load(wire, rules)
    agree(wire, expected)


@pytest.mark.parametrize("how", [how for how in REJECTS if not how.startswith("icmp6")])
def test_each_reject(wire: Wire, how: str) -> None:
    """Each kind of REJECT is told, and gives whoever connects its own errno."""
    load(wire, iptables(f"-A INPUT -p tcp --dport 9000 -j REJECT --reject-with {how}"))
    assert agree(wire, Act.REJECT).argument == how


@pytest.mark.parametrize("how", [how for how in REJECTS if how.startswith("icmp6") or how == "tcp-reset"])
def test_each_reject_of_ipv6(wire: Wire, how: str) -> None:
    """Each kind of ip6tables' REJECT is told, and gives whoever connects its own errno."""
    load(wire, iptables(f"-A INPUT -p tcp --dport 9000 -j REJECT --reject-with {how}"), family="ip6")
    assert agree(wire, Act.REJECT, address=GATEWAY6).argument == how


def test_rules_of_legacy_iptables(make_private_host: MakeHost) -> None:
    """A rule of legacy iptables, whose tables stay until their host goes, is read as one of its own, and judged."""
    with wired(make_private_host(with_engine=False)) as wire:
        try:
            wire.host.run(["iptables-legacy", "-A", "INPUT", "-i", "podman0", "-j", "DROP"])
        except CommandError as exc:
            if "can't initialize iptables table" not in exc.stderr:
                raise
            pytest.skip(f"the kernel has no legacy iptables: {exc.stderr}")
        found = agree(wire, Act.DROP)
    assert found.chain is not None and found.chain.backend is Backend.LEGACY


# Rules of nft

_BAD_RANGE: Final = "set bad { type ipv4_addr; flags interval; elements = { 10.88.0.4-10.88.0.6 }; }"
_PORTS: Final = "set ports { type inet_service; elements = { 80, 9000 }; }"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (nft('iifname "podman0" counter drop'), Act.DROP),
        (nft(policy="drop"), Act.DROP),
        (nft("tcp dport 9000 counter accept", policy="drop"), Act.ACCEPT),
        (nft("tcp dport != 9000 counter accept", policy="drop"), Act.DROP),
        (nft('iifname "pod*" counter drop'), Act.DROP),
        (nft('iifname != { "lo", "pod*" } counter drop'), Act.ACCEPT),
        (nft('iif "podman0" counter drop'), Act.DROP),
        (nft("ip saddr { 10.88.0.0/24, 192.0.2.1 } counter drop"), Act.DROP),
        (nft("ip saddr != 10.88.0.5 counter drop"), Act.ACCEPT),
        (nft("ip6 saddr ::/0 counter drop"), Act.ACCEPT),
        (nft("meta l4proto { tcp, udp } th dport { 53, 8000-9000 } counter drop"), Act.DROP),
        (nft("tcp dport > 9000 counter drop"), Act.ACCEPT),
        (nft("tcp dport >= 9000 counter drop"), Act.DROP),
        (nft("ct state established,related accept", "ct state new counter drop"), Act.DROP),
        (nft("ct state vmap { established : accept, new : jump helper }"), Act.DROP),
        (
            nft(
                "tcp dport vmap @ports", extra="map ports { type inet_service : verdict; elements = { 9000 : drop }; }"
            ),
            Act.DROP,
        ),
        (
            nft(
                "ip saddr @bad tcp dport @ports counter drop",
                extra=f"{_BAD_RANGE}\n{_PORTS}",
            ),
            Act.DROP,
        ),
        (nft("ip saddr @bad counter drop", extra="set bad { type ipv4_addr; elements = { 10.88.0.6 }; }"), Act.ACCEPT),
        (nft("meta mark set 0x21", "meta mark & 0xf0 == 0x20 counter drop"), Act.DROP),
        (nft("meta mark set 0x21", "meta mark set meta mark | 0x100", "meta mark 0x121 counter drop"), Act.DROP),
        (nft("ct mark set 0x7", "meta mark set ct mark", "meta mark 0x7 counter drop"), Act.DROP),
        (nft("meta mark set 0x1 tcp dport 1", "meta mark 0x1 counter drop"), Act.DROP),
        (nft("fib daddr type local counter drop"), Act.DROP),
        (nft("fib daddr type != local counter drop"), Act.ACCEPT),
        (nft("tcp flags & (fin | syn | rst | ack) == syn counter drop"), Act.DROP),
        (nft("tcp flags ack counter drop"), Act.ACCEPT),
        (nft("ct status dnat counter drop"), Act.ACCEPT),
        (nft("goto helper", "accept"), Act.DROP),
        (
            nft("accept") + "table ip other { chain late { type filter hook input priority 10; counter drop; }; }\n",
            Act.DROP,
        ),
        (
            nft("counter drop") + "table ip other { chain early { type filter hook input priority -10; accept; }; }\n",
            Act.DROP,
        ),
        (nft("counter reject"), Act.REJECT),
        (nft("counter reject with icmpx type admin-prohibited"), Act.REJECT),
        (nft("counter reject with icmpx type no-route"), Act.REJECT),
        (nft("counter reject with icmp type host-prohibited"), Act.REJECT),
        (nft("counter reject with icmpv6 type no-route"), Act.ACCEPT),
        (nft("tcp dport 9000 counter reject with tcp reset"), Act.REJECT),
        (recorded("firewalld.nft"), Act.REJECT),
    ],
)
def test_nft(wire: Wire, rules: str, expected: Act) -> None:
    """The kernel does to a connection what the rules, read by nft, are judged to do."""
    load(wire, rules)
    number = wire.dial()
    found = judged(wire.rules(), Hook.PREROUTING, Hook.INPUT)
    assert found.verdict is expected
    assert number == {Act.ACCEPT: 0, Act.DROP: DROPPED, Act.REJECT: REJECTS.get(found.argument)}[expected]
    if found.rule is not None and found.rule.packets is not None:
        assert found.rule.packets > 0


@pytest.mark.parametrize("how", ["port-unreachable", "admin-prohibited", "no-route", "host-unreachable"])
def test_each_reject_of_both_families(wire: Wire, how: str) -> None:
    """``icmpx`` answers IPv6 by ICMPv6, with its own errno."""
    load(wire, nft(f"tcp dport 9000 counter reject with icmpx type {how}"))
    assert agree(wire, Act.REJECT, address=GATEWAY6).argument.startswith("icmp6-")


def test_a_native_rule_in_a_table_of_iptables(wire: Wire) -> None:
    """A verdict map in iptables' own chain, which iptables-save leaves out without a word, is judged all the same."""
    load(wire, iptables("-A INPUT -p tcp --dport 22 -j ACCEPT"))
    load(wire, "add rule ip filter INPUT tcp dport vmap { 9000 : drop }")
    found = judged(wire.rules(), Hook.INPUT)
    assert (found.verdict, wire.dial()) == (Act.DROP, DROPPED)
    assert found.rule is not None and found.rule.text == "tcp dport vmap { 9000 : drop }"


def test_a_native_chain_in_a_table_of_iptables(wire: Wire) -> None:
    """A base chain beside iptables' own ones, which iptables-save does not show, is judged all the same."""
    load(wire, iptables("-A INPUT -m conntrack --ctstate NEW -j ACCEPT"))
    load(wire, "table ip filter { chain mine { type filter hook input priority 5; counter drop; }; }")
    rules = wire.rules()
    assert (judged(rules, Hook.INPUT).verdict, wire.dial()) == (Act.DROP, DROPPED)
    assert {chain.backend for chain in rules.chains if chain.name == "INPUT"} == {Backend.IPTABLES}


# Answers, and translations

_NAT: Final = "table inet n { chain p { type nat hook prerouting priority -100; %s; }; }"


@pytest.mark.parametrize("state", ["ESTABLISHED", "NEW"])
def test_answers_are_established(wire: Wire, state: str) -> None:
    """Behind a policy of DROP the host can connect as soon as answers may come in."""
    load(wire, iptables(f"-A INPUT -m conntrack --ctstate {state} -j ACCEPT", policy="DROP"))
    with wire.guest.socket() as listener, wire.host.net.socket() as caller:
        listener.bind(("10.88.0.5", 0))
        listener.listen()
        port = listener.getsockname()[1]
        caller.settimeout(SECONDS)
        number = caller.connect_ex(("10.88.0.5", port))
    answer = Packet(
        ip_address("10.88.0.5"),
        ip_address(GATEWAY),
        "tcp",
        port,
        None,
        iif="podman0",
        state="established",
        destination_type="local",
        flags=frozenset({"syn", "ack"}),
    )
    assert (judge(wire.rules(), Hook.INPUT, answer).verdict, number) == (
        (Act.ACCEPT, 0) if state == "ESTABLISHED" else (Act.DROP, errno.EAGAIN)
    )


@pytest.mark.parametrize(
    "rules",
    [
        "*nat\n-A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 9000\nCOMMIT\n",
        f"*nat\n-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination {GATEWAY}:9000\nCOMMIT\n",
        "*nat\n-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination :9000\nCOMMIT\n",
        f"*nat\n-A PREROUTING -p tcp --dport 8000:8100 -j DNAT --to-destination {GATEWAY}:8920-9020/8000\nCOMMIT\n",
        _NAT % "tcp dport 8080 counter redirect to :9000",
        _NAT % f"tcp dport 8080 dnat ip to {GATEWAY}:9000",
    ],
    ids=["redirect", "dnat", "port only", "moved range", "nft redirect", "nft dnat"],
)
def test_translated_ports(wire: Wire, rules: str) -> None:
    """A port where nobody listens connects once it is translated to one where somebody does."""
    assert wire.dial(port=8080) == errno.ECONNREFUSED
    load(wire, rules)
    assert wire.dial(port=8080) == 0
    found = judged(wire.rules(), Hook.PREROUTING, port=8080)
    assert found.packet.destination_port == PORT
    assert found.translation is not None


def test_a_published_port(make_private_host: MakeHost, testbed_image: Callable[[str], str]) -> None:
    """Podman's own rules for a published port are judged to lead where the container is, and do lead there."""
    host = make_private_host()
    container = HostContainer(host, testbed_image("base"), "web")
    container.with_command(IDLE)
    container.on("podman").publish(80, host_address="0.0.0.0", host_port=8080)
    container.start()
    inside = container.net
    with inside.socket() as listener, host.net.socket() as caller:
        listener.bind(("0.0.0.0", 80))
        listener.listen()
        caller.settimeout(SECONDS)
        assert caller.connect_ex((GATEWAY, 8080)) == 0
        accepted, _ = listener.accept()
        with accepted:
            where = accepted.getsockname()
    rules, missing = read_firewall(host.net)
    packet = Packet(ip_address(GATEWAY), ip_address(GATEWAY), "tcp", None, 8080, oif="lo", destination_type="local")
    found = judge(rules, Hook.OUTPUT, packet)
    assert missing == ()
    assert (str(found.packet.destination), found.packet.destination_port) == where
    assert found.translated_by is not None
    counted = None if machine.read().firewall == "nft" else 1  # netavark's nft rules have no counters
    assert found.translated_by[1].packets == counted


# Reading


def test_a_namespace_without_rules_has_none(wire: Wire) -> None:
    """Where nothing was ever set nothing is found, and nothing is missing."""
    assert read_firewall(wire.guest) == (Ruleset(), ())


def test_reading_changes_nothing(wire: Wire) -> None:
    """Reading makes no table and no chain, of nftables or of legacy iptables."""
    load(wire, "table ip filter { chain mine { type filter hook input priority 5; counter drop; }; }")
    # Without counters: a late packet of an earlier connection may come meanwhile.
    look = ["sh", "-c", "nft --stateless list ruleset; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names"]
    before = wire.host.run(look)
    read_firewall(wire.host.net)
    assert wire.host.run(look) == before


def test_a_missing_program_is_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nft its rules are missing from the picture, and iptables' own are there."""
    load(wire, iptables("-A INPUT -i podman0 -j DROP"))
    find = tools.find
    monkeypatch.setattr(tools, "find", lambda name: None if name == "nft" else find(name))
    rules, missing = read_firewall(wire.host.net)
    assert missing == ("the nftables rules of host could not be read: nft is not installed",)
    assert judged(rules, Hook.INPUT).verdict is Act.DROP


def test_a_missing_iptables_is_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without iptables-save its rules are read by nft, as far as that goes, and the picture says so."""
    load(wire, iptables("-A INPUT -i podman0 -j DROP", "-A INPUT -m conntrack --ctstate NEW -j DROP"))
    find = tools.find
    monkeypatch.setattr(tools, "find", lambda name: None if "save" in name else find(name))
    rules, missing = read_firewall(wire.host.net)
    assert missing == ("the iptables-nft rules of host could not be read: iptables-nft-save is not installed",)
    assert judged(rules, Hook.INPUT).verdict is Act.DROP
