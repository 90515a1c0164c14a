"""Rootless Podman's programs in a prediction and an explanation, on declared pictures: what no lab here can show."""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import (
    Attachment,
    Attempt,
    Container,
    Evidence,
    HostFacts,
    Listener,
    Names,
    Network,
    Process,
    Protocol,
    Published,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Explanation
from testbed.hosts_file import HostsFile
from testbed.model import Observation, Outcome, Phase, Target
from testbed.predict import Disposition, Prediction, predict
from testbed.predict.rootless import InsideSubnet
from tests.unit.predicted import place

_PORT = 8000
_PUBLISHED = 8080
#: RFC 5737, TEST-NET-3.
_HOST = "203.0.113.10"
#: What host.containers.internal is with Podman 5.3 and pasta (podman-run(1), --network pasta).
_MAPPED = "169.254.1.2"
_NETWORK = Network(
    "podman",
    "box",
    "bridge",
    "podman0",
    (ipaddress.ip_network("10.88.0.0/16"),),
    (ipaddress.ip_address("10.88.0.1"),),
)


def listener(address: str, name: str = "app", port: int = _PORT) -> Listener:
    """A TCP listener of a process."""
    return Listener(Protocol.TCP, ipaddress.ip_address(address), port, backlog=5, process=Process(7, name))


def world(
    *listening: Listener,
    holder: str = "slirp4netns",
    inside: str = "10.0.2.100/24",
    gateway: str = "10.0.2.2",
    name: str = _HOST,
    opened: bool | None = False,
    published: tuple[Published, ...] = (),
) -> Evidence:
    """A host with a way out, and a rootless container ``client`` on the default network.

    :param holder: the program that moves the container's packets
    :param inside: the container's own address
    :param name: what host.containers.internal is in the container
    """
    outside = ipaddress.ip_interface(f"{_HOST}/27")
    stacks = (
        Stack("box", (Seat("lan", outside),), ipaddress.ip_address("203.0.113.1"), listeners=listening),
        Stack("client", (Seat("tap0", ipaddress.ip_interface(inside)),), ipaddress.ip_address(gateway)),
    )
    names = Names(HostsFile.parse(f"{name} host.containers.internal\n"))
    web = Container(
        "2" * 12,
        "web",
        "box",
        "running",
        "bridge",
        attachments=(Attachment("podman", (ipaddress.ip_address("10.88.0.5"),)),),
        published=published,
    )
    client = Container("1" * 12, "client", "box", "running", holder, namespace="client", names=names)
    facts = HostFacts("box", "box", "box", Names(HostsFile({})), rootless=True)
    made = picture(stacks, [facts], [client, web], [_NETWORK])
    taps = {"kind": "tun", "holder": holder, "host_loopback": opened}
    made = relinked(made, "client", "tap0", **taps)
    return relinked(made, "box", "lan", kind="")  # a real card: who is beyond it is not in the picture


def relinked(evidence: Evidence, key: str, name: str, **changes: object) -> Evidence:
    """The same picture with another interface in the place of one."""
    there = evidence.namespaces[key]
    links = tuple(
        replace(link, **changes) if link.name == name else link  # type: ignore[arg-type]
        for link in there.links
    )
    return replace(evidence, namespaces={**evidence.namespaces, key: replace(there, links=links)})


def ask(evidence: Evidence, place: str, target: str) -> Prediction:
    """Predict one attempt."""
    return predict(evidence, Attempt(evidence.place(place), Target.parse(target)))


def told(evidence: Evidence, place: str, target: str, outcome: Outcome) -> Explanation:
    """Explain an attempt that was seen to end so while connecting."""
    seen = Observation(place, target, outcome, Phase.CONNECT, None, "", 0.1, "")
    return explain(evidence, Attempt(evidence.place(place), Target.parse(target)), seen)


def test_slirp_connects_from_the_host() -> None:
    """What leaves by a tap of slirp4netns's is a connection of the host's own, to a listener there."""
    made = ask(world(listener("0.0.0.0")), "client", f"host.containers.internal:{_PORT}")
    assert (made.outcome, place(made)) == (Outcome.CONNECTED, "box")


@pytest.mark.parametrize(
    ("opened", "outcome"),
    [(True, Outcome.CONNECTED), (False, Outcome.NETWORK_UNREACHABLE), (None, Outcome.INCONCLUSIVE)],
)
def test_the_hosts_loopback_by_slirps_name(opened: bool | None, outcome: Outcome) -> None:
    """10.0.2.2 is the host's loopback where it was opened; where that is not known, nothing is said."""
    made = ask(world(listener("127.0.0.1"), opened=opened), "client", f"10.0.2.2:{_PORT}")
    assert made.outcome is outcome


def test_another_address_in_slirps_subnet_is_nobodys() -> None:
    """slirp4netns answers ARP for its own names only: a LAN with those addresses is out of reach, whoever is there."""
    made = ask(world(listener("0.0.0.0")), "client", f"10.0.2.77:{_PORT}")
    assert (made.outcome, made.errno) == (Outcome.HOST_UNREACHABLE, errno.EHOSTUNREACH)
    assert isinstance(made.ending, InsideSubnet)
    assert str(made.ending.subnet) == "10.0.2.0/24"


def test_another_port_of_slirps_resolver_is_not_known() -> None:
    """What slirp4netns does with other ports of its resolver's address is not modelled."""
    assert ask(world(listener("0.0.0.0")), "client", f"10.0.2.3:{_PORT}").disposition is Disposition.UNKNOWN


def test_a_host_that_is_not_in_the_picture_decides_nothing() -> None:
    """Without the host's namespace the connection is last seen at the tap."""
    made = world(listener("0.0.0.0"))
    alone = replace(made, namespaces={"client": made.namespaces["client"]})
    assert ask(alone, "client", f"{_HOST}:{_PORT}").disposition is Disposition.LEFT


@pytest.mark.parametrize("name", ["rootlessport", "slirp4netns", "pasta.avx2"])
def test_a_published_port_whose_container_is_not_seen_decides_nothing(name: str) -> None:
    """Whoever listens for it accepts, and what is behind is not in the picture, or not modelled."""
    published = (Published("tcp", 80, _PUBLISHED, ""),)
    made = ask(world(listener("0.0.0.0", name, _PUBLISHED), published=published), "box", f"127.0.0.1:{_PUBLISHED}")
    assert (made.outcome, made.disposition) == (Outcome.INCONCLUSIVE, Disposition.UNKNOWN)


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
def test_a_pasta_whose_options_are_not_known_decides_nothing(bound: str) -> None:
    """Nobody can say where it takes the host's name to, so that no change is predicted to help."""
    made = world(listener(bound), holder="pasta", inside="198.51.100.7/24", gateway="198.51.100.1", name=_MAPPED)
    found = told(made, "client", f"host.containers.internal:{_PORT}", Outcome.REFUSED)
    assert found.verdict is Conclusion.CANNOT_TELL


@pytest.mark.parametrize("bound", [_HOST, "127.0.0.1"])
def test_the_hosts_address_is_pastas_container_itself(bound: str) -> None:
    """pasta gives the container the host's address: what is sent there stays inside, where nobody listens."""
    made = world(listener(bound), holder="pasta", inside=f"{_HOST}/27", gateway="203.0.113.1")
    seen = Observation("client", "", Outcome.REFUSED, Phase.CONNECT, 111, "", 0.1, "")
    found = explain(made, Attempt(made.place("client"), Target.parse(f"{_HOST}:{_PORT}")), seen)
    assert found.cause is Cause.ROOTLESS_ADDRESS


@pytest.mark.parametrize("place", ["box", "client"])
def test_a_rootless_gateway_from_a_host_with_a_way_out(place: str) -> None:
    """The packet leaves by the host's default route and is lost: the address is one of the rootless network's."""
    found = told(world(listener("0.0.0.0")), place, f"10.88.0.1:{_PORT}", Outcome.TIMED_OUT)
    assert (found.verdict, found.cause) == (Conclusion.EXPLAINED, Cause.ROOTLESS_ADDRESS)


def test_an_address_of_the_subnet_that_nobody_has_is_not_explained_so() -> None:
    """It may be meant for somebody beyond the router."""
    assert told(world(), "box", f"10.88.7.7:{_PORT}", Outcome.TIMED_OUT).verdict is Conclusion.CANNOT_TELL


def test_a_container_that_is_gone_meanwhile_is_asked_after() -> None:
    """Podman called it running and its namespace could not be seen: no cause is named, and what to look at is said."""
    made = world()
    gone = replace(made, containers=tuple(replace(one, namespace=None) for one in made.containers))
    found = explain(gone, Attempt(gone.place("client"), Target.parse(f"{_HOST}:{_PORT}")))
    assert found.verdict is Conclusion.CANNOT_TELL
    assert "podman ps" in found.decide
