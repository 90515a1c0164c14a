"""What Podman would refuse is impossible in a picture too, for its reason; and what a change leaves as it was."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Final

import pytest

from testbed.change import Change, ImpossibleChangeError, apply
from testbed.change.containers import Restart, Start, Stop
from testbed.change.naming import AddHostsLine, NewWithHostsLine, RemoveHostsLine
from testbed.change.networks import Connect, Disconnect, NewOnNetwork, NewWithNetworkOf, RecreateNetwork
from testbed.change.publishing import Publish, Republish
from testbed.change.wording import command, words
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
from testbed.hosts_file import HostsFile
from testbed.model import Outcome, Target
from testbed.predict import predict

ANY: Final = ipaddress.ip_address("0.0.0.0")
LAN: Final = "203.0.113.10"
NETWORKS: Final = (
    Network(
        "podman",
        "box",
        "bridge",
        "podman0",
        (ipaddress.ip_network("10.88.0.0/16"),),
        (ipaddress.ip_address("10.88.0.1"),),
    ),
    Network(
        "one",
        "box",
        "bridge",
        "podman1",
        (ipaddress.ip_network("10.89.1.0/24"),),
        (ipaddress.ip_address("10.89.1.1"),),
        dns_enabled=True,
    ),
    Network("far", "box", "macvlan", "eth1"),
)


def container(name: str, *, network: str = "one", mode: str = "bridge", **more: object) -> Container:
    """A container that does not run, whose id is its name over and over."""
    attachments = (Attachment(network),) if mode == "bridge" else ()
    bare = Container((name * 64)[:64], name, "box", "exited", mode, attachments=attachments)
    return replace(bare, **more)  # type: ignore[arg-type] # each test knows the fields that it names


def seen(*containers: Container, rootless: bool = False, taken: tuple[int, ...] = ()) -> Evidence:
    """A host with containers, all of them started that can be, and with ports that something listens on.

    :param taken: TCP ports of the host that are taken
    """
    listeners = tuple(Listener(Protocol.TCP, ANY, port, process=Process(7, "nginx")) for port in taken)
    stack = Stack("net:[1]", (Seat("lan0", ipaddress.ip_interface(f"{LAN}/24")),), listeners=listeners)
    names = Names(HostsFile({"box": (ipaddress.ip_address("127.0.1.1"),)}))
    host = HostFacts("box", "box", "net:[1]", names, podman="4.3.1", rootless=rootless)
    return picture([stack], [host], containers, NETWORKS)


def up(evidence: Evidence, *names: str) -> Evidence:
    """The picture with some containers started."""
    for name in names:
        evidence = apply(Start("box", (name * 64)[:64]), evidence)
    return evidence


def identity(name: str) -> tuple[str, str]:
    """A container as changes name it."""
    return "box", (name * 64)[:64]


WEB: Final = container("web", published=(Published("tcp", 80, 8080, ""),))
CLIENT: Final = container("client")


@pytest.mark.parametrize(
    ("evidence", "change", "reason"),
    [
        (seen(WEB, taken=(8080,)), Start(*identity("web")), "nginx (pid 7) of net:[1] already listens on 0.0.0.0:8080"),
        (up(seen(WEB), "web"), Start(*identity("web")), "web runs already"),
        (seen(WEB), Restart(*identity("web")), "web does not run"),
        (seen(container("web", network="gone")), Start(*identity("web")), "there is no network gone"),
        (
            seen(container("web", network="far")),
            Start(*identity("web")),
            "the network far has no bridge: its driver is macvlan",
        ),
        (
            up(seen(container("a", static=(ipaddress.ip_address("10.89.1.2"),)), CLIENT), "client"),
            Start(*identity("a")),
            "its address 10.89.1.2 is client's",
        ),
        (
            seen(container("web", mode="slirp4netns")),
            Connect(*identity("web"), "one"),
            "web has the network mode slirp4netns, and only one of mode bridge can be connected",
        ),
        (up(seen(WEB), "web"), Connect(*identity("web"), "one"), "web is on one already"),
        (up(seen(WEB), "web"), Disconnect(*identity("web"), "podman"), "web is not on podman"),
        (seen(WEB), Connect(*identity("web"), "far"), "the network far is of the driver macvlan, not modelled"),
        (
            seen(WEB),
            RecreateNetwork("box", "podman", internal=True),
            "the default network podman cannot be removed",
        ),
        (
            seen(container("web", mode="host")),
            Publish(*identity("web"), Published("tcp", 80, 8080, "")),
            "web has the host's own network, where nothing is to publish",
        ),
        (
            seen(container("web", mode="container:other")),
            Publish(*identity("web"), Published("tcp", 80, 8080, "")),
            "web shares another container's network: that one publishes for it",
        ),
        (
            seen(CLIENT),
            Publish(*identity("client"), Published("tcp", 80, 8080, "192.0.2.7")),
            "net:[1] has no address 192.0.2.7 to listen on",
        ),
        (
            up(seen(WEB, CLIENT), "web", "client"),
            Publish(*identity("client"), Published("tcp", 80, 8080, "127.0.0.1")),
            "conmon (pid 0) of net:[1] already listens on 0.0.0.0:8080",
        ),
        (
            seen(container("web", mode="slirp4netns"), rootless=True),
            Publish(*identity("web"), Published("tcp", 80, 80, "")),
            "on net:[1] an ordinary user may not listen on ports below 1024",
        ),
        (
            seen(replace(WEB, pod="pod")),
            Republish(*identity("web"), WEB.published[0], Published("tcp", 81, 8080, "")),
            "web is in the pod pod, which would have to be made anew",
        ),
        (
            seen(WEB, CLIENT),
            NewWithNetworkOf(*identity("web"), identity("client")[1]),
            "web publishes ports, which one that shares a network cannot",
        ),
        (
            seen(CLIENT),
            RemoveHostsLine("box", "db", ipaddress.ip_address("192.0.2.7")),
            "the hosts file has no line 192.0.2.7 db any more",
        ),
        (
            seen(CLIENT),
            AddHostsLine("box", "box", ipaddress.ip_address("127.0.1.1")),
            "the hosts file has 127.0.1.1 for box already",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Change) else "",
)
def test_what_cannot_be_done_says_why(evidence: Evidence, change: Change, reason: str) -> None:
    """Podman, netavark or bind(2) would refuse it, and the reason is half a sentence."""
    with pytest.raises(ImpossibleChangeError, match=r".+") as refused:
        apply(change, evidence)
    assert str(refused.value) == reason


def outcome(evidence: Evidence, place: str, target: str) -> Outcome:
    """What an attempt is predicted to end with."""
    return predict(evidence, Attempt(evidence.place(place), Target.parse(target))).outcome


def test_a_port_that_is_published_leads_into_the_container() -> None:
    """Before it is refused, and afterwards it connects, on the address that it is published on and no other."""
    before = up(seen(WEB, CLIENT), "web")
    change = Publish(*identity("client"), Published("tcp", 82, 8090, LAN))
    made = apply(change, up(replace(before), "client"))
    listening = replace(
        made,
        namespaces={
            key: replace(one, listeners=(*one.listeners, Listener(Protocol.TCP, ANY, 82)))
            if one.label == "client"
            else one
            for key, one in made.namespaces.items()
        },
    )
    assert outcome(before, "box", f"tcp://{LAN}:8090") is Outcome.REFUSED
    assert outcome(listening, "box", f"tcp://{LAN}:8090") is Outcome.CONNECTED
    assert outcome(listening, "box", "tcp://127.0.0.1:8090") is Outcome.REFUSED


def test_a_container_gets_the_next_address_as_it_starts_again() -> None:
    """Podman takes the one after the last that it gave, though there is a lower one that is free."""
    before = up(seen(WEB, CLIENT, container("other")), "web", "client", "other")
    after = apply(Restart(*identity("web")), apply(Stop(*identity("client")), before))
    ((own,),) = (place.addresses for place in after.containers[0].attachments)
    assert str(own) == "10.89.1.5"


def test_another_containers_process_stays_behind() -> None:
    """What listens for a container that shares the network of one that is restarted does so in the old namespace."""
    beside = container("beside", mode=f"container:{identity('web')[1]}")
    before = up(seen(WEB, beside), "web", "beside")
    (key,) = (name for name, one in before.namespaces.items() if one.label == "web")
    theirs = Listener(Protocol.TCP, ANY, 9000, process=Process(9, "socat", "beside"))
    here = before.namespaces[key]
    both = replace(here, listeners=(*here.listeners, theirs))
    after = apply(Restart(*identity("web")), replace(before, namespaces={**before.namespaces, key: both}))
    listening = {one.label: [entry.port for entry in one.listeners] for one in after.namespaces.values()}
    assert (listening["web"], listening["beside"]) == ([80], [9000])


def test_a_made_picture_is_another_one() -> None:
    """The picture that a change is applied to is left as it was."""
    before = up(seen(WEB, CLIENT), "web")
    copy = replace(before)
    apply(Connect(*identity("client"), "podman"), before)
    apply(Restart(*identity("web")), before)
    assert before == copy


def test_the_words_and_the_command_are_the_changes_own() -> None:
    """A line in a container's hosts file takes a new container, which Podman's own record of the old one makes."""
    change = NewWithHostsLine(*identity("client"), "db", ipaddress.ip_address("192.0.2.7"))
    evidence = seen(CLIENT)
    assert words(change, evidence) == "Name 192.0.2.7 db in the hosts file of client (a new container)"
    assert "--add-host=db:192.0.2.7" in command(change, evidence)
    assert "podman rm --force client" in command(change, evidence)


def test_a_container_made_anew_on_a_network_has_no_fixed_address_there() -> None:
    """Its --ip is given up with its --network, as the command does: whoever else has that address keeps it."""
    fixed = ipaddress.ip_address("10.89.1.7")
    before = up(seen(container("web", static=(fixed,))), "web")
    assert before.containers[0].attachments[0].addresses == (fixed,)
    after = apply(NewOnNetwork(*identity("web"), "one"), before)
    web = after.containers[0]
    assert web.static == ()
    assert fixed not in web.attachments[0].addresses
