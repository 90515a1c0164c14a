"""Frames, what the firewall told and a picture make a journey, without a kernel."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import replace

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from testbed.evidence import (
    Act,
    Action,
    Backend,
    Chain,
    Conntrack,
    Evidence,
    Flow,
    HostFacts,
    Link,
    LinkAddress,
    Listener,
    Names,
    Namespace,
    Place,
    Process,
    Protocol,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.frames import Frame, decode
from testbed.frames.segments import icmp_error, segment
from testbed.hosts_file import HostsFile
from testbed.model import Observation, Outcome, Phase, Target
from testbed.readers.nft_json import Numbered, by_handle
from testbed.trace import Endpoint, Leg, LegEnd, pcapng
from testbed.trace.conversations import ArpShown, TapSite, conversations, errors, shown
from testbed.trace.events import Event, Marked
from testbed.trace.hops import Hit, TraceInput
from testbed.trace.judge import Request, legs, sentence
from testbed.trace.nftrace import read_event
from testbed.trace.rules import counted, traced

JACK, SHOP, FRONT, ORDERS = "198.51.100.20", "203.0.113.10", "10.88.0.10", "10.88.0.11"
AT_JACK, AT_SHOP, AT_FRONT, AT_ORDERS = "net:[1]", "net:[2]", "net:[3]", "net:[4]"
TAPS = {
    "wan0@jack": TapSite(AT_JACK, "jack", "wan0"),
    "wan0@shop": TapSite(AT_SHOP, "shop", "wan0"),
    "podman0@shop": TapSite(AT_SHOP, "shop", "podman0"),
    "eth0@frontend": TapSite(AT_FRONT, "frontend", "eth0"),
    "eth0@orders": TapSite(AT_ORDERS, "orders", "eth0"),
}
ISN, BACK_ISN = 1000, 5000
ENTRY = Conntrack(
    "tcp",
    Flow(ipaddress.ip_address(JACK), ipaddress.ip_address(SHOP), 40000, 80),
    Flow(ipaddress.ip_address(FRONT), ipaddress.ip_address(JACK), 8080, 40000),
    0,
)


def packet(
    tap: str,
    at: float,
    source: tuple[str, int],
    destination: tuple[str, int],
    flags: str,
    numbers: tuple[int, int],
    *,
    data: bytes = b"",
    ttl: int = 64,
    out: bool = False,
) -> Frame:
    """A segment at a tap; sent by its interface or received."""
    made = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source[0], dst=destination[0], ttl=ttl)
    made /= TCP(sport=source[1], dport=destination[1], flags=flags, seq=numbers[0], ack=numbers[1])
    raw = bytes(made / Raw(data) if data else made)
    return decode(raw.ljust(60, b"\0"), tap=tap, at=at, outgoing=out)


OUTSIDE, INSIDE = ((JACK, 40000), (SHOP, 80)), ((JACK, 40000), (FRONT, 8080))


def there(at: float, flags: str, numbers: tuple[int, int], *, data: bytes = b"", last: int = 4) -> list[Frame]:
    """A packet of Jack's at the taps on its way, the first so many."""
    way = [
        packet("wan0@jack", at, *OUTSIDE, flags, numbers, data=data, out=True),
        packet("wan0@shop", at + 0.001, *OUTSIDE, flags, numbers, data=data),
        packet("podman0@shop", at + 0.002, *INSIDE, flags, numbers, data=data, ttl=63, out=True),
        packet("eth0@frontend", at + 0.003, *INSIDE, flags, numbers, data=data, ttl=63),
    ]
    return way[:last]


def back(at: float, flags: str, numbers: tuple[int, int], *, data: bytes = b"") -> list[Frame]:
    """A packet of the frontend's on its way back."""
    inside, outside = (INSIDE[1], INSIDE[0]), (OUTSIDE[1], OUTSIDE[0])
    return [
        packet("eth0@frontend", at, *inside, flags, numbers, data=data, out=True),
        packet("podman0@shop", at + 0.001, *inside, flags, numbers, data=data),
        packet("wan0@shop", at + 0.002, *outside, flags, numbers, data=data, ttl=63, out=True),
        packet("wan0@jack", at + 0.003, *outside, flags, numbers, data=data, ttl=63),
    ]


