"""pasta in a prediction and an explanation, on declared pictures: what it does was measured (docs/rootless.md)."""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import (
    Act,
    Action,
    Attempt,
    Backend,
    Chain,
    Evidence,
    Field,
    Hook,
    Listener,
    Match,
    PastaNames,
    Published,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.evidence.kernel import MAIN_TABLE
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Explanation
from testbed.model import Outcome, Target
from testbed.predict import Disposition
from tests.unit.predicted import packet_ending, place
from tests.unit.test_relay import ask, listener, relinked, world

_PORT = 8000
_PUBLISHED = 8080
#: RFC 5737, TEST-NET-3, the host's; TEST-NET-1, which no host here has.
_HOST = "203.0.113.10"
_ELSEWHERE = "192.0.2.1"
_NAME = "host.containers.internal"
#: podman-run(1), --network pasta; what a user may choose for the host's loopback.
_MAPPED = "169.254.1.2"
_OPENED = "169.254.1.9"
_NAMES = PastaNames(ipaddress.ip_address(_MAPPED), None, ipaddress.ip_address("169.254.1.1"))


def with_pasta(*listening: Listener, names: PastaNames | None = _NAMES, inside: Listener | None = None) -> Evidence:
    """A host, and a container ``client`` to which pasta gave the host's address, and which publishes a port.

    :param listening: on the host
    :param inside: in the container
    """
    made = world(*listening, holder="pasta.avx2", inside=f"{_HOST}/27", gateway="203.0.113.1", name=_MAPPED)
    made = relinked(made, "client", "tap0", pasta=names)
    containers = tuple(
        replace(one, published=(Published("tcp", _PORT, _PUBLISHED, ""),)) if one.name == "client" else one
        for one in made.containers
    )
    client = replace(made.namespaces["client"], listeners=(inside,) if inside else ())
    return replace(made, containers=containers, namespaces={**made.namespaces, "client": client})


def changed(made: Evidence, key: str, **changes: object) -> Evidence:
    """The same picture with other facts of one namespace."""
    there = replace(made.namespaces[key], **changes)  # type: ignore[arg-type]
    return replace(made, namespaces={**made.namespaces, key: there})


def firewall(*actions: Action) -> Ruleset:
    """Rules for what comes in to the listener's port, one for each action."""
    to_port = (Match(Field.PROTOCOL, ("tcp",)), Match(Field.DESTINATION_PORT, (str(_PORT),)))
    rules = tuple(Rule(f"-p tcp --dport {_PORT}", to_port, (action,)) for action in actions)
    return Ruleset((Chain(Backend.IPTABLES, "ip", "filter", "INPUT", rules, Hook.INPUT, "filter"),))


@pytest.mark.parametrize(
    ("bound", "outcome"),
    [("0.0.0.0", Outcome.CONNECTED), (_HOST, Outcome.CONNECTED), ("127.0.0.1", Outcome.REFUSED)],
)
def test_the_hosts_address_by_pastas_name(bound: str, outcome: Outcome) -> None:
    """What is dialled as the mapped address is a connection of the host's own to the address that pasta copied."""
    made = ask(with_pasta(listener(bound)), "client", f"{_NAME}:{_PORT}")
    assert (made.outcome, place(made), str(packet_ending(made).destination)) == (outcome, "box", _HOST)


@pytest.mark.parametrize(("bound", "outcome"), [("127.0.0.1", Outcome.CONNECTED), (_HOST, Outcome.REFUSED)])
def test_the_hosts_loopback_where_it_has_a_name(bound: str, outcome: Outcome) -> None:
    """The address of --map-host-loopback is the host's 127.0.0.1, and only that."""
    opened = replace(_NAMES, loopback=ipaddress.ip_address(_OPENED))
    assert ask(with_pasta(listener(bound), names=opened), "client", f"{_OPENED}:{_PORT}").outcome is outcome


def test_the_copied_address_stays_inside() -> None:
    """The container has the host's address itself: its own listener is reached there, and not the host's."""
    made = ask(with_pasta(listener("0.0.0.0"), inside=listener(_HOST, "own")), "client", f"{_HOST}:{_PORT}")
    assert (made.outcome, place(made)) == (Outcome.CONNECTED, "client")


@pytest.mark.parametrize("argument", ["tcp-reset", "icmp-port-unreachable", "icmp-host-prohibited"])
def test_every_rejection_is_a_refusal(argument: str) -> None:
    """pasta hands on an ICMP error as a reset, where slirp4netns says nothing."""
    rules = firewall(Action(Act.REJECT, argument))
    made = changed(with_pasta(listener("0.0.0.0")), "box", firewall=rules)
    found = ask(made, "client", f"{_NAME}:{_PORT}")
    assert (found.disposition, found.errno) == (Disposition.REJECTED, errno.ECONNREFUSED)


@pytest.mark.parametrize("kind", [RouteKind.UNREACHABLE, RouteKind.PROHIBIT, RouteKind.BLACKHOLE])
def test_every_route_that_forbids_is_a_refusal(kind: RouteKind) -> None:
    """What connect(2) on the host says at once is a reset to the container, whichever error it is."""
    made = with_pasta()
    route = Route(MAIN_TABLE, kind, ipaddress.ip_network(_ELSEWHERE))
    found = ask(changed(made, "box", routes=(*made.namespaces["box"].routes, route)), "client", f"{_ELSEWHERE}:{_PORT}")
    assert (found.disposition, found.errno) == (Disposition.ROUTE_FORBIDS, errno.ECONNREFUSED)


def test_options_that_are_not_known_decide_nothing() -> None:
    """What pasta makes of an address is not said then: the packet was last seen at its interface."""
    made = ask(with_pasta(listener("0.0.0.0"), names=None), "client", f"{_NAME}:{_PORT}")
    assert (made.outcome, made.disposition, place(made)) == (Outcome.INCONCLUSIVE, Disposition.LEFT, "client")


def test_what_is_beyond_the_host_is_not_known() -> None:
    """pasta calls any other address as it was dialled, and the host's own packet leaves the picture."""
    made = ask(with_pasta(), "client", f"{_ELSEWHERE}:{_PORT}")
    assert (made.outcome, made.disposition, place(made)) == (Outcome.INCONCLUSIVE, Disposition.LEFT, "box")


@pytest.mark.parametrize("to", ["127.0.0.1", _HOST])
@pytest.mark.parametrize(
    ("bound", "end"),
    [
        ("", Disposition.RELAY_CLOSES),
        ("127.0.0.1", Disposition.RELAY_CLOSES),
        ("::1", Disposition.RELAY_CLOSES),
        ("0.0.0.0", Disposition.ACCEPTED),
        (_HOST, Disposition.ACCEPTED),
    ],
)
def test_a_published_port_accepts_first(to: str, bound: str, end: Disposition) -> None:
    """pasta accepts, and closes again unless somebody listens on the address that it gave the container."""
    inside = listener(bound) if bound else None
    made = with_pasta(listener("0.0.0.0", "pasta.avx2", _PUBLISHED), inside=inside)
    assert ask(made, "box", f"{to}:{_PUBLISHED}").disposition is end


@pytest.mark.parametrize(("to", "end"), [("127.0.0.1", Disposition.ACCEPTED), (_HOST, Disposition.UNKNOWN)])
def test_rules_in_the_container_are_not_those_of_its_own_connection(to: str, end: Disposition) -> None:
    """A caller on the loopback is called for from inside; any other comes in by pasta's interface: not modelled."""
    made = with_pasta(listener("0.0.0.0", "pasta", _PUBLISHED), inside=listener("0.0.0.0"))
    assert ask(changed(made, "client", firewall=firewall()), "box", f"{to}:{_PUBLISHED}").disposition is end


def test_a_published_port_by_ipv6_is_not_known() -> None:
    """What pasta does with IPv6 was not measured."""
    made = with_pasta(listener("::", "pasta", _PUBLISHED), inside=listener("0.0.0.0"))
    assert ask(made, "box", f"[::1]:{_PUBLISHED}").disposition is Disposition.UNKNOWN


def explained(made: Evidence, place: str, target: str) -> Explanation:
    """Explain what is predicted."""
    return explain(made, Attempt(made.place(place), Target.parse(target)))


def test_the_hosts_loopback_is_explained() -> None:
    """Only the host's loopback is listened on, which pasta does not dial: said of pasta, and of no other program."""
    found = explained(with_pasta(listener("127.0.0.1")), "client", f"{_NAME}:{_PORT}")
    assert found.cause is Cause.ROOTLESS_HOST_LOOPBACK
    assert "pasta, which connects there" in found.sentence
    assert found.diagnosis is not None
    assert found.diagnosis.cures[0].command == f"{_HOST}:{_PORT}"


def test_the_copy_of_the_hosts_address_is_explained() -> None:
    """The cure is the name that pasta has for the host, where it has one."""
    found = explained(with_pasta(listener("0.0.0.0")), "client", f"{_HOST}:{_PORT}")
    assert found.cause is Cause.ROOTLESS_ADDRESS
    assert found.diagnosis is not None
    assert found.diagnosis.cures[0].command == f"{_NAME}:{_PORT}"


def test_a_program_on_the_containers_loopback_is_explained() -> None:
    """Behind a published port the program that accepted is called by its name."""
    made = with_pasta(listener("0.0.0.0", "pasta.avx2", _PUBLISHED), inside=listener("127.0.0.1"))
    found = explained(made, "box", f"127.0.0.1:{_PUBLISHED}")
    assert found.cause is Cause.ROOTLESS_PORT_LOOPBACK
    assert "rootlessport" not in found.sentence


def test_a_refusal_that_nobody_answered_is_warned_of() -> None:
    """'Connection refused' is all that pasta says, so that it shows no closed port."""
    rules = firewall(Action(Act.REJECT, "icmp-host-prohibited"))
    made = changed(with_pasta(listener("0.0.0.0")), "box", firewall=rules)
    found = explained(made, "client", f"{_NAME}:{_PORT}")
    assert any("pasta hands on every failure" in one for one in found.warnings)
