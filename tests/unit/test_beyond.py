"""Places beyond a picture: who is on an uplink, what comes in from there, and that its answer finds back."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

import pytest

from testbed.errors import UsageError
from testbed.evidence import (
    MAIN_TABLE,
    Act,
    Action,
    Attempt,
    Evidence,
    Field,
    Hook,
    Link,
    Match,
    Neighbour,
    Route,
    RouteKind,
)
from testbed.evidence.beyond import Remote, is_remote, neighbours, outside, remote
from testbed.evidence.uplinks import uplinks
from testbed.model import Outcome, Target
from testbed.predict import Disposition, Prediction, predict
from tests.unit.predicted import place
from tests.unit.test_predict import edited, rules, tcp, world

PORT = 8000
LAN = "203.0.113.10"
GATEWAY = ipaddress.ip_address("203.0.113.1")


def machine(evidence: Evidence | None = None, *, gateway: str = "203.0.113.1", kind: str = "") -> Evidence:
    """The host ``box`` alone, its LAN a cable that leads out of the picture, with a default route there.

    :param gateway: empty for a default route without one
    """
    whole = evidence or world(host_listens=(tcp("0.0.0.0"),))
    box = whole.namespaces["box"]
    lan = next(link for link in box.links if link.name == "lan")
    via = ipaddress.ip_address(gateway) if gateway else None
    default = Route(MAIN_TABLE, RouteKind.UNICAST, ipaddress.ip_network("0.0.0.0/0"), lan.index, gateway=via)
    links = tuple(replace(link, kind=kind, peer=None) if link == lan else link for link in box.links)
    return replace(
        edited(whole, "box", links=links, routes=(*box.routes, default)),
        hosts=tuple(host for host in whole.hosts if host.name == "box"),
        namespaces={
            **{key: one for key, one in whole.namespaces.items() if key != "far"},
            "box": replace(box, links=links, routes=(*box.routes, default)),
        },
    )


def the_neighbour(evidence: Evidence) -> Remote:
    """The only one."""
    (found,) = neighbours(evidence, evidence.hosts[0])
    return found


def beyond(evidence: Evidence) -> Remote:
    """The host outside."""
    found = outside(evidence, evidence.hosts[0])
    assert found is not None
    return found


def ask(one: Remote, target: str) -> Prediction:
    """Predict one attempt from there."""
    return predict(one.evidence, Attempt(one.place, Target.parse(target)))


# --- who is there -----------------------------------------------------------------------------------------------------


def test_an_interface_that_leads_out_is_an_uplink_and_a_bridge_of_containers_is_none() -> None:
    """podman0 has a global address too, and leads to containers alone."""
    evidence = machine()
    assert [one.link.name for one in uplinks(evidence, evidence.hosts[0])] == ["lan"]


@pytest.mark.parametrize("change", [{"up": False}, {"kind": "dummy"}], ids=["down", "dummy"])
def test_an_interface_that_nobody_comes_in_by_is_no_uplink(change: dict[str, object]) -> None:
    """What is down, and what leads nowhere."""
    evidence = machine()
    links = tuple(
        replace(link, **change) if link.name == "lan" else link  # type: ignore[arg-type]
        for link in evidence.namespaces["box"].links
    )
    assert uplinks(edited(evidence, "box", links=links), evidence.hosts[0]) == ()


def test_a_bridge_with_a_real_port_is_an_uplink_and_frames_come_in_by_that() -> None:
    """br0 has the address, eth0 the cable."""
    evidence = machine()
    box = evidence.namespaces["box"]
    lan = next(link for link in box.links if link.name == "lan")
    bridge = replace(lan, kind="bridge")
    port = Link(90, "eth9", "", "02:00:00:00:00:90", 1500, up=True, carrier=True, master=lan.index)
    bridged = edited(evidence, "box", links=(*(bridge if link == lan else link for link in box.links), port))
    (one,) = uplinks(bridged, evidence.hosts[0])
    assert (one.link.name, one.cable.name) == ("lan", "eth9")
    seen = ask(the_neighbour(bridged), f"{LAN}:{PORT}")
    assert seen.outcome is Outcome.CONNECTED


def test_a_neighbour_has_an_address_that_nobody_has() -> None:
    """Neither the gateway's, nor one that the host knows a neighbour by."""
    evidence = machine()
    link = next(link.index for link in evidence.namespaces["box"].links if link.name == "lan")
    known = Neighbour(link, ipaddress.ip_address("203.0.113.30"), "02:00:00:00:00:30", "reachable")
    one = the_neighbour(edited(evidence, "box", neighbours=(known,)))
    there = one.evidence.namespaces[one.place.host.namespace]
    (own,) = (row.address for row in there.addresses if row.address.version == 4 and not row.address.ip.is_loopback)
    assert (str(own), own.network.prefixlen) == ("203.0.113.29/27", 27)