HANDSHAKE = [
    *there(1.0, "S", (ISN, 0)),
    *back(1.1, "SA", (BACK_ISN, ISN + 1)),
    *there(1.2, "A", (ISN + 1, BACK_ISN + 1)),
]
ASKED = there(1.3, "PA", (ISN + 1, BACK_ISN + 1), data=b"GET / HTTP/1.1\r\n\r\n")
ANSWERED = back(2.0, "PA", (BACK_ISN + 1, ISN + 19), data=b"HTTP/1.1 200 OK\r\n\r\n")


def relayed(at: float, *, number: int = 7000, port: int = 50000, syn: bool = True) -> list[Frame]:
    """A connection of the frontend's to the orders."""
    one, other = (FRONT, port), (ORDERS, 8000)
    ends = "eth0@frontend", "eth0@orders"
    made = []
    if syn:
        made += [packet(tap, at, one, other, "S", (number, 0), out=tap == ends[0]) for tap in ends]
        made += [packet(tap, at, other, one, "SA", (9, number + 1), out=tap == ends[1]) for tap in reversed(ends)]
    data = b"GET / HTTP/1.0\r\n"
    made += [packet(tap, at + 0.01, one, other, "PA", (number + 1, 10), data=data, out=tap == ends[0]) for tap in ends]
    return made


def a_namespace(
    key: str, label: str, address: str, link: str, port: int = 0, conntrack: Sequence[Conntrack] = ()
) -> Namespace:
    """One with an interface, a route for all, and perhaps a listener."""
    interface = Link(2, link, "veth", "02:00:00:00:00:09", 1500, up=True, carrier=True)
    any_ = ipaddress.ip_address("0.0.0.0")
    listener = Listener(Protocol.TCP, any_, port, inode=1, process=Process(7, f"{label}d"))
    own = ipaddress.ip_interface(f"{address}/32")
    return Namespace(
        key,
        label,
        links=(interface,),
        addresses=(LinkAddress(2, own, "global"),),
        routes=(
            Route(254, RouteKind.UNICAST, ipaddress.ip_network("0.0.0.0/0"), 2),
            Route(255, RouteKind.LOCAL, own.network, 2),
        ),
        listeners=(listener,) if port else (),
        conntrack=tuple(conntrack),
    )


def scene(*hits: Hit, entry: Conntrack | None = ENTRY) -> TraceInput:
    """The picture: Jack, the shop, its frontend and its orders."""
    namespaces = (
        a_namespace(AT_JACK, "jack", JACK, "wan0"),
        a_namespace(AT_SHOP, "shop", SHOP, "wan0", conntrack=() if entry is None else (entry,)),
        a_namespace(AT_FRONT, "frontend", FRONT, "eth0", 8080),
        a_namespace(AT_ORDERS, "orders", ORDERS, "eth0", 8000),
    )
    names = Names(HostsFile({}))
    evidence = Evidence(
        "",
        (HostFacts("jack", "jack", AT_JACK, names), HostFacts("shop", "shop", AT_SHOP, names)),
        namespaces={n.key: n for n in namespaces},
    )
    return TraceInput(evidence, {AT_SHOP: hits})


def request(outcome: Outcome = Outcome.CONNECTED) -> Request:
    """Jack's, from port 40000."""
    target = Target.parse(f"http://{SHOP}/")
    seen = Observation("jack", str(target), outcome, Phase.CONNECT, None, "", 0.1, "")
    return Request(Place(HostFacts("jack", "jack", AT_JACK, Names(HostsFile({})))), target, (40000,), seen)


