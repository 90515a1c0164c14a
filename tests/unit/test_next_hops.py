"""Several next hops, macvlans, sockets bound to an interface and what is attached: the walk on declared pictures."""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import (
    Act,
    Action,
    Attached,
    Direction,
    Evidence,
    Hook,
    IpsecDemand,
    IpsecDirection,
    IpsecPolicy,
    Link,
    LinkAddress,
    Namespace,
    Neighbour,
    Nexthop,
    Peer,
    Route,
    RouteKind,
)
from testbed.model import Outcome
from testbed.predict import Disposition
from testbed.predict.barrier import AddressNotUsable, IsolatedPorts, MacvlanMode, MacvlanParent
from testbed.predict.ending import Discarded, NoNeighbour, RouteForbids
from testbed.predict.sysctls import of_interface
from testbed.predict.unknown import AttachedProgram, Divergence, IpsecSelects, UnmodelledLink, UnmodelledRoute
from tests.unit.predicted import packet_ending, reason
from tests.unit.test_predict import ask, edited, rules, tcp, world

_NET = ipaddress.ip_network
_IP = ipaddress.ip_address
_WEB = "10.88.0.10:8000"


def changed(evidence: Evidence, name: str, link: str, **fields: object) -> Evidence:
    """A picture in which an interface has other properties."""
    links = evidence.namespaces[name].links
    return edited(evidence, name, links=tuple(replace(x, **fields) if x.name == link else x for x in links))  # type: ignore[arg-type]


# --- next hops --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gateways", "known"), [(("10.88.0.1", "10.88.0.1"), True), (("10.88.0.1", "10.88.0.99"), False)]
)
def test_all_next_hops_of_a_route_are_walked(gateways: tuple[str, str], *, known: bool) -> None:
    """Where they do not end alike the kernel's secret decides."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    hops = tuple(Nexthop(2, _IP(gateway)) for gateway in gateways)
    several = Route(254, RouteKind.UNICAST, _NET("203.0.113.0/24"), 2, hops[0].gateway, multipath=True, nexthops=hops)
    seen = ask(edited(evidence, "web", routes=(*web.routes, several)), "web", "203.0.113.10:8000")
    if known:
        assert seen.outcome is Outcome.CONNECTED
    else:
        assert isinstance(reason(seen), Divergence)


def test_a_route_of_which_only_the_first_next_hop_is_known_is_a_doubt() -> None:
    """As in a picture that was taken before all were read."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    several = Route(254, RouteKind.UNICAST, _NET("203.0.113.0/24"), 2, _IP("10.88.0.1"), multipath=True)
    seen = ask(edited(evidence, "web", routes=(*web.routes, several)), "web", "203.0.113.10:8000")
    assert isinstance(reason(seen), UnmodelledRoute)


