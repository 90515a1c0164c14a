"""What of Podman's is behind an ending: a helper or a rule that is gone, an address of others, a published port."""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import (
    Backend,
    Chain,
    Evidence,
    Hook,
    Listener,
    Namespace,
    PastaNames,
    Protocol,
    Published,
    Ruleset,
)
from testbed.model import Outcome
from testbed.predict import Disposition, slirp
from testbed.predict.absent_helper import named
from testbed.predict.ending import NoListener, NoRoute, NotTranslated, Routed, Trail
from testbed.predict.packet import Packet
from testbed.predict.rootless import CopiedAddress, ForwarderGone, HelperGone, OutdatedCopy
from tests.unit.test_relay import ask, listener, relinked, world

_PORT = 8000
_PUBLISHED = 8080
#: RFC 5737, TEST-NET-3.
_HOST = "203.0.113.10"
#: What host.containers.internal is with Podman 5.3 and pasta (podman-run(1), --network pasta).
_MAPPED = "169.254.1.2"
PACKET = Packet(ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2"), "tcp", None, _PORT)


def without(evidence: Evidence, key: str, name: str) -> Evidence:
    """The same picture without an interface, its addresses and routes."""
    there = evidence.namespaces[key]
    index = next(link.index for link in there.links if link.name == name)
    bare = replace(
        there,
        links=tuple(link for link in there.links if link.index != index),
        addresses=tuple(row for row in there.addresses if row.link != index),
        routes=tuple(route for route in there.routes if route.link != index),
    )
    return replace(evidence, namespaces={**evidence.namespaces, key: bare})


@pytest.mark.parametrize(("holder", "program"), [("slirp4netns", "slirp4netns"), ("pasta", "pasta")])
def test_a_network_whose_program_has_ended(holder: str, program: str) -> None:
    """The interface goes with its program, and then there is no route: the mode says whose it was."""
    made = ask(without(world(holder=holder), "client", "tap0"), "client", f"{_HOST}:{_PORT}")
    assert (made.outcome, type(made.ending)) == (Outcome.NETWORK_UNREACHABLE, HelperGone)
    assert f"its {program} has ended" in made.why


def test_a_bridge_whose_program_has_ended() -> None:
    """The rootless-netns had the interface: which program's is known by Podman's version."""
    lone = without(world(), "client", "tap0")
    (facts,) = lone.hosts
    bridged = replace(lone.containers[0], mode="bridge", namespace=None)
    for version, program in (("4.3.1", "slirp4netns"), ("5.4.2", "pasta"), ("", "")):
        known = replace(facts, rootless_namespace="client", podman=version)
        made = named(
            replace(lone, hosts=(known,), containers=(bridged,)),
            NoRoute(Trail(lone.namespaces["client"], PACKET), Routed.FORWARDED),
        )
        assert getattr(made, "program", "") == program


def test_a_namespace_that_never_had_a_program_has_lost_none() -> None:
    """A container without a network is not told that a program has ended."""
    made = without(world(holder="none"), "client", "tap0")
    assert type(ask(made, "client", f"{_HOST}:{_PORT}").ending) is NoRoute


@pytest.mark.parametrize(
    ("mode", "program"), [("slirp4netns", "rootlessport"), ("pasta:-T,80", "pasta"), ("bridge", "rootlessport")]
)
def test_a_published_port_whose_program_has_ended(mode: str, program: str) -> None:
    """A running container publishes the port, and no socket is on it: the program that took it has ended."""
    made = published(world(), mode)
    ended = ask(made, "box", f"127.0.0.1:{_PUBLISHED}")
    assert (ended.outcome, type(ended.ending)) == (Outcome.REFUSED, ForwarderGone)
    assert isinstance(ended.ending, ForwarderGone)
    assert ended.ending.program == program
    assert type(ask(made, "box", f"127.0.0.1:{_PUBLISHED + 1}").ending) is NoListener


def test_slirps_own_port_handler_ends_with_its_network() -> None:
    """Where the interface is gone too, it was slirp4netns that listened."""
    ended = ask(without(published(world(), "slirp4netns"), "client", "tap0"), "box", f"127.0.0.1:{_PUBLISHED}")
    assert isinstance(ended.ending, ForwarderGone)
    assert ended.ending.program == "slirp4netns"


def test_a_port_that_somebody_listens_on_has_not_lost_its_program() -> None:
    """The wrong address is dialled: the program is there."""
    made = published(world(listener("203.0.113.10", "rootlessport", _PUBLISHED)), "slirp4netns")
    assert type(ask(made, "box", f"127.0.0.1:{_PUBLISHED}").ending) is NoListener


def published(evidence: Evidence, mode: str, *, protocol: str = "tcp", bound: str = "") -> Evidence:
    """The same picture whose ``client`` publishes a port."""
    client, *others = evidence.containers
    publishing = replace(client, mode=mode, published=(Published(protocol, 80, _PUBLISHED, bound),))
    return replace(evidence, containers=(publishing, *others))


@pytest.mark.parametrize(("inside", "kind"), [(f"{_HOST}/27", CopiedAddress), ("203.0.113.9/27", NoListener)])
def test_an_address_that_is_the_hosts_and_pastas_copy(inside: str, kind: type) -> None:
    """Where both have it the ending says so; one that only the container has is just its own."""
    made = world(listener("127.0.0.1"), holder="pasta", inside=inside, gateway="203.0.113.1")
    ended = ask(made, "client", f"{inside.partition('/')[0]}:{_PORT}")
    assert (ended.outcome, type(ended.ending)) == (Outcome.REFUSED, kind)


@pytest.mark.parametrize(("copied", "kind"), [("203.0.113.11/27", OutdatedCopy), (f"{_HOST}/27", NoListener)])
def test_the_hosts_name_is_an_address_that_it_has_no_more(copied: str, kind: type) -> None:
    """pasta goes on calling the address that it copied, and hears that nobody has it."""
    made = world(holder="pasta", inside=copied, gateway="203.0.113.1", name=_MAPPED)
    made = relinked(made, "client", "tap0", pasta=PastaNames(host=ipaddress.ip_address(_MAPPED)))
    made = relinked(made, "box", "lan", kind="bridge")  # a segment that is whole in the picture, and empty
    ended = ask(made, "client", f"host.containers.internal:{_PORT}")
    assert (ended.outcome, type(ended.ending)) == (Outcome.REFUSED, kind)


# --- published ports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["rootlessport", "slirp4netns"])
@pytest.mark.parametrize(
    ("bound", "outcome"), [("0.0.0.0", Outcome.CONNECTED), ("127.0.0.1", Outcome.CLOSED), ("", Outcome.CLOSED)]
)
def test_a_published_port_and_who_listens_behind(program: str, bound: str, outcome: Outcome) -> None:
    """slirp4netns's own port handler accepts and closes as rootlessport does."""
    made = published(world(listener("0.0.0.0", program, _PUBLISHED)), "slirp4netns")
    made = listening(made, "client", [listener(bound, port=80)] if bound else [])
    assert ask(made, "box", f"http://127.0.0.1:{_PUBLISHED}").outcome is outcome


@pytest.mark.parametrize(("bound", "outcome"), [("0.0.0.0", Outcome.CONNECTED), ("127.0.0.1", Outcome.NO_ANSWER)])
def test_a_published_port_of_udp(bound: str, outcome: Outcome) -> None:
    """rootlessport hands datagrams on, and is silent where nobody takes them in the container."""
    made = published(world(datagrams("0.0.0.0", "rootlessport", _PUBLISHED)), "slirp4netns", protocol="udp")
    made = listening(made, "client", [datagrams(bound, port=80)])
    assert ask(made, "box", f"udp://127.0.0.1:{_PUBLISHED}").outcome is outcome


@pytest.mark.parametrize(("source", "known"), [("127.0.0.1", False), (_HOST, True)])
def test_a_datagram_by_slirps_own_port_handler(source: str, known: bool) -> None:
    """It loses the answers to the host's loopback (measured): what becomes of those datagrams is not said."""
    made = published(world(datagrams("0.0.0.0", "slirp4netns", _PUBLISHED)), "slirp4netns", protocol="udp")
    made = listening(made, "client", [datagrams("0.0.0.0", port=80)])
    assert (ask(made, "box", f"udp://{source}:{_PUBLISHED}").outcome is Outcome.CONNECTED) is known


def test_the_containers_own_firewall_is_not_passed_by_lo() -> None:
    """slirp4netns sends packets in by the interface, so that a rule for that one counts, and lo's does not."""
    made = published(world(listener("0.0.0.0", "slirp4netns", _PUBLISHED)), "slirp4netns")
    made = listening(made, "client", [listener("0.0.0.0", port=80)])
    there = made.namespaces["client"]
    chain = Chain(Backend.NFTABLES, "ip", "filter", "INPUT", hook=Hook.INPUT, kind="filter")
    ruled = replace(there, firewall=Ruleset((chain,)))
    made = replace(made, namespaces={**made.namespaces, "client": ruled})
    assert ask(made, "box", f"127.0.0.1:{_PUBLISHED}").disposition is Disposition.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "number", "heard"),
    [
        (NoListener, errno.ECONNREFUSED, errno.ECONNREFUSED),
        (NoListener, errno.EHOSTUNREACH, errno.EHOSTUNREACH),
        (NoListener, errno.EACCES, errno.ENETUNREACH),
    ],
)
def test_an_error_of_a_datagram_is_handed_on_by_icmp(kind: type[NoListener], number: int, heard: int) -> None:
    """Of UDP slirp4netns makes an ICMP error of each error: "network unreachable" of those that have none."""
    onward = kind(Trail(Namespace("far", "far"), PACKET), errno=number)
    assert slirp.handed_on(onward, "box", Protocol.UDP).errno == heard