def judged(frames: Sequence[Frame], where: TraceInput | None = None) -> tuple[Leg, ...]:
    """The legs that some frames make."""
    ordered = sorted(frames, key=lambda frame: frame.at)
    where = where or scene()
    return legs(where, conversations(shown(ordered, TAPS)), errors(ordered, TAPS), request())[0]


# Which frames are one packet


def test_a_packet_is_known_again_behind_nat() -> None:
    """By its sequence number, which NAT leaves as it is; its addresses are others there."""
    (leg,) = judged([*HANDSHAKE, *ASKED, *ANSWERED])
    assert [str(hop.destination) for hop in leg.there] == [f"{SHOP}:80"] * 2 + [f"{FRONT}:8080"] * 2
    assert [str(hop.source) for hop in leg.back] == [f"{FRONT}:8080"] * 2 + [f"{SHOP}:80"] * 2
    assert (leg.sequence, leg.back_sequence) == (ISN, BACK_ISN)
    assert (leg.said, leg.answered, leg.end) == ("GET / HTTP/1.1", "HTTP/1.1 200 OK", LegEnd.ANSWERED)


def test_one_pair_of_ports_in_two_namespaces_is_two_connections() -> None:
    """Each kernel gives its ports by itself: only the numbers in a packet join what two of them show."""
    frames = [
        packet("wan0@jack", 1.0, *OUTSIDE, "S", (1, 0), out=True),
        packet("eth0@orders", 1.1, *OUTSIDE, "S", (2, 0), out=True),
    ]
    assert len(conversations(shown(frames, TAPS))) == 2


def test_padding_is_no_data() -> None:
    """Ethernet's shortest frame is longer than a SYN without options."""
    found = segment(packet("wan0@jack", 1.0, *OUTSIDE, "S", (ISN, 0)))
    assert found is not None
    assert (found.sequence, found.flags, found.data) == (ISN, "S", b"")


def test_a_packet_that_is_sent_again_is_one_hop_and_two_attempts() -> None:
    """The same numbers at the same tap later."""
    (leg,) = judged([*there(1.0, "S", (ISN, 0), last=2), *there(2.0, "S", (ISN, 0), last=2)])
    assert ([hop.interface for hop in leg.there], leg.attempts) == (["wan0", "wan0"], 2)


def test_another_connection_to_the_same_place_is_not_ours() -> None:
    """Only the port that the request's own socket had begins it."""
    other = [packet("wan0@jack", 1.0, (JACK, 40001), (SHOP, 80), "S", (3, 0), out=True)]
    assert judged(other) == ()
    assert len(judged([*other, *HANDSHAKE])) == 1


# What was made for its sake


def test_what_the_one_that_got_it_asks_meanwhile_is_a_further_leg() -> None:
    """It begins in the frontend, after the request came and before its answer left; with numbers of its own."""
    first, second = judged([*HANDSHAKE, *ASKED, *relayed(1.5), *ANSWERED])
    assert (second.parent, second.older, second.sequence) == (first.number, False, 7000)
    assert (second.opener, second.delivered) == ("frontend (frontendd)", "orders (ordersd)")
    assert second.rewrites == ()


@pytest.mark.parametrize("at", [0.5, 2.5])
def test_what_it_asks_before_or_afterwards_is_not(at: float) -> None:
    """It was not for the request's sake."""
    assert len(judged([*HANDSHAKE, *ASKED, *relayed(at), *ANSWERED])) == 1


def test_a_connection_that_was_there_before_is_said_to_be_older() -> None:
    """No SYN of it passed; data did."""
    _, second = judged([*HANDSHAKE, *ASKED, *relayed(1.5, syn=False), *ANSWERED])
    assert second.older
    assert second.said == "GET / HTTP/1.0"


