"""The walk of a packet, on pictures that are made from a description: one fact decides in each."""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import (
    Act,
    Action,
    Attachment,
    Attempt,
    Backend,
    Chain,
    Container,
    Evidence,
    Field,
    Hook,
    HostFacts,
    Listener,
    Match,
    Names,
    Namespace,
    Neighbour,
    Network,
    Process,
    Protocol,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.hosts_file import HostsFile
from testbed.model import Outcome, Phase, Target
from testbed.predict import Disposition, Prediction, StepKind, predict
from testbed.predict.ending import RouteForbids
from testbed.predict.unresolved import question_of
from tests.unit.predicted import packet_ending, place, question, verdict

_NAMES = Names(HostsFile.parse("127.0.0.1 localhost\n::1 localhost\n10.88.0.1 gateway\n"))
_PORT = 8000
_PORT_UNREACHABLE = "icmp-port-unreachable"


def tcp(address: str, port: int = _PORT, *, v6only: bool = False, queue: int = 0, name: str = "app") -> Listener:
    """A TCP listener of a process."""
    return Listener(
        Protocol.TCP,
        ipaddress.ip_address(address),
        port,
        v6only=v6only,
        queue=queue,
        backlog=5,
        process=Process(7, name),
    )


def seat(segment: str, address: str, *, bridge: bool = False) -> Seat:
    """An interface with an address."""
    return Seat(segment, ipaddress.ip_interface(address), bridge=bridge)


def world(
    *,
    host_listens: tuple[Listener, ...] = (),
    web_listens: tuple[Listener, ...] = (),
    peer_listens: tuple[Listener, ...] = (),
    host_rules: Ruleset | None = None,
    web_rules: Ruleset | None = None,
    forwards: bool = True,
    host_sysctls: dict[str, str] | None = None,
) -> Evidence:
    """A host with the containers ``web`` and ``peer`` on podman0, and a neighbour on its LAN that routes by it."""
    bridge = ipaddress.ip_address("10.88.0.1")
    stacks = (
        Stack(
            "box",
            (seat("podman0", "10.88.0.1/16", bridge=True), seat("lan", "203.0.113.10/27")),
            forwards=forwards,
            listeners=host_listens,
            firewall=host_rules or Ruleset(),
            sysctls=host_sysctls or {},
        ),
        Stack(
            "web", (seat("podman0", "10.88.0.10/16"),), bridge, listeners=web_listens, firewall=web_rules or Ruleset()
        ),
        Stack("peer", (seat("podman0", "10.88.0.11/16"),), bridge, listeners=peer_listens),
        Stack("far", (seat("lan", "203.0.113.20/27"),), ipaddress.ip_address("203.0.113.10")),
    )
    containers = [
        Container(
            name * 4,
            name,
            "box",
            "running",
            "bridge",
            namespace=name,
            names=_NAMES,
            attachments=(Attachment("podman", (ipaddress.ip_address(address),)),),
        )
        for name, address in (("web", "10.88.0.10"), ("peer", "10.88.0.11"))
    ]
    return picture(
        stacks,
        [HostFacts("box", "box", "box", _NAMES, zone={}), HostFacts("far", "far", "far", _NAMES, zone={})],
        containers,
        [
            Network(
                "podman",
                "box",
                "bridge",
                "podman0",
                (ipaddress.ip_network("10.88.0.0/16"),),
                (bridge,),
                dns_enabled=True,
            )
        ],
    )


def ask(evidence: Evidence, place: str, target: str) -> Prediction:
    """Predict one attempt."""
    return predict(evidence, Attempt(evidence.place(place), Target.parse(target)))


def rules(hook: Hook, action: Action, *matches: Match, kind: str = "filter", name: str = "") -> Ruleset:
    """One base chain with one rule."""
    chain = Chain(
        Backend.IPTABLES,
        "ip",
        kind,
        name or str(hook).upper(),
        (Rule(f"-A {hook} -j {action.act}", matches, (action,), packets=3),),
        hook=hook,
        kind=kind,
        priority=-100 if kind == "nat" and hook in (Hook.PREROUTING, Hook.OUTPUT) else 0,
    )
    return Ruleset((chain,))


def edited(evidence: Evidence, key: str, **changes: object) -> Evidence:
    """The same picture with another namespace in a place."""
    namespace = replace(evidence.namespaces[key], **changes)  # type: ignore[arg-type]
    return replace(evidence, namespaces={**evidence.namespaces, key: namespace})


# --- delivery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "v6only", "target", "outcome"),
    [
        ("127.0.0.1", False, "127.0.0.1", Outcome.CONNECTED),
        ("127.0.0.1", False, "10.88.0.1", Outcome.REFUSED),
        ("127.0.0.1", False, "127.0.0.2", Outcome.REFUSED),
        ("0.0.0.0", False, "127.0.0.2", Outcome.CONNECTED),
        ("0.0.0.0", False, "::1", Outcome.REFUSED),
        ("::", True, "127.0.0.1", Outcome.REFUSED),
        ("::", False, "127.0.0.1", Outcome.CONNECTED),
        ("::", False, "::ffff:127.0.0.1", Outcome.CONNECTED),
        ("127.0.0.1", False, "0.0.0.0", Outcome.CONNECTED),
    ],
)
def test_a_socket_takes_what_its_bind_address_covers(bound: str, v6only: bool, target: str, outcome: Outcome) -> None:
    """ip(7) and ipv6(7): a wildcard takes every address of its family, of IPv4 too unless IPV6_V6ONLY is set."""
    evidence = world(host_listens=(tcp(bound, v6only=v6only),))
    assert (
        ask(evidence, "box", f"tcp://[{target}]:{_PORT}" if ":" in target else f"{target}:{_PORT}").outcome is outcome
    )