def datagrams(address: str, name: str = "app", port: int = _PORT) -> Listener:
    """A UDP socket of a process."""
    return replace(listener(address, name, port), protocol=Protocol.UDP)


def listening(evidence: Evidence, key: str, listeners: list[Listener]) -> Evidence:
    """The same picture with these listeners in a namespace."""
    there = replace(evidence.namespaces[key], listeners=tuple(listeners))
    return replace(evidence, namespaces={**evidence.namespaces, key: there})


# --- a published port of a rootful container --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "dialled", "kind"),
    [
        ("", f"127.0.0.1:{_PUBLISHED}", NotTranslated),
        (_HOST, f"{_HOST}:{_PUBLISHED}", NotTranslated),
        (_HOST, f"127.0.0.1:{_PUBLISHED}", NoListener),
        ("", f"[::1]:{_PUBLISHED}", NoListener),
        ("", f"127.0.0.1:{_PUBLISHED + 1}", NoListener),
    ],
    ids=["every address", "that address", "another address", "IPv6", "another port"],
)
def test_a_published_port_that_no_rule_rewrites_and_nobody_holds(bound: str, dialled: str, kind: type) -> None:
    """It is the rules that are missing, for what the container has a rule for: not a program on the host."""
    made = published(world(), "bridge", bound=bound)
    attached = replace(made.containers[0], attachments=made.containers[1].attachments)
    rootful = replace(made, containers=(attached,), hosts=(replace(made.hosts[0], rootless=False),))
    assert type(ask(rootful, "box", dialled).ending) is kind
