"""What a person calls a host or container is resolved to one of them, or refused with words that are not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from testbed.errors import UsageError
from testbed.evidence import Attempt, Container, Evidence, HostFacts, Listener, Names, Place, Protocol, Published
from testbed.evidence.declared import Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.hosts_file import HostsFile
from testbed.model import Address, Outcome, Target
from testbed.predict import predict

NAMES: Final = Names(HostsFile({}))
#: Ids as Podman gives them: 64 digits of which twelve are shown.
WEB: Final = "6d9070d16dba" + 52 * "0"
OTHER_WEB: Final = "0123456789ab" + 52 * "0"


def host(key: str, name: str, lab: str = "", namespace: str = "") -> HostFacts:
    """A host with a namespace of its own, unless said otherwise."""
    return HostFacts(key, name, namespace or f"net:[{key}]", NAMES, lab=lab)


def container(name: str, on: HostFacts, container_id: str = "") -> Container:
    """One that runs on a host."""
    return Container(
        container_id or f"{name}-on-{on.key}", name, on.key, "running", "bridge", namespace=f"{name}@{on.key}"
    )


def seen(hosts: Sequence[HostFacts], containers: Sequence[Container] = ()) -> Evidence:
    """A picture of these, whose namespaces have no more than a loopback."""
    stacks = [
        Stack(key) for key in dict.fromkeys([*(h.namespace for h in hosts), *(str(c.namespace) for c in containers)])
    ]
    return picture(stacks, hosts, containers)


def refusal(evidence: Evidence, text: str) -> str:
    """What is said of a name that is not one place's."""
    with pytest.raises(UsageError) as caught:
        evidence.place(text)
    said = str(caught.value)
    assert "\n" not in said
    return said


A, B = host("1", "laptop", "a"), host("2", "laptop", "b")
FAR = host("3", "far", "a")
#: Two labs of one scenario; the first has another host and two containers that begin alike.
LABS: Final = seen(
    [A, FAR, B],
    [container("web", A, WEB), container("web2", A), container("web", B, OTHER_WEB), container("proxy", FAR)],
)


@pytest.mark.parametrize(
    ("text", "key", "name"),
    [
        pytest.param("proxy", "3", "proxy", id="a name that one has"),
        pytest.param("prox", "3", "proxy", id="its first letters"),
        pytest.param(WEB, "1", "web", id="an id"),
        pytest.param(WEB[:12], "1", "web", id="an id as podman ps prints it"),
        pytest.param("01", "2", "web", id="the first letters of an id"),
        pytest.param("a/web", "1", "web", id="in a lab, where another name only begins so"),
        pytest.param("b/web", "2", "web", id="in the other lab"),
        pytest.param("b/w", "2", "web", id="first letters in a lab"),
        pytest.param("far/proxy", "3", "proxy", id="on a host"),
        pytest.param("a/far/proxy", "3", "proxy", id="on a host of a lab"),
        pytest.param("far", "3", "far", id="a host"),
        pytest.param("a/laptop", "1", "laptop", id="a host of a lab"),
        pytest.param("b/host", "2", "laptop", id="the one host of a lab"),
        pytest.param("far/host", "3", "far", id="a host by the word for it"),
        pytest.param("net:[2]", "2", "laptop", id="a host by its network namespace"),
    ],
)
def test_what_one_place_is_called_is_that_place(text: str, key: str, name: str) -> None:
    """The host is told by its key: its name is another one's too."""
    found = LABS.place(text)
    assert (found.host.key, found.name) == (key, name)


@pytest.mark.parametrize(
    ("text", "among"),
    [
        pytest.param("web", ["a/web", "b/web"], id="a container of two labs"),
        pytest.param("laptop", ["a/laptop", "b/laptop"], id="a host of two labs"),
        pytest.param("host", ["a/laptop", "far", "b/laptop"], id="the word for several hosts"),
        pytest.param("a/host", ["a/laptop", "far"], id="the word for several hosts of a lab"),
        pytest.param("we", ["a/web", "web2", "b/web"], id="first letters of several"),
    ],
)
def test_what_several_are_called_is_refused_with_words_that_are_not(text: str, among: list[str]) -> None:
    """One line names each, and whoever types one of its names gets there."""
    assert refusal(LABS, text) == f"{text!r} may be any of {', '.join(among)}: give one of these"
    found = [LABS.place(word) for word in among]
    assert len({(place.host.key, place.name) for place in found}) == len(among)


@pytest.mark.parametrize("text", ["nobody", "", "c/web", "/web", "a/b/web", "a/far/web", "a/laptop/web/x", "a/"])
def test_what_nothing_is_called_is_answered_with_what_there_is(text: str) -> None:
    """One line, in which each is called so that it can be typed."""
    known = "a/web, web2, b/web, proxy, a/laptop, far, b/laptop"
    assert refusal(LABS, text) == f"there is no container or host {text!r} here; there are: {known}"


def test_every_place_can_be_called_by_what_it_is_called() -> None:
    """Whatever names they share, each place is found by the words that the picture has for it."""
    machine = host("4", "web", namespace="net:[4]")
    nested = host("5", "web", namespace="net:[5]")
    picture_ = seen(
        [*LABS.hosts, machine, nested],
        [*LABS.containers, container("web", machine, "f" * 64), container("host", machine, "e" * 64)],
    )
    for place in picture_.places():
        assert picture_.place(picture_.spelled(place)) == place