def test_who_else_asked_meanwhile_is_owned_up_to() -> None:
    """Whose sake the frontend asked for cannot be seen from outside, where two asked it."""
    other = [
        packet("eth0@frontend", 1.4, ("10.88.0.20", 4), (FRONT, 8080), flags, (70, 0), data=data)
        for flags, data in (("S", b""), ("PA", b"GET /"))
    ]
    frames = sorted([*HANDSHAKE, *ASKED, *relayed(1.5), *other, *ANSWERED], key=lambda frame: frame.at)
    _, notes = legs(scene(), conversations(shown(frames, TAPS)), (), request())
    assert notes == (
        (
            "1 other connection to frontend (frontendd) in that time: for whose sake it made which of its own cannot "
            "be told from outside"
        ),
    )


# Rules


def marked(destination: tuple[str, int], sequence: int = ISN) -> Marked:
    """Jack's packet as the firewall saw it."""
    source, to = (ipaddress.ip_address(address).packed for address in (JACK, destination[0]))
    return Marked(source, to, 6, 40000, destination[1], sequence)


def hits(*verdicts: tuple[str, str, tuple[str, int]]) -> tuple[Hit, ...]:
    """What the trace tells: the text of a rule, its verdict, and where the packet was to go then."""
    events = [Event(1, "ip", "nat", "c", verdict, n, marked(to)) for n, (_, verdict, to) in enumerate(verdicts, 1)]
    rules = {("ip", "nat", n): _numbered(text) for n, (text, _, _) in enumerate(verdicts, 1)}
    return traced(events, rules, Ruleset(), "shop")


def _numbered(text: str) -> Numbered:
    return Numbered("c", 0, text, (Action(Act(text.partition(" ")[0])),))


def test_the_rule_that_rewrote_is_named_on_the_way_there_only() -> None:
    """On the way back the entry alone does it: no rule of NAT is asked about a packet of a known connection."""
    (leg,) = judged([*HANDSHAKE, *ASKED, *ANSWERED], scene(*hits(("dnat to x", "accept", (SHOP, 80)))))
    forth, put_back = leg.rewrites
    assert (forth.kind, forth.rule and forth.rule.text) == ("DNAT", "dnat to x")
    assert (put_back.kind, put_back.rule, put_back.conntrack) == ("un-DNAT", None, ENTRY)


def test_a_counter_that_rose_tells_of_the_way_there_only_too() -> None:
    """It cannot say for which packet; that answers are put back without a rule is known."""
    told = hits(("dnat to x", "accept", (SHOP, 80)), ("masquerade", "accept", (FRONT, 8080)))
    dnat, other = (Hit(replace(hit.rule, traced=False)) for hit in told)
    (leg,) = judged(HANDSHAKE, scene(dnat, other))
    forth, put_back = leg.rewrites
    assert (forth.rule, put_back.rule) == (dnat.rule, None)


def test_a_rule_that_looked_at_another_packet_is_not_told() -> None:
    """Of the same connection: its numbers are others."""
    hit = Hit(hits(("dnat to x", "accept", (SHOP, 80)))[0].rule, marked((SHOP, 80), sequence=77))
    (leg,) = judged(HANDSHAKE, scene(hit))
    assert leg.there[1].rules == ()


def test_a_dropped_packet_ends_with_what_it_had_become() -> None:
    """Conntrack remembers no packet that was dropped; what the rules saw of it tells how far it came."""
    told = hits(("dnat to x", "accept", (SHOP, 80)), ("drop", "drop", (FRONT, 8080)))
    where = scene(*told, entry=None)
    (leg,) = judged(there(1.0, "S", (ISN, 0), last=2), where)
    last = leg.there[-1]
    assert str(last.rewrites[0]) == f"DNAT: destination {SHOP}:80 becomes {FRONT}:8080"
    assert last.decisions[0].text == "a rule drops it: ip nat c: drop"
    said = sentence(where, (leg,), request(Outcome.TIMED_OUT), ())
    assert said == "no answer to 1 SYN: in shop, a rule drops it: ip nat c: drop"


