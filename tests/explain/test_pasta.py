"""What is predicted of a rootless network by pasta is what the kernel and pasta do; empty where Podman has another."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from testbed.explain.explanation import Conclusion
from testbed.images import ImageStore
from testbed.model import Observation, Outcome
from testbed.predict import Disposition, StepKind
from tests.explain.predicted import as_predicted
from tests.unit.predicted import question
from truth.faults.pasta import SHOWN, with_pasta
from truth.faults.rootless import Rootless
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

#: An address that no host here has (RFC 5737, TEST-NET-1), and one of the LAN's.
ELSEWHERE = "192.0.2.1"
NOBODYS = "203.0.113.25"
#: A further address of the host, which pasta does not copy (RFC 5737, TEST-NET-2).
FURTHER = "198.51.100.1"
NAME = "host.containers.internal"
#: What ``opened`` calls the host's loopback; a link-local address (RFC 3927).
OPENED = "169.254.1.9"
PLACES = ["default", "bridged"]
WEB, WEB_ON_LAN = 8080, 8081


@pytest.fixture(scope="module")
def mine(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Rootless]:
    """Containers ``default``, ``bridged``, ``opened`` to the host's loopback, and ``web``, which publishes a port.

    The host has a further address, and listens on port 8000 of both, on 8001 of its loopback, and on 8002 of all.
    """
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage, with_pasta(stage) as mine:
        mine.container("default")
        mine.container("bridged", "--network=podman")
        mine.container("opened", f"--network=pasta:--map-host-loopback={OPENED}")
        mine.container("web", f"--publish={WEB}:{PORT}", f"--publish={HOST_LAN}:{WEB_ON_LAN}:{PORT}")
        stage.run(f"ip address add {FURTHER}/32 dev lo")
        stage.listen(NEIGHBOUR)
        stage.listen(HOST, HOST_LAN, PORT)
        stage.listen(HOST, FURTHER, PORT)
        stage.listen(HOST, "127.0.0.1", PORT + 1)
        stage.listen(HOST, "0.0.0.0", PORT + 2)
        yield mine


def seen(mine: Rootless, place: str, target: str, *, seconds: float = 1.5) -> Observation:
    """What is seen of an attempt, which was predicted."""
    found = as_predicted(mine, place, target, seconds=seconds).explanation.observation
    assert found is not None
    return found


@contextmanager
def undone(mine: Rootless, do: str, undo: str, *, on: str = HOST) -> Iterator[None]:
    """A command's deed for a while; nothing where it is empty."""
    if not do:
        yield
        return
    mine.stage.run(do, on=on)
    try:
        yield
    finally:
        mine.stage.run(undo, on=on)