def test_a_container_goes_before_a_host_of_its_name() -> None:
    """The host is to be had by the word for it."""
    machine = host("1", "web")
    both = seen([machine], [container("web", machine)])
    assert both.place("web").container is not None
    assert [both.place(word) for word in ("web/host", "host")] == [Place(machine), Place(machine)]
    assert both.spelled(Place(machine)) == "web/host"


def test_the_podmans_of_one_machine_are_one_host_to_start_from() -> None:
    """The rootful and the rootless one share its network namespace: its name, and the word for it, mean that one."""
    rootful, rootless = host("net/uid:0", "box", namespace="net"), host("net/uid:1000", "box", namespace="net")
    both = seen([rootful, rootless], [container("web", rootful, WEB), container("web", rootless, OTHER_WEB)])
    assert [both.place(word).host for word in ("box", "host")] == [rootful, rootful]
    assert refusal(both, "web") == "'web' may be any of 6d9070d16dba, 0123456789ab: give one of these"
    assert [both.place(word).host for word in ("6d9070d16dba", "0123456789ab")] == [rootful, rootless]


# What names once broke


def loopback(port: int) -> Listener:
    """Listens on 127.0.0.1."""
    return Listener(Protocol.TCP, ipaddress.ip_address("127.0.0.1"), port)


@pytest.mark.parametrize(("text", "outcome"), [(WEB, Outcome.CONNECTED), (OTHER_WEB, Outcome.REFUSED)])
def test_a_container_that_is_given_by_its_id_is_explained(text: str, outcome: Outcome) -> None:
    """Another host has a container of the same name, and what is said is of the one that was meant."""
    namespace = LABS.namespaces["web@1"]
    evidence = replace(LABS, namespaces={**LABS.namespaces, "web@1": replace(namespace, listeners=(loopback(80),))})
    told = explain(evidence, Attempt(evidence.place(text), Target.parse("127.0.0.1:80")))
    assert told.prediction is not None
    assert told.prediction.outcome is outcome


def resolving(key: str, lab: str, address: str) -> HostFacts:
    """A host whose own resolver has an address for ``db``."""
    zone: dict[str, tuple[Address, ...]] = {"db": (ipaddress.ip_address(address),)}
    names = Names(HostsFile({}), (ipaddress.ip_address("127.0.0.53"),))
    return replace(host(key, "laptop", lab), names=names, zone=zone)


def test_of_two_hosts_of_one_name_each_asks_its_own_resolver() -> None:
    """What a name means is looked up at the host that was meant, and not at the first of its name."""
    hosts = [resolving("1", "a", "127.0.0.11"), resolving("2", "b", "127.0.0.22")]
    server = Listener(Protocol.UDP, ipaddress.ip_address("127.0.0.53"), 53)
    both = picture([Stack(h.namespace, listeners=(server,)) for h in hosts], hosts)
    found = [predict(both, Attempt(Place(h), Target.parse("db:80"))).address for h in hosts]
    assert list(map(str, found)) == ["127.0.0.11", "127.0.0.22"]


def test_a_published_port_is_that_of_a_container_of_that_very_host() -> None:
    """The host of the same name in the other lab publishes nothing: nobody listens is all that is to be said of it."""
    stopped = replace(container("db", A), state="exited", namespace=None, published=(Published("tcp", 80, 8080, ""),))
    both = seen([A, B], [stopped])
    target = Target.parse("127.0.0.1:8080")
    causes = [explain(both, Attempt(both.place(text), target)).cause for text in ("a/laptop", "b/laptop")]
    assert causes == [Cause.NOT_RUNNING, Cause.NOBODY_LISTENS]


# --- pods -------------------------------------------------------------------------------------------------------------

#: A pod of two, as Podman lists it: the infra container has a name that nobody types.
POD_HOST: Final = host("9", "box")
INFRA: Final = replace(container("58994342da15-infra", POD_HOST, WEB), pod="group", infra=True)
MEMBER: Final = replace(
    container("web", POD_HOST, OTHER_WEB), pod="group", mode=f"container:{WEB}", namespace=INFRA.namespace
)


def test_a_pod_is_the_place_of_its_infra_container() -> None:
    """The pod's network is its infra container's; each is found by its own name, and spoken of by the pod's."""
    picture = seen([POD_HOST], [INFRA, MEMBER])
    assert [picture.place(word).container for word in ("group", INFRA.name, "web")] == [INFRA, INFRA, MEMBER]
    assert (picture.place(INFRA.name).name, picture.spelled(picture.place(INFRA.name))) == ("group", "group")


def test_pods_of_one_name_on_two_hosts_are_told_apart() -> None:
    """Each is named as it can be typed."""
    other = host("8", "far")
    twin = replace(container("0a0b-infra", other), pod="group", infra=True)
    picture = seen([POD_HOST, other], [INFRA, twin])
    assert "box/group, far/group" in refusal(picture, "group")
    assert picture.place("far/group").container == twin