# --- what comes in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["", "bond", "wireguard", "tun", "veth"])
def test_both_reach_what_listens_on_all_addresses(kind: str) -> None:
    """Whatever the uplink is, the request comes in by it and the answer finds back: on the link, and by the router."""
    evidence = machine(kind=kind)
    for one in (the_neighbour(evidence), beyond(evidence)):
        seen = ask(one, f"{LAN}:{PORT}")
        assert (seen.outcome, place(seen)) == (Outcome.CONNECTED, "box"), one.word


@pytest.mark.parametrize("bound", ["127.0.0.1", "10.88.0.1"])
def test_neither_reaches_what_listens_elsewhere(bound: str) -> None:
    """The usual "works here, not from there"."""
    evidence = machine(world(host_listens=(tcp(bound),)))
    for one in (the_neighbour(evidence), beyond(evidence)):
        assert ask(one, f"{LAN}:{PORT}").disposition is Disposition.NO_LISTENER


def test_a_rule_for_the_lan_lets_the_neighbour_in_and_nobody_else() -> None:
    """The addresses of both are such as a rule tells apart."""
    only_lan = Match(Field.SOURCE, ("203.0.113.0/27",), negated=True)
    evidence = machine(world(host_listens=(tcp("0.0.0.0"),), host_rules=rules(Hook.INPUT, Action(Act.DROP), only_lan)))
    assert ask(the_neighbour(evidence), f"{LAN}:{PORT}").outcome is Outcome.CONNECTED
    seen = ask(beyond(evidence), f"{LAN}:{PORT}")
    assert (seen.outcome, seen.disposition) == (Outcome.TIMED_OUT, Disposition.DROPPED)


def test_an_answer_that_leaves_by_another_uplink_than_the_request_came_by_fails_the_strict_check() -> None:
    """rp_filter 1: the way back to the outside is by the other interface (ip-sysctl)."""
    evidence = machine()
    box = evidence.namespaces["box"]
    lan = next(link for link in box.links if link.name == "lan")
    vpn = Link(91, "wg0", "wireguard", "", 1420, up=True, carrier=True)
    halves = tuple(
        Route(MAIN_TABLE, RouteKind.UNICAST, ipaddress.ip_network(half), vpn.index)
        for half in ("0.0.0.0/1", "128.0.0.0/1")
    )
    strict = {**box.sysctls, f"ipv4/conf/{lan.name}/rp_filter": "1"}
    hidden = edited(evidence, "box", links=(*box.links, vpn), routes=(*box.routes, *halves), sysctls=strict)
    assert ask(the_neighbour(hidden), f"{LAN}:{PORT}").outcome is Outcome.CONNECTED
    assert ask(beyond(hidden), f"{LAN}:{PORT}").disposition is Disposition.REVERSE_PATH


def test_a_default_route_without_a_gateway_leads_to_the_outside_too() -> None:
    """As of PPP: whoever is at the other end hands it on."""
    assert ask(beyond(machine(gateway="")), f"{LAN}:{PORT}").outcome is Outcome.CONNECTED


def test_a_gateway_outside_the_subnet_is_reached_all_the_same() -> None:
    """A cloud's /32 with a route to its gateway."""
    evidence = machine(gateway="192.0.2.1")
    box = evidence.namespaces["box"]
    lan = next(link for link in box.links if link.name == "lan")
    on_link = Route(MAIN_TABLE, RouteKind.UNICAST, ipaddress.ip_network("192.0.2.1/32"), lan.index)
    assert (
        ask(beyond(edited(evidence, "box", routes=(*box.routes, on_link))), f"{LAN}:{PORT}").outcome
        is Outcome.CONNECTED
    )


def test_ipv6_goes_by_a_link_local_gateway() -> None:
    """Routers of IPv6 announce themselves by such (RFC 4861, 4.2)."""
    evidence = machine(world(host_listens=(tcp("::"),)))
    box = evidence.namespaces["box"]
    lan = next(link for link in box.links if link.name == "lan")
    router, everything = ipaddress.ip_address("fe80::1"), ipaddress.ip_network("::/0")
    own, net = ipaddress.ip_interface("2001:db8:1::10/64"), ipaddress.ip_network("2001:db8:1::/64")
    four = next(row for row in box.addresses if str(row.address.ip) == LAN)
    rows = (replace(four, address=own), replace(four, address=ipaddress.ip_interface("fe80::10/64"), scope="link"))
    routes = (
        Route(255, RouteKind.LOCAL, ipaddress.ip_network(own.ip), lan.index),
        Route(255, RouteKind.LOCAL, ipaddress.ip_network("fe80::10"), lan.index),
        Route(MAIN_TABLE, RouteKind.UNICAST, net, lan.index),
        Route(MAIN_TABLE, RouteKind.UNICAST, ipaddress.ip_network("fe80::/64"), lan.index),
        Route(MAIN_TABLE, RouteKind.UNICAST, everything, lan.index, gateway=router),
    )
    dual = edited(evidence, "box", addresses=(*box.addresses, *rows), routes=(*box.routes, *routes))
    for one in (the_neighbour(dual), beyond(dual)):
        assert ask(one, f"[2001:db8:1::10]:{PORT}").outcome is Outcome.CONNECTED, one.word