def test_the_most_particular_listener_takes_the_connection() -> None:
    """Of a wildcard and the very address the latter is chosen (inet_hashtables.c, compute_score)."""
    evidence = world(host_listens=(tcp("0.0.0.0", name="any"), tcp("10.88.0.1", name="own")))
    taken = ask(evidence, "web", f"10.88.0.1:{_PORT}").listener
    assert taken is not None and taken.process is not None
    assert taken.process.name == "own"


def test_a_full_queue_swallows_the_connection() -> None:
    """The kernel drops the SYN when more wait than the backlog lets (tcp_v4_syn_recv_sock, sk_acceptq_is_full)."""
    seen = ask(world(host_listens=(tcp("0.0.0.0", queue=6),)), "web", f"10.88.0.1:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.TIMED_OUT, Disposition.QUEUE_FULL)


def test_podmans_placeholder_takes_and_never_answers() -> None:
    """conmon listens to keep the port and never accepts: TCP connects, HTTP waits in vain."""
    evidence = world(host_listens=(tcp("0.0.0.0", name="conmon"),))
    assert ask(evidence, "web", f"tcp://10.88.0.1:{_PORT}").outcome is Outcome.CONNECTED
    http = ask(evidence, "web", f"http://10.88.0.1:{_PORT}/")
    assert (http.outcome, http.phase, http.disposition) == (Outcome.TIMED_OUT, Phase.HTTP, Disposition.HELD)


def test_a_loopback_is_each_namespaces_own() -> None:
    """A listener on another namespace's 127.0.0.1 does not count."""
    seen = ask(world(peer_listens=(tcp("127.0.0.1"),)), "web", f"127.0.0.1:{_PORT}")
    assert (seen.outcome, place(seen)) == (Outcome.REFUSED, "web")


# --- routes and segments ----------------------------------------------------------------------------------------------


def test_what_is_not_forwarded_is_lost_without_a_word() -> None:
    """A host that does not forward sends no ICMP either (net/ipv4/route.c, ip_error)."""
    seen = ask(world(forwards=False), "web", f"203.0.113.20:{_PORT}")
    assert (seen.outcome, seen.errno, seen.disposition) == (Outcome.TIMED_OUT, None, Disposition.NOT_FORWARDED)


def test_nobody_on_the_segment_is_no_route_to_host() -> None:
    """ARP that goes unanswered gives EHOSTUNREACH to whoever is on the segment himself."""
    seen = ask(world(), "web", f"10.88.0.99:{_PORT}")
    assert (seen.errno, seen.disposition) == (errno.EHOSTUNREACH, Disposition.NO_NEIGHBOUR)


def test_an_address_beyond_the_picture_is_inconclusive() -> None:
    """Behind an interface whose other end is not shown anybody may answer."""
    evidence = world()
    links = tuple(replace(x, kind="", peer=None) if x.name == "lan" else x for x in evidence.namespaces["box"].links)
    seen = ask(edited(evidence, "box", links=links), "box", f"203.0.113.29:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.INCONCLUSIVE, Disposition.LEFT)


def test_two_who_answer_for_one_address_are_inconclusive() -> None:
    """A duplicate address is taken by whoever answers first."""
    evidence = world()
    twin = replace(evidence.namespaces["peer"].addresses[-1], address=ipaddress.ip_interface("10.88.0.10/16"))
    routes = (
        *evidence.namespaces["peer"].routes,
        Route(255, RouteKind.LOCAL, ipaddress.ip_network("10.88.0.10/32"), 2),
    )
    twins = edited(evidence, "peer", addresses=(*evidence.namespaces["peer"].addresses, twin), routes=routes)
    assert ask(twins, "box", f"10.88.0.10:{_PORT}").disposition is Disposition.UNKNOWN


def test_a_known_neighbour_decides_between_two() -> None:
    """The neighbour table says whose address it is now."""
    evidence = world(peer_listens=(tcp("0.0.0.0"),))
    peer = evidence.namespaces["peer"]
    routes = (*peer.routes, Route(255, RouteKind.LOCAL, ipaddress.ip_network("10.88.0.10/32"), 2))
    twins = edited(evidence, "peer", routes=routes)
    bridge = next(x for x in evidence.namespaces["box"].links if x.name == "podman0")
    mac = next(x.mac for x in peer.links if x.name == "eth0")
    known = Neighbour(bridge.index, ipaddress.ip_address("10.88.0.10"), mac, "reachable")
    seen = ask(edited(twins, "box", neighbours=(known,)), "box", f"10.88.0.10:{_PORT}")
    assert (seen.outcome, place(seen)) == (Outcome.CONNECTED, "peer")


@pytest.mark.parametrize(
    ("knows", "expected"),
    [
        (True, (Outcome.TIMED_OUT, Disposition.REVERSE_PATH)),
        (False, (Outcome.HOST_UNREACHABLE, Disposition.NO_NEIGHBOUR)),
    ],
)
def test_who_knows_the_hardware_address_does_not_ask(knows: bool, expected: tuple[Outcome, Disposition]) -> None:
    """Where strict rp_filter keeps a container from answering ARP, what is sent without asking is dropped unheard."""
    evidence = world()
    peer = evidence.namespaces["peer"]
    elsewhere = Route(254, RouteKind.UNICAST, ipaddress.ip_network("10.88.0.1/32"), 1)
    strict = edited(
        evidence,
        "peer",
        routes=(*peer.routes, elsewhere),
        sysctls={**peer.sysctls, "ipv4/conf/all/rp_filter": "1"},
    )
    bridge = next(x for x in evidence.namespaces["box"].links if x.name == "podman0")
    eth0 = next(x for x in peer.links if x.name == "eth0")
    address = next(x.address.ip for x in peer.addresses if x.link == eth0.index and x.address.version == 4)
    known = (Neighbour(bridge.index, address, eth0.mac, "stale"),) if knows else ()
    seen = ask(edited(strict, "box", neighbours=known), "box", f"{address}:{_PORT}")
    assert (seen.outcome, seen.disposition) == expected


def believing(evidence: Evidence, here: str, address: str, mac: str, state: str) -> Evidence:
    """The same picture, where somebody has a line about a neighbour in his table."""
    eth0 = next(link for link in evidence.namespaces[here].links if link.name == "eth0")
    line = Neighbour(eth0.index, ipaddress.ip_address(address), mac, state)
    return edited(evidence, here, neighbours=(line,))


_NOBODYS = "02:00:00:00:00:77"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("reachable", (Outcome.TIMED_OUT, Disposition.STALE_NEIGHBOUR)),
        ("stale", (Outcome.TIMED_OUT, Disposition.STALE_NEIGHBOUR)),
        ("delay", (Outcome.TIMED_OUT, Disposition.STALE_NEIGHBOUR)),
        ("permanent", (Outcome.TIMED_OUT, Disposition.STALE_NEIGHBOUR)),
        ("probe", (Outcome.CONNECTED, Disposition.ACCEPTED)),
        ("failed", (Outcome.CONNECTED, Disposition.ACCEPTED)),
    ],
)
def test_who_believes_in_a_hardware_address_of_nobodys_reaches_nobody(
    state: str, expected: tuple[Outcome, Disposition]
) -> None:
    """After a restart with another MAC address; until the line is doubted the kernel does not ask (NUD_VALID)."""
    evidence = believing(world(web_listens=(tcp("0.0.0.0"),)), "peer", "10.88.0.10", _NOBODYS, state)
    seen = ask(evidence, "peer", f"10.88.0.10:{_PORT}")
    assert (seen.outcome, seen.disposition) == expected


