"""Causes of routes and interfaces, on pictures that are made from a description: what decided is what is named."""

from __future__ import annotations

import ipaddress
from types import MappingProxyType

from testbed.change.routing import RemovePolicyRule, RemoveRoute, SetSysctl
from testbed.evidence import Attempt, Evidence, HostFacts, Names, PolicyRule, Route, RouteKind
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explain import proposals
from testbed.explain.explanation import Proposal
from testbed.hosts_file import HostsFile
from testbed.model import Target
from testbed.predict import predict
from tests.unit.test_predict import edited, world

_PORT = 8000
_FAR = "203.0.113.20"
_TO_FAR = ipaddress.ip_network(f"{_FAR}/32")
_LAN = ipaddress.ip_network("203.0.113.0/27")
_ELSEWHERE = ipaddress.ip_network("192.0.2.0/24")


def proposed(evidence: Evidence, place: str, target: str) -> Proposal:
    """The first cause that is proposed for one attempt, whether or not its remedies are enough."""
    attempt = Attempt(evidence.place(place), Target.parse(target))
    return next(iter(proposals(Case(evidence, attempt, predict(evidence, attempt)))))


def test_the_policy_rule_that_forbids_is_the_one_that_selects_the_packet() -> None:
    """A rule of another sender's comes first and forbids too: it is not the one to be removed."""
    evidence = world()
    web = evidence.namespaces["web"]
    others = PolicyRule(100, 4, 0, source=_ELSEWHERE, action="prohibit")
    ours = PolicyRule(200, 4, 0, destination=_TO_FAR, action="unreachable")
    found = proposed(edited(evidence, "web", policy_rules=(others, ours, *web.policy_rules)), "web", f"{_FAR}:{_PORT}")
    assert found.cause is Cause.ROUTE_FORBIDS
    assert found.rows[0].text == f"priority 200 to {_TO_FAR} unreachable"
    assert found.remedies[0].changes == (RemovePolicyRule("web", ours),)


def test_the_route_that_forbids_is_named_with_its_table() -> None:
    """A longer prefix in a table that no rule leads to forbids nothing: the one of the main table is named."""
    evidence = world()
    web = evidence.namespaces["web"]
    ours = Route(254, RouteKind.BLACKHOLE, _LAN)
    routes = (*web.routes, Route(99, RouteKind.PROHIBIT, _TO_FAR), ours)
    found = proposed(edited(evidence, "web", routes=routes), "web", f"{_FAR}:{_PORT}")
    assert found.rows[0].text == f"blackhole {_LAN}"
    assert found.remedies[0].changes == (RemoveRoute("web", ours),)


def test_a_loopback_address_that_may_not_leave_is_told_with_the_interface() -> None:
    """The sysctl in the evidence and in the cure is that of the interface that the packet was to leave by."""
    evidence = world()
    web = evidence.namespaces["web"]
    eth0 = next(link for link in web.links if link.name == "eth0")
    loose = Route(254, RouteKind.UNICAST, _LAN, link=eth0.index, source=ipaddress.ip_address("127.0.0.1"))
    found = proposed(edited(evidence, "web", routes=(*web.routes, loose)), "web", f"{_FAR}:{_PORT}")
    assert found.cause is Cause.LOOPBACK_FROM_OUTSIDE
    assert found.rows[0].text == "net.ipv4.conf.eth0.route_localnet = 0"
    assert found.remedies[0].changes == (SetSysctl("web", "ipv4/conf/eth0/route_localnet", "1"),)


def test_of_a_table_that_forbids_the_rule_that_leads_there_is_shown() -> None:
    """A default route that forbids in a table of its own forbids only what a policy rule selects for it."""
    evidence = world()
    web = evidence.namespaces["web"]
    leads = PolicyRule(500, 4, 99, source=ipaddress.ip_network("10.88.0.0/16"))
    other = PolicyRule(600, 4, 98, source=_ELSEWHERE)
    routes = (*web.routes, Route(99, RouteKind.BLACKHOLE, ipaddress.ip_network("0.0.0.0/0")))
    evidence = edited(evidence, "web", routes=routes, policy_rules=(leads, other, *web.policy_rules))
    found = proposed(evidence, "web", f"{_FAR}:{_PORT}")
    assert found.cause is Cause.ROUTE_FORBIDS
    assert [row.removal for row in found.rows[1:]] == [RemovePolicyRule("web", leads)]
    assert found.remedies[0].changes == (RemovePolicyRule("web", leads),)


def test_the_parameter_that_ipv6_forwards_by_is_that_of_all_interfaces() -> None:
    """The kernel does not ask an interface's own (net/ipv6/ip6_output.c, ip6_forward)."""
    inside, outside = ipaddress.ip_interface("fd88::1/64"), ipaddress.ip_interface("fd01::10/64")
    evidence = picture(
        [
            Stack("box", (Seat("podman0", inside, bridge=True), Seat("lan", outside)), listeners=()),
            Stack("web", (Seat("podman0", ipaddress.ip_interface("fd88::10/64")),), inside.ip),
            Stack("far", (Seat("lan", ipaddress.ip_interface("fd01::20/64")),), outside.ip),
        ],
        [HostFacts(name, name, name, Names(HostsFile({}))) for name in ("box", "web", "far")],
    )
    box = evidence.namespaces["box"]
    interfaces = {f"ipv6/conf/{link.name}/forwarding": "1" for link in box.links}
    off = MappingProxyType({**box.sysctls, **interfaces, "ipv6/conf/all/forwarding": "0"})
    found = proposed(edited(evidence, "box", sysctls=off), "web", f"[fd01::20]:{_PORT}")
    assert found.cause is Cause.FORWARDING_OFF
    assert found.rows[0].text == "net.ipv6.conf.all.forwarding = 0"