def test_an_answer_that_a_route_forbids_ends_with_that_route() -> None:
    """It is not that there is none."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    forbids = Route(254, RouteKind.UNREACHABLE, _NET("10.88.0.1/32"))
    seen = ask(edited(evidence, "web", routes=(*web.routes, forbids)), "box", _WEB)
    ending = packet_ending(seen)
    assert isinstance(ending, RouteForbids)
    assert (ending.by, ending.back, seen.outcome) == (forbids, True, Outcome.TIMED_OUT)
    assert "an unreachable route (10.88.0.1/32) of web forbids 10.88.0.1" in seen.why


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (None, "box has no route back to 10.88.0.10, so rp_filter drops what podman0 brings"),
        (RouteKind.UNICAST, "box would not answer 10.88.0.10 by podman0, so rp_filter drops it"),
        (RouteKind.PROHIBIT, "a prohibit route (10.88.0.0/16) of box forbids the way back to 10.88.0.10"),
    ],
)
def test_what_the_reverse_path_filter_goes_by_is_said(back: RouteKind | None, words: str) -> None:
    """No route at all, one by another interface, or one that forbids; and the parameters with their values."""
    evidence = world(host_listens=(tcp("0.0.0.0"),), host_sysctls={"ipv4/conf/podman0/rp_filter": "1"})
    box, web = evidence.namespaces["box"], evidence.namespaces["web"]
    lan = next(link.index for link in box.links if link.name == "lan")
    routes = tuple(route for route in box.routes if str(route.destination) != "10.88.0.0/16")
    if back is not None:
        link = lan if back is RouteKind.UNICAST else None
        routes = (*routes, Route(254, back, _NET("10.88.0.0/16"), link))
    known = Neighbour(web.links[1].index, _IP("10.88.0.1"), box.links[1].mac, "reachable")
    seen = ask(edited(edited(evidence, "box", routes=routes), "web", neighbours=(known,)), "web", "10.88.0.1:8000")
    assert seen.disposition is Disposition.REVERSE_PATH
    assert seen.why.startswith(words)
    assert seen.why.endswith("(net.ipv4.conf.all.rp_filter = 0, net.ipv4.conf.podman0.rp_filter = 1)")


# --- segments ---------------------------------------------------------------------------------------------------------


def with_macvlan(mode: str = "bridge", address: str = "203.0.113.11/27") -> Evidence:
    """A picture in which ``web`` has, in the place of its own interface, a macvlan on the host's ``lan``."""
    evidence = world(host_listens=(tcp("0.0.0.0"),), web_listens=(tcp("0.0.0.0"),))
    lan = next(link for link in evidence.namespaces["box"].links if link.name == "lan")
    web = evidence.namespaces["web"]
    stacked = Link(
        9,
        "eth0",
        "macvlan",
        "02:00:00:00:00:09",
        1500,
        up=True,
        carrier=True,
        lower=Peer("box", lan.index),
        mode=mode,
    )
    own = ipaddress.ip_interface(address)
    return edited(
        evidence,
        "web",
        links=(web.links[0], stacked),
        addresses=(LinkAddress(9, own, "global"),),
        routes=(
            Route(255, RouteKind.LOCAL, _NET(own.ip), 9, source=own.ip),
            Route(254, RouteKind.UNICAST, own.network, 9, source=own.ip),
        ),
    )


def test_a_macvlan_reaches_what_is_beyond_its_parent() -> None:
    """And is reached from there."""
    evidence = with_macvlan()
    far = edited(evidence, "far", listeners=(tcp("0.0.0.0"),))
    assert ask(far, "web", "203.0.113.20:8000").outcome is Outcome.CONNECTED
    assert ask(far, "far", "203.0.113.11:8000").outcome is Outcome.CONNECTED


@pytest.mark.parametrize(("place", "target"), [("web", "203.0.113.10"), ("box", "203.0.113.11")])
def test_a_macvlan_and_its_parent_are_kept_apart(place: str, target: str) -> None:
    """The ending says so, and names both interfaces."""
    seen = ask(with_macvlan(), place, f"{target}:8000")
    ending = packet_ending(seen)
    assert isinstance(ending, NoNeighbour)
    assert isinstance(ending.barrier, MacvlanParent)
    assert (ending.barrier.macvlan.name, ending.barrier.parent.name) == ("eth0", "lan")
    assert "between a macvlan (eth0 of web) and its parent (lan)" in seen.why


@pytest.mark.parametrize("mode", ["private", "vepa", "bridge"])
@pytest.mark.parametrize("other", ["private", "vepa", "bridge"])
def test_macvlans_of_mode_bridge_reach_each_other(mode: str, other: str) -> None:
    """Unless both are of that mode they need somebody who sends back what one sends."""
    evidence = with_macvlan(mode)
    web = evidence.namespaces["web"]
    address = ipaddress.ip_interface("203.0.113.12/27")
    peer = edited(
        evidence,
        "peer",
        links=(web.links[0], replace(web.links[1], mac="02:00:00:00:00:0a", mode=other)),
        addresses=(LinkAddress(9, address, "global"),),
        routes=(
            Route(255, RouteKind.LOCAL, _NET(address.ip), 9, source=address.ip),
            Route(254, RouteKind.UNICAST, address.network, 9, source=address.ip),
        ),
        listeners=(tcp("0.0.0.0"),),
    )
    seen = ask(peer, "web", "203.0.113.12:8000")
    if mode == other == "bridge":
        assert seen.outcome is Outcome.CONNECTED
    else:
        ending = packet_ending(seen)
        assert isinstance(ending, NoNeighbour)
        assert isinstance(ending.barrier, MacvlanMode)
        assert not ending.back


def test_an_ipvlan_is_said_not_to_be_modelled() -> None:
    """Nothing is claimed of what goes by it."""
    doubt = reason(ask(changed(with_macvlan(), "web", "eth0", kind="ipvlan"), "web", "203.0.113.20:8000"))
    assert isinstance(doubt, UnmodelledLink)
    assert doubt.link.name == "eth0"


