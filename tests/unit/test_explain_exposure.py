"""What a cure exposes: who else reaches the service then, and did not before in any way."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from types import MappingProxyType

from testbed.evidence import (
    Act,
    Action,
    Backend,
    Chain,
    Evidence,
    Field,
    Hook,
    Listener,
    Match,
    Process,
    Protocol,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.explain.explanation import Cure
from tests.unit.test_explain_listening import PORT, diagnosed, tcp, told, world
from tests.unit.test_predict import edited

_OTHERS = "the containers of the network podman"


def cures(evidence: Evidence, target: str, place: str = "client") -> dict[str, Cure]:
    """The cures that are printed, by the first word of their text."""
    return {cure.text.split()[0]: cure for cure in diagnosed(told(evidence, target, place=place)).cures}


def with_client_alone(evidence: Evidence) -> Evidence:
    """A picture in which ``client`` is the only container of its host."""
    left = {key: namespace for key, namespace in evidence.namespaces.items() if key != "web"}
    containers = tuple(c for c in evidence.containers if c.name != "web")
    return replace(evidence, containers=containers, namespaces=MappingProxyType(left))


def test_what_is_mended_in_the_caller_alone_exposes_nothing() -> None:
    """A route of its own kept it out: other containers of its network never had that."""
    evidence = with_client_alone(world({"box": (tcp("0.0.0.0"),)}))
    forbids = Route(254, RouteKind.BLACKHOLE, ipaddress.ip_network("10.88.0.1/32"))
    evidence = edited(evidence, "client", routes=(*evidence.namespaces["client"].routes, forbids))
    assert cures(evidence, f"10.88.0.1:{PORT}")["Remove"].exposes == ""


def test_a_rule_for_one_sender_exposes_less_than_none_at_all() -> None:
    """Accepting the caller's own address lets in no other container; taking out what drops lets in all."""
    drop = Rule("-A INPUT -i podman0 -j DROP", (Match(Field.IIF, ("podman0",)),), (Action(Act.DROP),))
    chain = Chain(Backend.IPTABLES, "ip", "filter", "INPUT", (drop,), Hook.INPUT, "filter")
    evidence = edited(with_client_alone(world({"box": (tcp("0.0.0.0"),)})), "box", firewall=Ruleset((chain,)))
    found = cures(evidence, f"10.88.0.1:{PORT}")
    assert found["Let"].exposes == ""
    assert _OTHERS in found["Take"].exposes


def test_who_reaches_it_by_udp_is_found_by_udp() -> None:
    """A program for UDP that is to listen everywhere is then reached from the LAN."""
    asked = Listener(Protocol.UDP, ipaddress.ip_address("127.0.0.1"), PORT, process=Process(7, "app"))
    found = diagnosed(told(world({"box": (asked,)}), f"udp://10.88.0.1:{PORT}")).cures
    assert "the LAN on lan of box" in found[-1].exposes
