"""Explanations of ports that are published otherwise than they are called, on declared pictures."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from testbed.change.publishing import Publish, Republish
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
    Published,
    Rule,
    Ruleset,
)
from testbed.explain.codes import Cause
from tests.unit.test_explain_listening import DNS, NAMES, PORT, diagnosed, tcp, told, world
from tests.unit.test_relay import listener
from tests.unit.test_relay import world as rootless_world
from tests.unit.test_rootless_helpers import listening, published

_OUTSIDE = 8080


def _published(protocol: Protocol, *listeners: Listener) -> Evidence:
    """``web`` of a rootful host, which listens and publishes port 8080 for one protocol."""
    evidence = world({"web": listeners})
    ports = (Published(protocol, PORT, _OUTSIDE, ""),)
    containers = tuple(replace(c, published=ports) if c.name == "web" else c for c in evidence.containers)
    return replace(evidence, containers=containers)


def udp() -> Listener:
    """A UDP socket on all addresses."""
    return Listener(Protocol.UDP, ipaddress.ip_address("0.0.0.0"), PORT, process=Process(8, "dns"))


@pytest.mark.parametrize(
    ("protocol", "listeners", "target", "kind"),
    [
        (Protocol.TCP, (udp(),), "udp://203.0.113.10:8080", Republish),
        (Protocol.UDP, (tcp("0.0.0.0"),), "203.0.113.10:8080", Republish),
        (Protocol.TCP, (tcp("0.0.0.0"), udp()), "udp://203.0.113.10:8080", Publish),
    ],
    ids=["TCP only", "UDP only", "both are served"],
)
def test_a_port_that_is_published_for_the_other_protocol(
    protocol: Protocol, listeners: tuple[Listener, ...], target: str, kind: type
) -> None:
    """It is published for what was spoken, and goes on for the other one where somebody listens for that."""
    found = diagnosed(told(_published(protocol, *listeners), target, place="far"))
    assert found.cause is Cause.NOT_PUBLISHED
    assert f"for {protocol.upper()} only" in found.sentence
    assert [type(change) for change in found.cures[0].changes] == [kind]


def test_what_takes_a_rootless_port_on_the_loopback_is_published_elsewhere() -> None:
    """rootlessport has no address of its own to be set: the container is published on another one."""
    made = published(rootless_world(listener("127.0.0.1", "rootlessport", _OUTSIDE)), "slirp4netns", bound="127.0.0.1")
    made = listening(made, "client", [listener("0.0.0.0", port=80)])
    found = diagnosed(told(made, f"203.0.113.10:{_OUTSIDE}", place="box"))
    assert found.cause is Cause.PUBLISHED_ON_LOOPBACK
    assert all("rootlessport" not in cure.text for cure in found.cures)


def test_packets_that_are_not_tracked_are_tracked_again() -> None:
    """A published port is translated by connection tracking alone: the rule that turns it off is the cause."""
    evidence = _published(Protocol.TCP, tcp("0.0.0.0"))
    to_web = _rule(Action(Act.DNAT, f"10.88.0.11:{PORT}"))
    raw = Chain(
        Backend.IPTABLES, "ip", "raw", "PREROUTING", (_rule(Action(Act.NOTRACK)),), Hook.PREROUTING, priority=-300
    )
    nat = Chain(Backend.IPTABLES, "ip", "nat", "PREROUTING", (to_web,), Hook.PREROUTING, "nat", -100)
    box = replace(evidence.namespaces["box"], firewall=Ruleset((raw, nat)))
    made = replace(evidence, namespaces={**evidence.namespaces, "box": box})
    found = diagnosed(told(made, f"203.0.113.10:{_OUTSIDE}", place="far"))
    assert found.cause is Cause.PUBLISHED_NO_RULE
    assert [cure.command for cure in found.cures] == [
        f"iptables -t raw -D PREROUTING -p tcp --dport {_OUTSIDE} -j NOTRACK"
    ]


def _rule(action: Action) -> Rule:
    """A rule for the published port."""
    match = Match(Field.DESTINATION_PORT, (str(_OUTSIDE),))
    return Rule(f"-A PREROUTING -p tcp --dport {_OUTSIDE} -j {action.act.upper()}", (match,), (action,))


def test_a_container_that_has_ended_is_started_for_the_port_that_was_called() -> None:
    """Its name is not known then, and the last packet was the question: that one's port is the resolver's."""
    evidence = _with_resolver(world({"box": (DNS,)}, dns=True), "10.88.0.1")
    containers = tuple(
        replace(c, state="exited", namespace=None, exit_code=0) if c.name == "web" else c for c in evidence.containers
    )
    found = diagnosed(told(replace(evidence, containers=containers), f"web:{PORT}"))
    assert found.cause is Cause.NOT_RUNNING
    assert [cure.command for cure in found.cures] == ["podman start web"]


def test_podmans_own_resolver_is_asked_without_dns() -> None:
    """A server that was given is silent, and the network has one that knows the name."""
    evidence = _with_resolver(world({"box": (DNS,), "web": (tcp("0.0.0.0"),)}, dns=True), "203.0.113.20")
    found = diagnosed(told(evidence, f"web:{PORT}"))
    assert any("10.88.0.1, Podman's resolver on the network podman" in cure.text for cure in found.cures)


def _with_resolver(evidence: Evidence, server: str) -> Evidence:
    """``client`` asks a DNS server."""
    names = replace(NAMES, nameservers=(ipaddress.ip_address(server),))
    containers = tuple(replace(c, names=names) if c.name == "client" else c for c in evidence.containers)
    return replace(evidence, containers=containers)
