"""What is predicted of a network of Podman's that has lost a part of it is what the kernel does."""

from __future__ import annotations

import pytest

from testbed.evidence import Evidence
from testbed.explain.codes import Cause
from testbed.explain.explanation import Explanation
from testbed.model import Outcome
from testbed.waiting import wait_for
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

PUBLISHED = 8080
TWO = "10.89.5.3"


@pytest.fixture
def network(stage: Stage) -> Stage:
    """``one`` and ``two`` are on a network with DNS; ``two`` listens, and publishes its port."""
    stage.podman("network", "create", "--subnet=10.89.5.0/24", "app")
    stage.container("one", network="app")
    stage.container("two", f"--publish={PUBLISHED}:{PORT}", network="app")
    stage.listen("two")
    return stage


def seen(stage: Stage, place: str, target: str) -> tuple[Explanation, Evidence]:
    """What was seen of an attempt, which was predicted. Asking in vain who has an address takes three seconds."""
    told = stage.why(place, target, seconds=4.5)
    predicted, observed = told.explanation.prediction, told.explanation.observation
    assert predicted is not None
    assert observed is not None
    assert (predicted.outcome, predicted.errno) == (observed.outcome, observed.errno), predicted.why
    return told.explanation, told.evidence


def outcome(stage: Stage, place: str, target: str) -> Outcome:
    """The outcome that was predicted and seen."""
    observed = seen(stage, place, target)[0].observation
    assert observed is not None
    return observed.outcome


BY_NAME, BY_ADDRESS = f"http://two:{PORT}/", f"http://{TWO}:{PORT}/"
FROM_HOST = f"http://127.0.0.1:{PUBLISHED}/"
WHOLE = dict.fromkeys([("one", BY_NAME), ("one", BY_ADDRESS), (HOST, BY_ADDRESS), (HOST, FROM_HOST)], Outcome.CONNECTED)


@pytest.mark.parametrize(
    ("deed", "changed"),
    [
        (
            "ip link del podman1",
            {
                ("one", BY_NAME): Outcome.RESOLVER_FAILED,
                ("one", BY_ADDRESS): Outcome.HOST_UNREACHABLE,
                (HOST, BY_ADDRESS): Outcome.NETWORK_UNREACHABLE,
                (HOST, FROM_HOST): Outcome.TIMED_OUT,
            },
        ),
        (
            "ip address flush dev podman1",
            {
                ("one", BY_NAME): Outcome.RESOLVER_FAILED,
                (HOST, BY_ADDRESS): Outcome.NETWORK_UNREACHABLE,
                (HOST, FROM_HOST): Outcome.TIMED_OUT,
            },
        ),
        ("kill -9 $(pgrep -x aardvark-dns)", {("one", BY_NAME): Outcome.NAME_NOT_FOUND}),
        ("iptables -t nat -F", {(HOST, FROM_HOST): Outcome.TIMED_OUT}),
    ],
    ids=["bridge", "its address", "resolver", "rules"],
)
def test_a_network_that_has_lost_a_part(network: Stage, deed: str, changed: dict[tuple[str, str], Outcome]) -> None:
    """Whole it connects in each way; afterwards those ways fail that need what is gone."""
    assert {way: outcome(network, *way) for way in WHOLE} == WHOLE
    network.run(deed)
    network.run("ip neighbour flush all", on="one")  # else it sends to who was there for five seconds (arp(7))
    assert {way: outcome(network, *way) for way in WHOLE} == {**WHOLE, **changed}


def test_the_picture_has_a_network_without_its_bridge(network: Stage) -> None:
    """Podman goes on telling of the network, and the host has no such interface."""
    network.run("ip link del podman1")
    _, evidence = seen(network, HOST, BY_ADDRESS)
    (app,) = [one for one in evidence.networks if one.name == "app"]
    host = evidence.namespaces[evidence.place(HOST).host.namespace]
    assert app.bridge == "podman1"
    assert app.bridge not in {link.name for link in host.links}


@pytest.mark.parametrize(("place", "host"), [(HOST, "127.0.0.1"), (NEIGHBOUR, HOST_LAN)])
def test_a_published_port_without_its_rules_and_without_conmon(network: Stage, place: str, host: str) -> None:
    """The port is refused as if nothing were there; it is the rules that are missing, and writing them anew cures."""
    network.run("iptables -t nat -F")
    held, _ = seen(network, place, f"http://{host}:{PUBLISHED}/")
    network.run("kill -9 $(ss -Hltnp 'sport = :8080' | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u)")
    wait_for(lambda: not network.run("ss -Hltn 'sport = :8080'"), f"conmon to let port {PUBLISHED} go")
    refused, _ = seen(network, place, f"http://{host}:{PUBLISHED}/")
    network.podman("network", "reload", "--all")
    cured, _ = seen(network, place, f"http://{host}:{PUBLISHED}/")
    assert [told.cause for told in (held, refused, cured)] == [Cause.PUBLISHED_NO_RULE, Cause.PUBLISHED_NO_RULE, None]
    assert [told.observation and told.observation.outcome for told in (held, refused)] == [
        Outcome.TIMED_OUT,
        Outcome.REFUSED,
    ]
