"""What an explanation states is read, and held against the picture: true and false sentences of every pattern."""

from __future__ import annotations

import ipaddress
from typing import Final

import pytest

from testbed.evidence import (
    Act,
    Attachment,
    Backend,
    Chain,
    Container,
    Evidence,
    Hook,
    HostFacts,
    Link,
    LinkAddress,
    Listener,
    Names,
    Namespace,
    Neighbour,
    Network,
    Process,
    Protocol,
    Published,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.explain.codes import Cause
from testbed.explain.explanation import Conclusion, Cure, Diagnosis, Explanation, Row
from testbed.hosts_file import HostsFile
from truth.advice import is_advice
from truth.sentences import Judgement, judged

WEB: Final = ipaddress.ip_address("10.88.0.10")
SUBNET: Final = ipaddress.ip_network("10.88.0.0/16")
DROP: Final = Rule("-A INPUT -p tcp -j DROP", (), ())


def address(link: int, text: str) -> LinkAddress:
    """An address of an interface."""
    return LinkAddress(link, ipaddress.ip_interface(text), "global")


BOX: Final = Namespace(
    "net:1",
    "box",
    links=(
        Link(1, "podman0", "bridge", "02:00:00:00:00:01", 1500, up=True, carrier=True),
        Link(2, "veth0", "veth", "02:00:00:00:00:02", 1500, up=True, carrier=True, master=1),
        Link(3, "lan0", "veth", "02:00:00:00:00:03", 1500, up=False, carrier=False),
    ),
    addresses=(address(1, "10.88.0.1/16"), address(3, "203.0.113.10/27")),
    routes=(
        Route(
            254, RouteKind.UNICAST, ipaddress.ip_network("10.88.0.0/16"), 1, source=ipaddress.ip_address("10.88.0.1")
        ),
        Route(254, RouteKind.PROHIBIT, ipaddress.ip_network("203.0.113.20/32")),
    ),
    neighbours=(Neighbour(1, WEB, "02:00:00:00:00:99", "stale"),),
    listeners=(Listener(Protocol.TCP, ipaddress.ip_address("203.0.113.10"), 9000, process=Process(7, "conmon")),),
    firewall=Ruleset(
        (Chain(Backend.IPTABLES, "ip", "filter", "INPUT", (DROP,), Hook.INPUT, "filter", policy=Act.DROP, packets=3),)
    ),
    sysctls={"ipv4/ip_forward": "0", "ipv4/conf/all/rp_filter": "1"},
)
INSIDE: Final = Namespace(
    "net:2",
    "web",
    links=(Link(1, "eth0", "veth", "02:00:00:00:00:0a", 1500, up=True, carrier=True),),
    addresses=(address(1, "10.88.0.10/16"),),
    listeners=(
        Listener(Protocol.TCP, ipaddress.ip_address("0.0.0.0"), 80, queue=0, backlog=128, process=Process(8, "nginx")),
    ),
)
NAMES: Final = Names(
    HostsFile({"box": (ipaddress.ip_address("127.0.1.1"),)}), (ipaddress.ip_address("203.0.113.253"),), ("lab.example",)
)
PICTURE: Final = Evidence(
    "2026-01-01T00:00:00Z",
    (HostFacts("h", "box", "net:1", NAMES),),
    (
        Container(
            "0123456789abcdef",
            "web",
            "h",
            "running",
            "bridge",
            8,
            "net:2",
            attachments=(Attachment("podman", (WEB,)),),
            published=(Published("tcp", 80, 9000, "203.0.113.10"),),
        ),
        Container("fedcba9876543210", "old", "h", "exited", "bridge", attachments=(Attachment("inner"),)),
        Container("00112233445566", "bare", "h", "running", "none"),
    ),
    (
        Network("podman", "h", "bridge", "podman0", (ipaddress.ip_network("10.88.0.0/16"),)),
        Network("inner", "h", "bridge", "podman1", (ipaddress.ip_network("10.89.0.0/24"),), internal=True),
    ),
    {"net:1": BOX, "net:2": INSIDE},
)

#: A true sentence of each pattern, and the same with a fact that is not so.
PROSE: Final = (
    (
        "box asks for db as db.lab.example first, by the search list of its resolv.conf",
        "box asks for db as db.example first, by the search list of its resolv.conf",
    ),
    (
        "127.0.0.1 in web is web itself: each network namespace has a loopback of its own.",
        "10.88.0.1 in web is web itself: each network namespace has a loopback of its own.",
    ),
    ("10.88.0.10 is web's own address on eth0", "10.88.0.10 is web's own address on eth1"),
    ("web (10.88.0.10) is web's own address on eth0", "10.88.0.10 is box's own address on eth0"),
    ("10.88.0.10 is web's own, and nothing there takes tcp for 10.88.0.10:81", "10.88.0.11 is web's own"),
    ("10.88.0.11 is not web's own", "10.88.0.10 is not web's own"),
    (
        "10.88.0.10 is web's own address on eth0, and nobody listens on TCP port 81 there.",
        "10.88.0.10 is web's own address on eth0, and nobody listens on TCP port 80 there.",
    ),
    (
        "10.88.0.10 is web's own, and nothing there takes tcp for 10.88.0.10:81.",
        "10.88.0.10 is web's own, and nothing there takes tcp for 10.88.0.10:80.",
    ),
    (
        "203.0.113.10 is box's own address on lan0. Others are listened on: 203.0.113.10:9000.",
        "203.0.113.10 is box's own address on lan0. Others are listened on: 203.0.113.10:9001.",
    ),
    ("nginx (pid 8) in web", "nginx (pid 9) in web"),
    ("0.0.0.0:80 of web (nginx, pid 8) accepts", "0.0.0.0:80 of web (httpd, pid 8) accepts"),
    ("0.0.0.0:80 of web accepts", "0.0.0.0:81 of web accepts"),
    ("It listens on port 80 inside the container web", "It listens on port 81 inside the container web"),
    ("It listens only on 203.0.113.10:9000", "It listens only on 127.0.0.1:9000"),
    ("Behind the rule nobody listens on 10.88.0.10:81", "Behind the rule nobody listens on 10.88.0.10:80"),
    (
        "10.88.0.10 is web's own address, and on port 80 there only 0.0.0.0:80 is listened on",
        "10.88.0.10 is web's own address, and on port 80 there only 127.0.0.1:80 is listened on",
    ),
    ("Start the program that is to listen on port 81 of web", "Start the program that is to listen on port 81 of w"),
    ("web (10.88.0.10) is refused", "web (10.88.0.11) is refused"),
    (
        "a firewall rule in INPUT of box drops it: -A INPUT -p tcp -j DROP",
        "a firewall rule in INPUT of box drops it: -A INPUT -p udp -j DROP",
    ),
    (
        "a firewall rule in INPUT of box drops the answer: the policy of INPUT",
        "a firewall rule in INPUT of web drops the answer: the policy of INPUT",
    ),
    (
        "The firewall of box drops the connection to web in INPUT: by the rule -A INPUT -p tcp -j DROP (3 packets)",
        "The firewall of box drops the connection to web in INPUT: by the rule -A INPUT -j DROP (3 packets)",
    ),
    (
        "The firewall of box drops it in INPUT: no rule lets it pass, and the policy of the chain INPUT is drop (3)",
        "The firewall of web drops it in INPUT: no rule lets it pass, and the policy of the chain INPUT is drop (3)",
    ),
    (
        "A rule of box rewrites what is for a to b before any other rule is asked: -A INPUT -p tcp -j DROP.",
        "A rule of box rewrites what is for a to b before any other rule is asked: -A INPUT -j DNAT.",
    ),
    ("to 10.88.0.10:80, which is web's, before", "to 10.88.0.11:80, which is web's, before"),
    ("Set the policy of INPUT to accept", "Set the policy of FORWARD to accept"),
    ("web is not in the hosts file of box", "box is not in the hosts file of box"),
    ("box does not know the name web: that is a container", "box does not know the name w: that is a container"),
    ("box asks 203.0.113.253 for names", "box asks 203.0.113.254 for names"),
    (
        "web and web are both on the network podman, where Podman answers for no names",
        "web and old are both on the network podman, where Podman answers for no names",
    ),
    (
        "web does not know old: they are on no network together",
        "web does not know web: they are on no network together",
    ),
    ("Take the name out of the hosts file of box", "Take the name out of the hosts file of bo"),
    ("The container old on box does not run: it is exited", "The container web on box does not run: it is exited"),
    (
        "web publishes port 9000 on the address 203.0.113.10 only",
        "web publishes port 9000 on the address 127.0.0.1 only",
    ),
    ("back to web itself, which publishes port 9000", "back to web itself, which publishes port 9001"),
    ("Port 9000 of web is published for IPv4", "Port 9001 of web is published for IPv4"),
    (
        "Port 9000 is published to port 80 of the container web",
        "Port 9000 is published to port 81 of the container web",
    ),
    ("old is only on the network inner, which is internal", "web is only on the network podman, which is internal"),
    (
        "10.89.0.7 is on the network inner, which web is not on",
        "10.89.0.7 is on the network inner, which old is not on",
    ),
    (
        "web is on podman and old is on inner, and these networks are kept apart",
        "web is on inner and old is on inner, and these networks are kept apart",
    ),
    ("bare has no network: only its own loopback", "web has no network: only its own loopback"),
    ("Connect web to the network inner", "Connect web to the network outer"),
    (
        "The interface lan0 of box, on the way to 203.0.113.20, is down",
        "The interface podman0 of box, on the way to 203.0.113.20, is down",
    ),
    ("lan0 of box, on the way there, is down", "podman0 of box, on the way there, is down"),
    ("(net.ipv4.ip_forward is 0)", "(net.ipv4.ip_forward is 1)"),
    ("box does not forward: what podman0 brings for it", "box does not forward: what podman1 brings for it"),
    ("box drops the packet as it comes in by podman0", "web drops the packet as it comes in by eth0"),
    (
        "box would not answer 10.0.0.1 by podman0, so rp_filter drops it",
        "web would not answer 10.0.0.1 by eth0, so rp_filter drops it",
    ),
    ("nobody answers for 10.88.0.77 on podman0 of box", "nobody answers for 10.88.0.77 on podman1 of box"),
    (
        "10.88.0.77 would be on podman0 of box, and nobody there has it",
        "10.88.0.10 would be on b, and nobody there has it",
    ),
    ("box has no route to 10.1.1.1", "bo has no route to 10.1.1.1"),
    ("web has no IPv6 address", "web has no IPv4 address"),
    ("prohibit 203.0.113.20/32", "unreachable 203.0.113.20/32"),
    (
        "the bridge podman0 of box would have to send the packet back by veth0",
        "the bridge podman0 of box would have to send the packet back by lan0",
    ),
    (
        "box believes that 10.88.0.10 is at 02:00:00:00:00:99",
        "box believes that 10.88.0.10 is at 02:00:00:00:00:98",
    ),
)
#: A true row of each kind, and a false one.
ROWS: Final = (
    ("links", "web", "eth0", "lo"),
    ("listener", "web", "LISTEN 0 128 0.0.0.0:80 nginx (pid 8)", "LISTEN 0 128 0.0.0.0:80 nginx (pid 9)"),
    (
        "listener",
        "web",
        "ss -Hltn 'sport = :81' shows nothing for 10.88.0.10",
        "ss -Hltn 'sport = :80' shows nothing for 10.88.0.10",
    ),
    (
        "rule",
        "box",
        "iptables ip filter INPUT: -A INPUT -p tcp -j DROP",
        "iptables ip nat INPUT: -A INPUT -p tcp -j DROP",
    ),
    (
        "rule",
        "box",
        "iptables ip filter INPUT: policy of the chain INPUT is drop",
        "iptables ip filter INPUT: policy of the chain INPUT is accept",
    ),
    ("translate", "box", "-A INPUT -p tcp -j DROP", "-A INPUT -p udp -j DROP"),
    ("route", "box", "10.88.0.0/16 dev podman0 src 10.88.0.1", "10.88.0.0/16 dev podman0 src 10.88.0.13"),
    ("route", "box", "prohibit 203.0.113.20/32", "blackhole 203.0.113.20/32"),
    ("link", "box", "lan0 DOWN", "veth0 DOWN"),
    ("link", "box", "veth0 master podman0 hairpin off", "lan0 master podman0 hairpin off"),
    ("networks", "box", "web: podman; old: inner", "web: inner"),
    ("published", "box", "203.0.113.10:9000->80/tcp web", "0.0.0.0:9000->80/tcp web"),
    ("published", "box", "web: nothing for 81/tcp", "web: nothing for 80/tcp"),
    ("hosts", "box", "127.0.1.1 box", "127.0.0.1 box"),
    ("hosts", "box", "has box", "has web"),
    ("resolver", "box", "nameserver 203.0.113.253", "nameserver 203.0.113.254"),
    ("sysctl", "box", "net.ipv4.ip_forward = 0", "net.ipv4.ip_forward = 1"),
    ("container", "box", "fedcba987654 old exited", "fedcba987654 old running"),
    (
        "neighbour",
        "box",
        "10.88.0.10 dev podman0 lladdr 02:00:00:00:00:99 STALE",
        "10.88.0.10 dev podman0 lladdr 02:00:00:00:00:99 REACHABLE",
    ),
    ("address", "web", "link/ether 02:00:00:00:00:0a", "link/ether 02:00:00:00:00:0b"),
)


def explanation(sentence: str, *rows: Row, cure: str = "") -> Explanation:
    """An explanation that says little."""
    cures = (Cure(cure, ""),) if cure else ()
    diagnosis = Diagnosis(Cause.NOBODY_LISTENS, sentence, rows, cures)
    return Explanation(Conclusion.EXPLAINED, sentence, diagnosis, None, None)


def judgements(told: Explanation) -> set[Judgement]:
    """How all that it says is judged."""
    return {one.judgement for one in judged(PICTURE, told, "box")}


@pytest.mark.parametrize(("true", "false"), PROSE)
def test_a_sentence_is_held_against_the_picture(true: str, false: str) -> None:
    """A sentence that is so is true, and one that is not so is false."""
    assert judgements(explanation(true)) == {Judgement.TRUE}
    assert Judgement.FALSE in judgements(explanation(false))


@pytest.mark.parametrize(("what", "where", "true", "false"), ROWS)
def test_a_row_is_held_against_the_picture(what: str, where: str, true: str, false: str) -> None:
    """A row that the picture has is true, and one that it has not is false."""
    sentence = "Try it: leave out --no-attempt."
    assert judgements(explanation(sentence, Row(what, where, true))) == {Judgement.ADVICE, Judgement.TRUE}
    assert judgements(explanation(sentence, Row(what, where, false))) == {Judgement.ADVICE, Judgement.FALSE}


def test_what_no_pattern_reads_is_said_to_be_unread() -> None:
    """It is neither true nor advice."""
    assert judgements(explanation("The moon is full.")) == {Judgement.UNREAD}


def test_advice_states_nothing() -> None:
    """What is to be done, or holds of every machine, is no fact of the picture."""
    assert is_advice("Not even ARP is answered: it looks as if nobody had the address.")
    assert not is_advice("The moon is full.")


def test_each_sentence_of_a_text_is_judged_by_itself() -> None:
    """One false sentence does not hide behind a true one."""
    told = explanation("web (10.88.0.10) is refused. 10.88.0.11 is web's own address.")
    assert [one.judgement for one in judged(PICTURE, told, "box")] == [Judgement.TRUE, Judgement.FALSE]