@pytest.mark.parametrize(("key", "ends"), [(AT_SHOP, "nobody answered ARP"), (AT_JACK, "")])
def test_a_question_by_arp_is_that_of_the_namespace_whose_interface_asked(key: str, ends: str) -> None:
    """By its key: the host of another lab may be called the same, and its taps then have other words for it."""
    (leg,) = judged(there(1.0, "S", (ISN, 0), last=2), scene(entry=None))
    raw = bytes(Ether(src="02:00:00:00:00:01") / ARP(op="who-has", psrc=SHOP, pdst=SHOP, hwsrc="02:00:00:00:00:01"))
    question = decode(raw.ljust(60, b"\0"), tap="wan0@two/shop", at=1.1, outgoing=True)
    asked = ArpShown(question, TapSite(key, "two/shop", "wan0"))
    said = sentence(scene(entry=None), (leg,), request(Outcome.TIMED_OUT), (asked,))
    assert (f"nobody answered ARP for {SHOP} at wan0, asked 1 time" in said) is bool(ends)


def test_a_reset_from_where_nobody_listens_is_a_refusal() -> None:
    """It answers the SYN (RFC 9293, 3.10.7.1)."""
    frames = [*there(1.0, "S", (ISN, 0)), *back(1.1, "RA", (0, ISN + 1))]
    (leg,) = judged(frames)
    assert (leg.end, leg.delivered) == (LegEnd.REFUSED, "")


def test_an_error_of_icmp_is_the_answer_to_the_packet_that_it_quotes() -> None:
    """By the ports and the number in what it quotes (RFC 792)."""
    quoted = IP(src=JACK, dst=SHOP) / TCP(sport=40000, dport=80, seq=ISN, flags="S")
    raw = bytes(Ether() / IP(src=SHOP, dst=JACK) / ICMP(type=3, code=13) / quoted)
    frames = [
        *there(1.0, "S", (ISN, 0), last=2),
        decode(raw, tap="wan0@shop", at=1.1, outgoing=True),
        decode(raw, tap="wan0@jack", at=1.2),
    ]
    (leg,) = judged(frames)
    assert leg.end is LegEnd.ICMP
    assert [(hop.namespace, hop.source) for hop in leg.back] == [
        ("shop", Endpoint(ipaddress.ip_address(SHOP), 0)),
        ("jack", Endpoint(ipaddress.ip_address(SHOP), 0)),
    ]
    about = icmp_error(frames[-1])
    assert about is not None and (about.kind, about.code, about.sequence) == (3, 13, ISN)


# What the firewall tells

#: NFT_MSG_TRACE as Linux 6.18 sent them about one SYN: a jump of iptables-nft's PREROUTING, the rule that DNATs, and
#: the policy of POSTROUTING.
JUMP = (
    "0200000008000f000000000208000400000000030800060054e93bbd0f000200505245524f5554494e470000080001006e6174000c00030000"
    "0000000000000d2800050008000100fffffffd1b0002004e4554415641524b2d484f5354504f52542d444e4154000008000a00000000020600"
    "0b0000010000180008004500003c9a7540003e063bf4c6336414cb00710a18000900d1d3005092eac88b00000000a002faf066810000120007"
    "0096218997aada867112e8c53108000000080015000000000805001300000000000800120004a37b0b"
)
DNAT = (
    "0200000008000f000000000208000400000000030800060054e93bbd1e0002004e4554415641524b2d444e2d31443837323138303446313646"
    "000000080001006e6174000c00030000000000000000130c0005000800010000000001"
)
POLICY = (
    "0200000008000f000000000208000400000000010800060054e93bbd10000200504f5354524f5554494e4700080001006e6174000800100000"
    "000001"
)


def test_what_the_kernel_tells_of_a_jump() -> None:
    """With the packet as it was when the hook began: the first event of each hook has it."""
    assert read_event(bytes.fromhex(JUMP)) == Event(
        packet=0x54E93BBD,
        family="ip",
        table="nat",
        chain="PREROUTING",
        verdict="jump",
        handle=13,
        marked=Marked(bytes([198, 51, 100, 20]), bytes([203, 0, 113, 10]), 6, 53715, 80, 0x92EAC88B),
    )