class TestPasta:
    """Not collected where the installed Podman has another program."""

    __test__ = SHOWN

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize(
        ("rule", "outcome"),
        [
            ("", Outcome.CONNECTED),
            ("REJECT --reject-with tcp-reset", Outcome.REFUSED),
            ("REJECT --reject-with icmp-port-unreachable", Outcome.REFUSED),
            ("REJECT --reject-with icmp-host-prohibited", Outcome.REFUSED),
            ("REJECT --reject-with icmp-net-unreachable", Outcome.REFUSED),
            ("DROP", Outcome.TIMED_OUT),
        ],
    )
    @pytest.mark.parametrize(
        ("on", "address", "name"),
        [(NEIGHBOUR, NEIGHBOUR_LAN, NEIGHBOUR_LAN), (HOST, HOST_LAN, NAME)],
        ids=["a neighbour", "the host"],
    )
    def test_what_a_firewall_answers(
        self, mine: Rootless, place: str, rule: str, outcome: Outcome, on: str, address: str, name: str
    ) -> None:
        """Every answer of a firewall is a refusal to a container."""
        match = f"INPUT -p tcp -d {address} --dport {PORT} -j {rule}"
        with undone(mine, f"iptables -I {match}" if rule else "", f"iptables -D {match}", on=on):
            assert seen(mine, place, f"{name}:{PORT}").outcome is outcome

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("kind", ["unreachable", "prohibit", "blackhole"])
    def test_what_the_hosts_routes_refuse(self, mine: Rootless, place: str, kind: str) -> None:
        """What the host's own connect() refuses at once a container hears as a refusal too."""
        with undone(mine, f"ip route add {kind} {ELSEWHERE}", f"ip route del {kind} {ELSEWHERE}"):
            assert seen(mine, place, f"{ELSEWHERE}:{PORT}").errno == errno.ECONNREFUSED

    @pytest.mark.parametrize("place", PLACES)
    def test_a_host_that_has_lost_its_default_route(self, mine: Rootless, place: str) -> None:
        """The container keeps the copy of it, so that it is the host that has no way."""
        route = f"default via {NEIGHBOUR_LAN}"
        with undone(mine, f"ip route del {route}", f"ip route add {route}"):
            assert seen(mine, place, f"{ELSEWHERE}:{PORT}").errno == errno.ECONNREFUSED

    @pytest.mark.parametrize("place", PLACES)
    def test_an_address_that_nobody_has(self, mine: Rootless, place: str) -> None:
        """The host asks for it for three seconds, and the container hears a refusal."""
        assert seen(mine, place, f"{NOBODYS}:{PORT}", seconds=6.0).seconds > 2

    @pytest.mark.parametrize(
        ("place", "target", "outcome"),
        [
            *(
                (place, f"{host}:{port}", outcome)
                for place in PLACES
                for host, port, outcome in (
                    (NAME, PORT, Outcome.CONNECTED),
                    (NAME, PORT + 1, Outcome.REFUSED),
                    (NAME, PORT + 2, Outcome.CONNECTED),
                    (NAME, 9, Outcome.REFUSED),
                    (HOST_LAN, PORT, Outcome.REFUSED),
                    (FURTHER, PORT, Outcome.CONNECTED),
                    (FURTHER, PORT + 1, Outcome.REFUSED),
                    (OPENED, PORT + 1, Outcome.TIMED_OUT),
                    (NEIGHBOUR_LAN, 9, Outcome.REFUSED),
                )
            ),
            ("opened", f"{OPENED}:{PORT}", Outcome.REFUSED),
            ("opened", f"{OPENED}:{PORT + 1}", Outcome.CONNECTED),
            ("opened", f"{OPENED}:{PORT + 2}", Outcome.CONNECTED),
            ("opened", f"{NAME}:{PORT + 1}", Outcome.REFUSED),
            ("bridged", f"10.88.0.1:{PORT + 2}", Outcome.REFUSED),
        ],
    )
    def test_what_is_reached_of_the_host(self, mine: Rootless, place: str, target: str, outcome: Outcome) -> None:
        """By name the address that pasta copied, its loopback only where that was opened, and the rest as dialled."""
        assert seen(mine, place, target).outcome is outcome

    @pytest.mark.parametrize("bound", ["", "127.0.0.1", "::1", "::", "0.0.0.0", HOST_LAN])
    @pytest.mark.parametrize(
        ("place", "address", "port"),
        [
            (HOST, "127.0.0.1", WEB),
            (HOST, HOST_LAN, WEB),
            (NEIGHBOUR, HOST_LAN, WEB),
            ("default", NAME, WEB),
            ("bridged", NAME, WEB),
            ("web", NAME, WEB),
            (HOST, HOST_LAN, WEB_ON_LAN),
            ("default", NAME, WEB_ON_LAN),
        ],
    )
    def test_a_published_port_accepts_whatever_is_behind(
        self, mine: Rootless, bound: str, place: str, address: str, port: int
    ) -> None:
        """What is on the address that pasta gave the container answers; all else is accepted for, and closed."""
        listening = mine.stage.listen("web", bound) if bound else None
        try:
            told = mine.stage.why(place, f"http://{address}:{port}/").explanation
        finally:
            if listening is not None:
                mine.stage.stop(listening)
        predicted, found = told.prediction, told.observation
        assert predicted is not None
        assert found is not None
        assert any(step.kind is StepKind.RELAY for step in predicted.steps)
        if bound in ("0.0.0.0", HOST_LAN):
            assert (predicted.disposition, found.outcome, told.verdict) == (
                Disposition.ACCEPTED,
                Outcome.CONNECTED,
                Conclusion.CONNECTS,
            )
        else:
            assert predicted.disposition is Disposition.RELAY_CLOSES
            assert found.outcome in (Outcome.CLOSED, Outcome.RESET)
            assert told.verdict is Conclusion.EXPLAINED

    @pytest.mark.parametrize(
        ("place", "target"),
        [
            (HOST, f"[::1]:{WEB}"),
            (HOST, f"127.0.0.1:{WEB_ON_LAN}"),
            ("default", f"{HOST_LAN}:{WEB}"),
        ],
    )
    def test_where_pasta_does_not_listen(self, mine: Rootless, place: str, target: str) -> None:
        """A host without IPv6 has it on IPv4 alone, on the address that was named, and a copy of that not at all."""
        assert seen(mine, place, target).errno == errno.ECONNREFUSED

    @pytest.mark.parametrize("place", PLACES)
    def test_a_name_is_asked_of_the_hosts_resolver(self, mine: Rootless, place: str) -> None:
        """169.254.1.1 is pasta's way to the host's resolver, which does not know the name."""
        predicted = as_predicted(mine, place, f"nowhere.example:{PORT}").explanation.prediction
        assert predicted is not None
        assert str(question(predicted).resolver) == "169.254.1.1"

    def test_a_resolver_by_tcp(self, mine: Rootless) -> None:
        """Its port 53 is the resolver's over TCP as well."""
        assert seen(mine, "default", "169.254.1.1:53").outcome is Outcome.CONNECTED