@pytest.mark.parametrize(
    ("knows", "expected"),
    [(False, (Outcome.CONNECTED, Disposition.ACCEPTED)), (True, (Outcome.TIMED_OUT, Disposition.STALE_NEIGHBOUR))],
)
def test_whoever_asks_is_known_to_whom_he_asks(knows: bool, expected: tuple[Outcome, Disposition]) -> None:
    """A question (ARP) tells who asks, and so mends what the asked one believed; who knows already does not ask."""
    evidence = believing(world(web_listens=(tcp("0.0.0.0"),)), "web", "10.88.0.11", _NOBODYS, "reachable")
    eth0 = next(link for link in evidence.namespaces["web"].links if link.name == "eth0")
    if knows:
        evidence = believing(evidence, "peer", "10.88.0.10", eth0.mac, "reachable")
    seen = ask(evidence, "peer", f"10.88.0.10:{_PORT}")
    assert (seen.outcome, seen.disposition) == expected


def test_a_reset_for_what_was_rewritten_comes_from_whom_was_called() -> None:
    """The entry that is not confirmed yet puts the source of a REJECT's answer back, where the packet was routed."""
    published = rules(
        Hook.PREROUTING,
        Action(Act.DNAT, f"10.88.0.10:{_PORT}"),
        Match(Field.DESTINATION, ("203.0.113.10/32",)),
        kind="nat",
    )
    shut = rules(Hook.FORWARD, Action(Act.REJECT, "tcp-reset"), Match(Field.PROTOCOL, ("tcp",)))
    evidence = world(host_rules=Ruleset((*published.chains, *shut.chains)))
    seen = ask(evidence, "far", f"203.0.113.10:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.REFUSED, Disposition.REJECTED)


@pytest.mark.parametrize(("filters", "expected"), [("1", Disposition.ACCEPTED), ("0", Disposition.UNASKED)])
def test_an_answer_that_is_bridged_past_the_rewriting_is_no_answer(filters: str, expected: Disposition) -> None:
    """Who is rewritten to answers his neighbour directly; only where bridges are filtered is his address put back."""
    published = rules(
        Hook.PREROUTING,
        Action(Act.DNAT, f"10.88.0.10:{_PORT}"),
        Match(Field.DESTINATION, ("10.88.0.1/32",)),
        kind="nat",
    )
    evidence = world(
        web_listens=(tcp("0.0.0.0"),), host_rules=published, host_sysctls={"bridge/bridge-nf-call-iptables": filters}
    )
    assert ask(evidence, "peer", f"10.88.0.1:{_PORT}").disposition is expected


def test_an_address_that_nobody_has_any_more_is_one_that_nobody_has() -> None:
    """Where nobody would answer either, the old line in the table is not what is wrong."""
    evidence = believing(world(), "peer", "10.88.0.99", _NOBODYS, "stale")
    assert ask(evidence, "peer", f"10.88.0.99:{_PORT}").disposition is Disposition.NO_NEIGHBOUR


def test_a_bridge_takes_what_is_for_the_port_that_brings_it() -> None:
    """A bridge changes its address with its ports; who has that of his own port in his table reaches it still."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    eth0 = next(link for link in evidence.namespaces["peer"].links if link.name == "eth0")
    assert eth0.peer is not None
    port = next(link for link in evidence.namespaces["box"].links if link.index == eth0.peer.index)
    bridge = next(link for link in evidence.namespaces["box"].links if link.name == "podman0")
    assert port.mac != bridge.mac
    seen = ask(believing(evidence, "peer", "10.88.0.1", port.mac, "reachable"), "peer", f"10.88.0.1:{_PORT}")
    assert seen.outcome is Outcome.CONNECTED


@pytest.mark.parametrize(("filters", "expected"), [("1", Outcome.CONNECTED), ("0", Outcome.TIMED_OUT)])
def test_what_a_bridges_firewall_rewrites_is_caught_whoever_it_is_for(filters: str, expected: Outcome) -> None:
    """With br_netfilter PREROUTING comes before the bridge looks for the hardware address."""
    to_web = Action(Act.DNAT, f"10.88.0.10:{_PORT}")
    published = rules(Hook.PREROUTING, to_web, Match(Field.DESTINATION, ("10.88.0.1/32",)), kind="nat")
    evidence = world(
        web_listens=(tcp("0.0.0.0"),), host_rules=published, host_sysctls={"bridge/bridge-nf-call-iptables": filters}
    )
    seen = ask(believing(evidence, "peer", "10.88.0.1", _NOBODYS, "reachable"), "peer", f"10.88.0.1:{_PORT}")
    assert seen.outcome is expected


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (RouteKind.UNREACHABLE, errno.EHOSTUNREACH),
        (RouteKind.PROHIBIT, errno.EACCES),
        (RouteKind.BLACKHOLE, errno.EINVAL),
    ],
)
def test_a_route_that_forbids_gives_its_own_errno(kind: RouteKind, number: int) -> None:
    """ip-route(8), route types, as the sender's own connect(2) sees them."""
    evidence = world()
    route = Route(254, kind, ipaddress.ip_network("203.0.113.20/32"))
    here = edited(evidence, "web", routes=(*evidence.namespaces["web"].routes, route))
    seen = ask(here, "web", f"203.0.113.20:{_PORT}")
    assert (seen.errno, seen.disposition) == (number, Disposition.ROUTE_FORBIDS)
    assert isinstance(seen.ending, RouteForbids)
    assert (seen.ending.by, seen.ending.kind) == (route, kind)


def test_a_router_without_a_route_may_keep_silent() -> None:
    """It answers ENETUNREACH at most once a second: a timeout does not contradict that."""
    evidence = world()
    everywhere = Route(
        254, RouteKind.UNICAST, ipaddress.ip_network("0.0.0.0/0"), 3, ipaddress.ip_address("203.0.113.10")
    )
    assert everywhere.gateway is not None
    seen = ask(evidence, "web", f"198.51.100.1:{_PORT}")
    assert (seen.errno, seen.withheld) == (errno.ENETUNREACH, True)


def test_one_of_ones_own_without_a_route_does_not_keep_silent() -> None:
    """The sender's own missing route is known at once."""
    seen = ask(world(), "box", f"198.51.100.1:{_PORT}")
    assert (seen.errno, seen.withheld) == (errno.ENETUNREACH, False)


def test_ipv6_without_any_address_has_no_source() -> None:
    """With IPv6 off connect(2) says EADDRNOTAVAIL, before any route is looked for."""
    evidence = world()
    web = evidence.namespaces["web"]
    off = edited(
        evidence,
        "web",
        addresses=tuple(a for a in web.addresses if a.address.version == 4),
        routes=tuple(r for r in web.routes if r.destination.version == 4),
    )
    assert ask(off, "web", f"tcp://[::1]:{_PORT}").errno == errno.EADDRNOTAVAIL


def test_two_default_routes_that_end_unlike_are_inconclusive() -> None:
    """Each of two lookups takes either gateway, by what was heard of them (fib_semantics.c, fib_select_default)."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    second = Route(254, RouteKind.UNICAST, ipaddress.ip_network("0.0.0.0/0"), 2, ipaddress.ip_address("10.88.0.99"))
    both = edited(evidence, "web", routes=(*web.routes, second))
    seen = ask(both, "web", f"203.0.113.10:{_PORT}")
    assert seen.disposition is Disposition.UNKNOWN
    assert "any of 4 ways" in seen.why


def test_two_default_routes_that_end_alike_are_as_one() -> None:
    """Where it makes no difference the answer is known."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    again = next(r for r in web.routes if r.gateway is not None)
    both = edited(evidence, "web", routes=(*web.routes, replace(again, source=again.source)))
    assert ask(both, "web", f"203.0.113.10:{_PORT}").outcome is Outcome.CONNECTED


def test_a_strict_reverse_path_drops_what_should_come_another_way() -> None:
    """rp_filter 1 (ip-sysctl): the answer to the source would leave by another interface."""
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_sysctls={"ipv4/conf/all/rp_filter": "1"})
    box = evidence.namespaces["box"]
    lan = next(x.index for x in box.links if x.name == "lan")
    detour = Route(254, RouteKind.UNICAST, ipaddress.ip_network("10.88.0.10/32"), lan)
    seen = ask(edited(evidence, "box", routes=(*box.routes, detour)), "web", f"203.0.113.10:{_PORT}")
    assert seen.outcome in (Outcome.TIMED_OUT, Outcome.HOST_UNREACHABLE)
    assert seen.disposition in (Disposition.REVERSE_PATH, Disposition.NO_NEIGHBOUR)