def test_isolated_ports_are_told_from_an_address_that_nobody_has() -> None:
    """The ending has the bridge and both ports."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    box = evidence.namespaces["box"]
    apart = edited(evidence, "box", links=tuple(replace(x, isolated=x.master is not None) for x in box.links))
    ending = packet_ending(ask(apart, "peer", _WEB))
    assert isinstance(ending, NoNeighbour)
    assert isinstance(ending.barrier, IsolatedPorts)
    assert (ending.barrier.bridge.name, ending.barrier.owner) == ("podman0", evidence.namespaces["web"])


@pytest.mark.parametrize(("duplicate", "words"), [(False, "has not ended"), (True, "found a duplicate")])
def test_an_address_that_its_owner_may_not_use_is_told(*, duplicate: bool, words: str) -> None:
    """Duplicate address detection has not ended, or has found another one that has it (RFC 4862, 5.4)."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    web = evidence.namespaces["web"]
    rows = tuple(
        replace(row, usable=False, duplicate=duplicate) if str(row.address.ip) == "10.88.0.10" else row
        for row in web.addresses
    )
    routes = tuple(route for route in web.routes if route.table != 255)
    seen = ask(edited(evidence, "web", addresses=rows, routes=routes), "peer", _WEB)
    ending = packet_ending(seen)
    assert isinstance(ending, NoNeighbour)
    assert isinstance(ending.barrier, AddressNotUsable)
    assert words in seen.why


def test_a_permanent_neighbour_is_believed_though_nobody_answers() -> None:
    """It is a timeout, and not "no route to host"."""
    evidence = world()
    peer = evidence.namespaces["peer"]
    permanent = Neighbour(peer.links[1].index, _IP("10.88.0.99"), "02:00:00:00:00:77", "permanent")
    seen = ask(edited(evidence, "peer", neighbours=(permanent,)), "peer", "10.88.0.99:8000")
    assert (seen.disposition, seen.errno) == (Disposition.STALE_NEIGHBOUR, None)


# --- sockets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("link", "taken"), [("podman0", True), ("lan", False), ("lo", False)])
@pytest.mark.parametrize("place", ["web", "box"])
def test_a_socket_bound_to_an_interface_takes_what_is_for_that_one(place: str, link: str, *, taken: bool) -> None:
    """From the host itself it is the interface that has the address, and not lo, that counts."""
    evidence = world()
    index = next(one.index for one in evidence.namespaces["box"].links if one.name == link)
    bound = edited(evidence, "box", listeners=(replace(tcp("0.0.0.0"), link=index),))
    assert (ask(bound, place, "10.88.0.1:8000").outcome is Outcome.CONNECTED) == taken


def test_a_bound_address_goes_before_a_bound_interface() -> None:
    """Sockets of the address are looked up before the wildcards (net/ipv4/inet_hashtables.c)."""
    evidence = world()
    index = next(one.index for one in evidence.namespaces["box"].links if one.name == "podman0")
    both = edited(
        evidence, "box", listeners=(replace(tcp("0.0.0.0", name="wide"), link=index), tcp("10.88.0.1", name="exact"))
    )
    listener = ask(both, "web", "10.88.0.1:8000").listener
    assert listener is not None
    assert listener.process is not None
    assert listener.process.name == "exact"


# --- what is attached -------------------------------------------------------------------------------------------------


def index_of(namespace: Namespace, name: str) -> int:
    """The ifindex of an interface."""
    return next(one.index for one in namespace.links if one.name == name)