def test_what_the_kernel_tells_of_a_rule_that_rewrites() -> None:
    """Its verdict is accept: DNAT ends the chain (nft(8), NAT STATEMENTS)."""
    assert read_event(bytes.fromhex(DNAT)) == Event(0x54E93BBD, "ip", "nat", "NETAVARK-DN-1D8721804F16F", "accept", 19)


def test_what_the_kernel_tells_of_a_policy() -> None:
    """It has no handle."""
    assert read_event(bytes.fromhex(POLICY)) == Event(0x54E93BBD, "ip", "nat", "POSTROUTING", "accept")


def test_a_rule_of_iptables_is_told_in_iptables_words() -> None:
    """nft has none for what only iptables understands; the place in the chain tells which it is."""
    own = Rule("-A c -j DNAT --to-destination x", (), (Action(Act.DNAT, "x"),))
    chain = Chain(Backend.IPTABLES, "ip", "nat", "c", (own,))
    ((hit),) = traced(
        [Event(1, "ip", "nat", "c", "accept", 19, marked((SHOP, 80)))],
        {("ip", "nat", 19): Numbered("c", 0, 'xt target "DNAT"', (Action(Act.UNKNOWN),))},
        Ruleset((chain,)),
        "shop",
    )
    assert (hit.rule.text, hit.rule.acts) == (own.text, (Act.DNAT,))


def test_a_rule_of_an_inet_table_is_found_by_the_packets_family() -> None:
    """The kernel tells that one (nf_tables_trace.c, NFTA_TRACE_NFPROTO), and not the table's."""
    (hit,) = traced(
        [Event(1, "ip", "guard", "c", "drop", 2)],
        {("inet", "guard", 2): Numbered("c", 0, "drop", ())},
        Ruleset(),
        "shop",
    )
    assert (hit.rule.family, hit.rule.text) == ("inet", "drop")


def test_the_tables_that_mark_are_not_told() -> None:
    """They are there for the trace alone."""
    assert traced([Event(1, "ip", "testbed_trace_7", "c", "continue", 2)], {}, Ruleset(), "shop") == ()


def test_counters_that_rose_tell_where_nothing_may_be_changed() -> None:
    """Of a machine of the user's own; a rule without a counter tells nothing."""
    quiet, loud = Rule("quiet", (), (), 5), Rule("loud", (), (Action(Act.DROP),), 5)
    mute = Rule("mute", (), ())
    before = Ruleset((Chain(Backend.NFTABLES, "ip", "t", "c", (quiet, loud, mute)),))
    after = Ruleset((replace(before.chains[0], rules=(quiet, replace(loud, packets=6), mute)),))
    (hit,) = counted(before, after, "shop")
    assert (hit.rule.text, hit.rule.traced, hit.marked) == ("loud", False, None)


def test_handles_come_from_nfts_own_list() -> None:
    """By family and table; the place in the chain counts from 0."""
    listed = """{"nftables": [
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 4, "expr": [{"accept": null}]}},
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 9, "expr": [{"drop": null}]}}]}"""
    assert by_handle(listed)["ip", "t", 9] == Numbered("c", 1, "drop", (Action(Act.DROP),))


# The file


def test_a_block_is_as_long_as_it_says_twice() -> None:
    """At its beginning and its end, a multiple of four (draft-ietf-opsawg-pcapng, 3.1)."""
    frames = there(1.0, "S", (ISN, 0))
    data = pcapng.pcapng(frames, {id(frames[2]): ("DNAT: a → b",)})
    kinds = []
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and struct.unpack_from("<I", data, at + length - 4) == (length,)
        kinds.append(kind)
        at += length
    assert kinds == [0x0A0D0D0A, 1, 1, 1, 1, 6, 6, 6, 6]
    assert data.count("DNAT: a → b".encode()) == 1