# --- firewalls --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "number"),
    [
        ("icmp-port-unreachable", errno.ECONNREFUSED),
        ("tcp-reset", errno.ECONNREFUSED),
        ("icmp-host-prohibited", errno.EHOSTUNREACH),
        ("icmp-admin-prohibited", errno.EHOSTUNREACH),
        ("icmp-net-unreachable", errno.ENETUNREACH),
        ("icmp-proto-unreachable", errno.ENOPROTOOPT),
    ],
)
def test_a_rejection_gives_the_errno_of_its_kind(how: str, number: int) -> None:
    """net/ipv4/icmp.c, icmp_err_convert, and a reset."""
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_rules=rules(Hook.INPUT, Action(Act.REJECT, how)))
    seen = ask(evidence, "web", f"10.88.0.1:{_PORT}")
    assert (seen.errno, seen.disposition, verdict(seen).hook) == (number, Disposition.REJECTED, Hook.INPUT)


def test_a_dropped_answer_is_a_timeout_on_the_way_back() -> None:
    """The listener was reached; its SYN-ACK was not let out."""
    back = Match(Field.SOURCE_PORT, (str(_PORT),))
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_rules=rules(Hook.OUTPUT, Action(Act.DROP), back))
    seen = ask(evidence, "web", f"10.88.0.1:{_PORT}")
    assert (seen.outcome, packet_ending(seen).back, seen.disposition) == (Outcome.TIMED_OUT, True, Disposition.DROPPED)
    assert seen.listener is not None