def test_somebody_else_on_the_lan_is_still_beyond_the_picture() -> None:
    """The cable goes on behind the switch that is added: who else is there is not known."""
    seen = ask(the_neighbour(machine()), f"203.0.113.5:{PORT}")
    assert seen.disposition is Disposition.LEFT


def test_stations_of_the_picture_stay_where_they_are() -> None:
    """In a lab the other hosts of the LAN are in the picture, and answer as before."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    evidence = edited(evidence, "far", listeners=(tcp("0.0.0.0"),))
    (one,) = neighbours(evidence, evidence.place("box/host").host)
    assert ask(one, f"203.0.113.20:{PORT}").outcome is Outcome.CONNECTED
    assert ask(one, f"{LAN}:{PORT}").outcome is Outcome.CONNECTED


def test_the_router_of_the_picture_is_the_router() -> None:
    """A lab's own router decides by its own rules what it hands on."""
    evidence = world(host_listens=(tcp("0.0.0.0"),))
    box = evidence.namespaces["box"]
    lan = next(link.index for link in box.links if link.name == "lan")
    via = ipaddress.ip_address("203.0.113.20")
    default = Route(MAIN_TABLE, RouteKind.UNICAST, ipaddress.ip_network("0.0.0.0/0"), lan, gateway=via)
    routed = edited(evidence, "box", routes=(*box.routes, default))
    closed = ask(beyond(routed), f"{LAN}:{PORT}")
    assert (closed.disposition, place(closed)) == (Disposition.NOT_FORWARDED, "far")
    sysctls = dict.fromkeys(("ipv4/ip_forward", "ipv4/conf/lan/forwarding", "ipv4/conf/outside0/forwarding"), "1")
    assert ask(beyond(edited(routed, "far", sysctls=sysctls)), f"{LAN}:{PORT}").outcome is Outcome.CONNECTED


def test_a_host_is_known_by_its_name_there() -> None:
    """Whoever is told of a host is told its name; it has the addresses of the uplink."""
    seen = ask(the_neighbour(machine()), f"box:{PORT}")
    assert (seen.outcome, str(seen.address)) == (Outcome.CONNECTED, LAN)


def test_the_router_has_the_hardware_address_that_the_host_knows() -> None:
    """The neighbour table of the picture is believed, and so has to be true of what is added."""
    evidence = machine()
    lan = next(link.index for link in evidence.namespaces["box"].links if link.name == "lan")
    known = edited(evidence, "box", neighbours=(Neighbour(lan, GATEWAY, "52:54:00:12:34:56", "stale"),))
    one = beyond(known)
    (router,) = (
        each for each in one.evidence.namespaces.values() if GATEWAY in {row.address.ip for row in each.addresses}
    )
    assert "52:54:00:12:34:56" in {link.mac for link in router.links}
    assert ask(one, f"{LAN}:{PORT}").outcome is Outcome.CONNECTED


# --- what is typed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names", "meant"),
    [
        ("lan", ["web"], True),
        ("lan:eth0", ["web"], True),
        ("box/outside", ["web"], True),
        ("lan", ["lan"], False),
        ("lancelot", ["lancelot"], False),
        ("web", ["web"], False),
    ],
)
def test_a_container_that_is_called_so_is_meant_by_its_name(text: str, names: list[str], meant: bool) -> None:
    """The words are for places that nothing else is called by."""
    assert is_remote(text, names) is meant


def test_the_only_uplink_needs_no_name() -> None:
    """``lan`` is enough where there is one, and its own words mean it too."""
    evidence = machine()
    assert [remote(evidence, text).word for text in ("lan", "lan:lan", "box/lan", "outside")] == [
        "lan:lan",
        "lan:lan",
        "lan:lan",
        "outside",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lan:eth7", "box has no uplink 'eth7' with a subnet that has neighbours; there are: lan:lan, outside"),
        ("outside", "box has no default route by an interface that leads out"),
        ("lan", "box has no uplink: no interface that is up"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(text: str, said: str) -> None:
    """The error names the host, what it lacks, and what there is."""
    evidence = machine()
    if text == "outside":
        evidence = edited(
            evidence, "box", routes=tuple(r for r in evidence.namespaces["box"].routes if r.gateway is None)
        )
    if text == "lan":
        evidence = edited(evidence, "box", links=tuple(x for x in evidence.namespaces["box"].links if x.name != "lan"))
    with pytest.raises(UsageError, match=re.escape(said)):
        remote(evidence, text)


def test_several_uplinks_are_named() -> None:
    """``lan`` may be any of them."""
    evidence = world()
    with pytest.raises(UsageError, match="'lan' may be any of box/lan:lan, far/lan:lan: give one of these"):
        remote(evidence, "lan")