@pytest.mark.parametrize(
    ("name", "link", "direction", "passed"),
    [
        ("web", "eth0", Direction.INGRESS, True),
        ("web", "eth0", Direction.EGRESS, True),
        ("box", "podman0", Direction.EGRESS, True),
        ("box", "lan", Direction.EGRESS, False),
        ("peer", "eth0", Direction.INGRESS, False),
    ],
)
def test_what_is_attached_is_a_doubt_for_what_passes_it(
    name: str, link: str, direction: Direction, *, passed: bool
) -> None:
    """On the way there and on the way back; what the packet does not pass decides nothing."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    there = evidence.namespaces[name]
    attached = Attached(index_of(there, link), direction, "xdp prog id 7")
    seen = ask(edited(evidence, name, attached=(attached,)), "box", _WEB)
    if passed:
        doubt = reason(seen)
        assert isinstance(doubt, AttachedProgram)
        assert (doubt.link.name, doubt.attached) == (link, attached)
    else:
        assert seen.outcome is Outcome.CONNECTED


def test_what_is_attached_where_the_packet_never_comes_is_no_doubt() -> None:
    """A filter of what leaves is not passed by a packet that the firewall drops as it comes."""
    evidence = world(web_listens=(tcp("0.0.0.0"),), web_rules=rules(Hook.INPUT, Action(Act.DROP)))
    attached = Attached(index_of(evidence.namespaces["web"], "eth0"), Direction.EGRESS, "tc filter bpf")
    seen = ask(edited(evidence, "web", attached=(attached,)), "box", _WEB)
    assert seen.disposition is Disposition.DROPPED


@pytest.mark.parametrize("known", [False, True])
def test_what_discards_every_packet_is_no_doubt(*, known: bool) -> None:
    """Who has to ask for the hardware address first hears nothing; who knows it waits for ever."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    box, web = evidence.namespaces["box"], evidence.namespaces["web"]
    attached = Attached(index_of(web, "eth0"), Direction.EGRESS, "tc qdisc netem loss 1", discards=True)
    neighbour = Neighbour(index_of(box, "podman0"), _IP("10.88.0.10"), web.links[1].mac, "reachable")
    lossy = edited(edited(evidence, "web", attached=(attached,)), "box", neighbours=(neighbour,) if known else ())
    seen = ask(lossy, "box", _WEB)
    assert isinstance(packet_ending(seen), Discarded)
    assert seen.errno == (None if known else errno.EHOSTUNREACH)


@pytest.mark.parametrize(
    ("name", "direction", "demand", "source", "selects"),
    [
        ("peer", IpsecDirection.OUT, IpsecDemand.TRANSFORM, "10.88.0.11/32", True),
        ("peer", IpsecDirection.OUT, IpsecDemand.NOTHING, "10.88.0.11/32", False),
        ("peer", IpsecDirection.OUT, IpsecDemand.BLOCK, "10.88.0.12/32", False),
        ("web", IpsecDirection.IN, IpsecDemand.TRANSFORM, "10.88.0.0/16", True),
        ("web", IpsecDirection.FORWARD, IpsecDemand.TRANSFORM, "10.88.0.0/16", False),
    ],
)
def test_a_policy_of_ipsec_is_a_doubt_for_what_it_selects(
    name: str, direction: IpsecDirection, demand: IpsecDemand, source: str, *, selects: bool
) -> None:
    """By its direction and both subnets, and only where it demands anything."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    policy = IpsecPolicy(direction, _NET(source), _NET("10.88.0.10/32"), demand)
    seen = ask(edited(evidence, name, ipsec=(policy,)), "peer", _WEB)
    if selects:
        assert isinstance(reason(seen), IpsecSelects)
    else:
        assert seen.outcome is Outcome.CONNECTED


def test_of_two_policies_of_ipsec_the_one_with_the_lower_priority_counts() -> None:
    """A bypass for the LAN before a tunnel for all."""
    evidence = world(web_listens=(tcp("0.0.0.0"),))
    tunnel = IpsecPolicy(IpsecDirection.OUT, _NET("0.0.0.0/0"), _NET("0.0.0.0/0"), IpsecDemand.TRANSFORM, 2000)
    bypass = IpsecPolicy(IpsecDirection.OUT, _NET("0.0.0.0/0"), _NET("10.88.0.0/16"), IpsecDemand.NOTHING, 1000)
    assert ask(edited(evidence, "peer", ipsec=(tunnel, bypass)), "peer", _WEB).outcome is Outcome.CONNECTED


def test_a_sysctl_is_named_as_sysctl_takes_it() -> None:
    """A dot of an interface's name is a slash there (sysctl(8)); what is not in the picture has no value."""
    here = Namespace("net:[1]", "box", sysctls={"ipv4/conf/eth0.5/rp_filter": "1"})
    assert [(one.name, one.value) for one in of_interface(here, "ipv4", "eth0.5", "rp_filter")] == [
        ("net.ipv4.conf.all.rp_filter", ""),
        ("net.ipv4.conf.eth0/5.rp_filter", "1"),
    ]