def test_a_refusal_whose_reset_is_dropped_is_a_timeout() -> None:
    """Nobody listens, and nobody hears that nobody does."""
    evidence = world(host_rules=rules(Hook.OUTPUT, Action(Act.DROP), Match(Field.SOURCE_PORT, (str(_PORT),))))
    seen = ask(evidence, "web", f"10.88.0.1:{_PORT}")
    assert (seen.outcome, packet_ending(seen).back) == (Outcome.TIMED_OUT, True)


def test_a_rejection_of_ones_own_goes_by_the_firewall_too() -> None:
    """The ICMP error for an own packet is sent to oneself: where OUTPUT drops all else it is never heard."""
    reject = Rule(
        "-A OUTPUT -p tcp -j REJECT", (Match(Field.PROTOCOL, ("tcp",)),), (Action(Act.REJECT, _PORT_UNREACHABLE),)
    )
    chain = Chain(
        Backend.IPTABLES, "ip", "filter", "OUTPUT", (reject,), hook=Hook.OUTPUT, kind="filter", policy=Act.DROP
    )
    assert ask(world(host_rules=Ruleset((chain,))), "box", f"10.88.0.10:{_PORT}").outcome is Outcome.TIMED_OUT
    heard = Ruleset((replace(chain, policy=Act.ACCEPT),))
    assert ask(world(host_rules=heard), "box", f"10.88.0.10:{_PORT}").outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("action", "target", "outcome"),
    [
        (Action(Act.DROP), f"http://10.88.0.1:{_PORT}", Outcome.TIMED_OUT),
        (Action(Act.DROP), f"tcp://10.88.0.1:{_PORT}", Outcome.CONNECTED),
        (Action(Act.REJECT, "tcp-reset"), f"http://10.88.0.1:{_PORT}", Outcome.RESET),
        (Action(Act.REJECT, "icmp-port-unreachable"), f"tcp://10.88.0.1:{_PORT}", Outcome.REFUSED),
    ],
)
def test_a_firewall_that_stops_only_what_follows_the_handshake(action: Action, target: str, outcome: Outcome) -> None:
    """The handshake's first two packets pass and its third does not: a connection, and then silence or an error."""
    follows = Match(Field.STATE, ("established",)), Match(Field.DESTINATION_PORT, (str(_PORT),))
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_rules=rules(Hook.INPUT, action, *follows))
    seen = ask(evidence, "web", target)
    assert (seen.outcome, verdict(seen).hook) == (outcome, Hook.INPUT)
    assert (seen.disposition, seen.listener is not None) == (Disposition.LATER_FILTERED, True)


def test_a_match_that_is_not_known_is_inconclusive() -> None:
    """Where it depends on what is not modelled nothing is guessed, and the rule is named."""
    match = Match(Field.UNKNOWN, ("-m geoip",))
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_rules=rules(Hook.INPUT, Action(Act.DROP), match))
    seen = ask(evidence, "web", f"10.88.0.1:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.INCONCLUSIVE, Disposition.UNKNOWN)
    assert verdict(seen).rule is not None


def test_a_match_that_is_not_known_does_not_matter_where_nothing_depends_on_it() -> None:
    """Dropped or not, an address without a way stays without one."""
    evidence = world(host_rules=rules(Hook.INPUT, Action(Act.ACCEPT), Match(Field.UNKNOWN, ("-m geoip",))))
    assert ask(evidence, "web", f"10.88.0.1:{_PORT}").outcome is Outcome.REFUSED


# --- translations -----------------------------------------------------------------------------------------------------


def publish(to: str, *, hook: Hook = Hook.PREROUTING) -> Ruleset:
    """A rule that leads port 9000 somewhere."""
    return rules(hook, Action(Act.DNAT, to), Match(Field.DESTINATION_PORT, ("9000",)), kind="nat")


def test_a_published_port_leads_into_the_container_and_back() -> None:
    """The destination is rewritten on the way in; the answer's source is put back on the way out."""
    evidence = world(web_listens=(tcp("0.0.0.0"),), host_rules=publish(f"10.88.0.10:{_PORT}"))
    seen = ask(evidence, "far", "203.0.113.10:9000")
    assert (seen.outcome, place(seen), packet_ending(seen).packet.destination_port) == (Outcome.CONNECTED, "web", _PORT)
    assert any(step.kind is StepKind.TRANSLATE for step in seen.steps)


def test_a_port_of_ones_own_is_not_reached_over_the_bridge() -> None:
    """br_netfilter leaves a frame that is rewritten to its own bridge on it, which sends none back by its own port."""
    on = {"bridge/bridge-nf-call-iptables": "1"}
    evidence = world(web_listens=(tcp("0.0.0.0"),), host_rules=publish(f"10.88.0.10:{_PORT}"), host_sysctls=on)
    loose = edited(evidence, "web", sysctls={**evidence.namespaces["web"].sysctls, "ipv4/conf/eth0/rp_filter": "2"})
    for here in (evidence, loose):  # netavark from 1.11 on sets rp_filter to 2
        assert ask(here, "web", "10.88.0.1:9000").disposition is Disposition.HAIRPIN
    assert ask(evidence, "peer", "10.88.0.1:9000").outcome is Outcome.CONNECTED


def test_rewriting_to_loopback_needs_route_localnet() -> None:
    """A loopback destination from a wire is a martian (net/ipv4/route.c), unless the interface is told otherwise."""
    lead = publish(f"127.0.0.1:{_PORT}")
    seen = ask(world(host_listens=(tcp("127.0.0.1"),), host_rules=lead), "web", "10.88.0.1:9000")
    assert (seen.outcome, seen.disposition) == (Outcome.TIMED_OUT, Disposition.MARTIAN)
    allowed = {"ipv4/conf/podman0/route_localnet": "1"}
    evidence = world(host_listens=(tcp("127.0.0.1"),), host_rules=lead, host_sysctls=allowed)
    assert ask(evidence, "web", "10.88.0.1:9000").outcome is Outcome.CONNECTED


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_of_the_hosts_file_needs_no_resolver() -> None:
    """The hosts file comes first ("files dns" of nsswitch.conf(5))."""
    seen = ask(world(host_listens=(tcp("0.0.0.0"),)), "web", f"gateway:{_PORT}")
    assert (seen.outcome, str(seen.address)) == (Outcome.CONNECTED, "10.88.0.1")


def test_without_a_resolver_a_name_fails_and_is_not_denied() -> None:
    """EAI_AGAIN, not EAI_NONAME: nobody said that there is no such name."""
    seen = ask(world(), "web", f"nowhere:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.RESOLVER_FAILED, Disposition.RESOLVER_FAILED)
    assert question_of(seen.ending) is None


def asking(evidence: Evidence, server: str) -> Evidence:
    """The same with a resolver for ``web``."""
    names = replace(_NAMES, nameservers=(ipaddress.ip_address(server),))
    containers = tuple(replace(c, names=names) if c.name == "web" else c for c in evidence.containers)
    return replace(evidence, containers=containers)


def resolver(name: str) -> Listener:
    """A UDP socket on the gateway's port 53."""
    return Listener(Protocol.UDP, ipaddress.ip_address("10.88.0.1"), 53, process=Process(9, name))


def test_podmans_resolver_knows_the_containers_of_shared_networks() -> None:
    """aardvark-dns answers with the address on the network that both are on."""
    evidence = asking(world(host_listens=(resolver("aardvark-dns"),), peer_listens=(tcp("0.0.0.0"),)), "10.88.0.1")
    seen = ask(evidence, "web", f"peer:{_PORT}")
    assert (seen.outcome, str(seen.address)) == (Outcome.CONNECTED, "10.88.0.11")


def test_what_another_resolver_says_is_not_guessed() -> None:
    """Somebody's dnsmasq may know anything."""
    evidence = world(host_listens=(resolver("dnsmasq"),))
    hosts = tuple(replace(host, zone=None) for host in evidence.hosts)
    seen = ask(asking(replace(evidence, hosts=hosts), "10.88.0.1"), "web", f"db:{_PORT}")
    assert seen.outcome is Outcome.INCONCLUSIVE


def test_a_resolver_that_is_not_there_fails_with_its_address() -> None:
    """Nobody on port 53: the question is refused, and the explanation can say where it went."""
    seen = ask(asking(world(), "10.88.0.1"), "web", f"db:{_PORT}")
    assert (seen.outcome, str(question(seen).resolver), question(seen).ending.disposition) == (
        Outcome.RESOLVER_FAILED,
        "10.88.0.1",
        Disposition.NO_LISTENER,
    )


# --- places -----------------------------------------------------------------------------------------------------------


def test_a_container_that_does_not_run_has_nowhere_to_start() -> None:
    """The prediction says so instead of raising."""
    evidence = world()
    stopped = tuple(replace(c, state="exited", namespace=None) if c.name == "web" else c for c in evidence.containers)
    seen = ask(replace(evidence, containers=stopped), "web", f"10.88.0.1:{_PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.INCONCLUSIVE, Disposition.NOT_RUNNING)


def test_a_namespace_is_complete_with_its_defaults() -> None:
    """A namespace that nothing is known of has no way anywhere, and that is no error."""
    evidence = Evidence("now", (HostFacts("x", "x", "k", _NAMES),), namespaces={"k": Namespace("k", "x")})
    assert ask(evidence, "x", f"10.0.0.1:{_PORT}").errno == errno.ENETUNREACH
