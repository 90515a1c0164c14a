"""Containers with cables, several networks, IPv6 and routes on real hosts; and what a restart brings back."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from testbed.errors import EngineError, HostError, UsageError
from testbed.host.supervisors import supervised
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.model import Outcome, family
from testbed.topology import (
    AttachmentSpec,
    CableEndSpec,
    CableSpec,
    ContainerSpec,
    HostSpec,
    NetworkSpec,
    Topology,
)
from testbed.waiting import wait_for

Image = Callable[[str], str]

#: Lists its interfaces first of all, and then only is there.
_LISTS: Final = ("sh", "-c", "echo /sys/class/net/*; exec sleep infinity")
_IDLE: Final = ("sleep", "infinity")
_ROUTES: Final = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
_PORT: Final = 8080

#: ::
#:
#:     west                                  east
#:     pc ── core ────────────────────────── edge       routers: core and edge; pc and core are of both families
#:            └── shop (also on Podman's network; known there as 10.88.0.9)
#:     tail shares core's namespace
TOPOLOGY: Final = Topology(
    hosts=(
        HostSpec("west"),
        HostSpec("east"),
        HostSpec("pc", with_engine=False, routes={"default": "192.0.2.1", "::/0": "2001:db8:1::1"}),
    ),
    cables=(
        CableSpec(
            CableEndSpec("pc", "up", "192.0.2.2/24", "2001:db8:1::2/64"),
            CableEndSpec("core", "to-pc", "192.0.2.1/24", "2001:db8:1::1/64"),
        ),
        CableSpec(
            CableEndSpec("core", "to-edge", "198.51.100.1/30", "2001:db8:2::1/64", "02:00:00:00:00:01"),
            CableEndSpec("edge", "to-core", "198.51.100.2/30", "2001:db8:2::2/64", "02:00:00:00:00:02"),
        ),
        CableSpec(CableEndSpec("core", "to-shop", "203.0.113.1/30"), CableEndSpec("shop", "to-core", "203.0.113.2/30")),
    ),
    containers=(
        ContainerSpec(
            "west",
            "core",
            "base",
            mode="none",
            command=_LISTS,
            add_capabilities=("NET_ADMIN", "NET_RAW"),
            sysctls={**_ROUTES, "net.ipv4.conf.to-edge.rp_filter": "2"},
        ),
        ContainerSpec(
            "east",
            "edge",
            "base",
            mode="none",
            command=_IDLE,
            sysctls=_ROUTES,
            routes={"192.0.2.0/24": "198.51.100.1", "2001:db8:1::/64": "2001:db8:2::1"},
        ),
        ContainerSpec(
            "west",
            "shop",
            "base",
            (AttachmentSpec("podman", "10.88.0.9"),),
            command=_IDLE,
            routes={"192.0.2.0/24": "203.0.113.1", "198.51.100.0/30": "203.0.113.1"},
            restart="always",
        ),
        ContainerSpec("west", "tail", "base", mode="container:core", command=_IDLE),
    ),
)


class Wired(Lab):
    """The lab of these tests."""

    def __init__(self, topology: Topology, store: ImageStore, image: Image) -> None:
        super().__init__(topology, images={"base": image("base")}, image_store=store.storage)

    def addresses(self, name: str, link: str) -> dict[str, str]:
        """The addresses of an interface with their prefix lengths, to the kernel's word for how far each is usable."""
        (found,) = json.loads(self.command(name, ["ip", "-json", "address", "show", "dev", link]))
        return {
            f"{one['local']}/{one['prefixlen']}": "tentative" if one.get("tentative") else "usable"
            for one in found["addr_info"]
            if one["scope"] == "global"
        }

    def routes(self, name: str) -> set[tuple[str, str]]:
        """Destination and gateway of every route that has one."""
        rows: list[dict[str, Any]] = []
        for version in ("-4", "-6"):
            rows += json.loads(self.command(name, ["ip", version, "-json", "route"]))
        return {(row["dst"], row["gateway"]) for row in rows if "gateway" in row}

    def links(self, name: str) -> set[str]:
        """The interfaces of a host or container but its loopback and a private host's own."""
        found = {link["ifname"] for link in json.loads(self.command(name, ["ip", "-json", "link"]))}
        return found - {"lo", "resolver0"}

    @contextmanager
    def listening(self, name: str, address: str) -> Iterator[None]:
        """A listener on an address of a container."""
        with self.containers[name].net.socket(family(ipaddress.ip_address(address))) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, _PORT))
            listener.listen()
            yield

    def reaches(self, name: str, to: str, address: str) -> Outcome:
        """The outcome of a TCP connection of one place to an address of a container."""
        authority = f"[{address}]" if ":" in address else address
        with self.listening(to, address):
            return self.vantage(name).connect(f"tcp://{authority}:{_PORT}").outcome


@pytest.fixture(scope="module")
def lab(testbed_session: None, testbed_image_store: ImageStore, testbed_image: Image) -> Iterator[Wired]:
    """The routers, shared; a test that restarts one leaves it running."""
    with Wired(TOPOLOGY, testbed_image_store, testbed_image) as made:
        yield made


def test_the_first_process_finds_all_its_cables(lab: Wired) -> None:
    """Cables are laid before a container's process runs: the first thing that it does is to list them."""
    said = lab.containers["core"].get_wrapped_container().logs(stream=False).decode().split("\n")[0]
    assert {path.removeprefix("/sys/class/net/") for path in said.split()} >= {"lo", "to-pc", "to-edge", "to-shop"}


def test_each_end_has_its_addresses_at_once(lab: Wired) -> None:
    """IPv4 and IPv6 addresses of both ends are there, and none is tentative (RFC 4862)."""
    assert lab.addresses("core", "to-pc") == {"192.0.2.1/24": "usable", "2001:db8:1::1/64": "usable"}
    assert lab.addresses("pc", "up") == {"192.0.2.2/24": "usable", "2001:db8:1::2/64": "usable"}
    assert lab.addresses("edge", "to-core") == {"198.51.100.2/30": "usable", "2001:db8:2::2/64": "usable"}
    assert lab.addresses("shop", "to-core") == {"203.0.113.2/30": "usable"}


def test_an_end_has_its_mac_address_and_sysctl(lab: Wired) -> None:
    """The MAC address that was given, and a parameter that is the interface's own; its neighbour has the default."""
    for name, end, mac in (("core", "to-edge", "02:00:00:00:00:01"), ("edge", "to-core", "02:00:00:00:00:02")):
        (link,) = json.loads(lab.command(name, ["ip", "-json", "link", "show", "dev", end]))
        assert link["address"] == mac
    assert lab.command("core", ["sysctl", "-n", "net.ipv4.conf.to-edge.rp_filter"]) == "2\n"
    assert lab.command("core", ["sysctl", "-n", "net.ipv4.conf.to-pc.rp_filter"]) != "2\n"


@pytest.mark.parametrize(
    ("place", "to", "address"),
    [
        ("pc", "core", "192.0.2.1"),
        ("pc", "core", "2001:db8:1::1"),
        ("pc", "edge", "198.51.100.2"),
        ("pc", "edge", "2001:db8:2::2"),
        ("edge", "core", "198.51.100.1"),
        ("pc", "shop", "203.0.113.2"),
        ("west", "shop", "10.88.0.9"),
    ],
    ids=[
        "a host to a container",
        "by IPv6",
        "through a router to another host's container",
        "through a router, by IPv6",
        "between containers of two hosts",
        "to a container that is on a network too",
        "over its network",
    ],
)
def test_a_connection_goes_over_the_cables(lab: Wired, place: str, to: str, address: str) -> None:
    """TCP connects between hosts and containers over cables and routes, in both families."""
    assert lab.reaches(place, to, address) is Outcome.CONNECTED


def test_routes_are_those_that_were_given(lab: Wired) -> None:
    """A container's routes over its cables stand beside the default route that Podman made; a host has its own."""
    assert lab.routes("edge") == {("192.0.2.0/24", "198.51.100.1"), ("2001:db8:1::/64", "2001:db8:2::1")}
    assert lab.routes("shop") == {
        ("default", "10.88.0.1"),
        ("192.0.2.0/24", "203.0.113.1"),
        ("198.51.100.0/30", "203.0.113.1"),
    }
    assert lab.routes("pc") == {("default", "192.0.2.1"), ("default", "2001:db8:1::1")}


# Restarting


def test_a_restart_lays_the_cables_again(lab: Wired) -> None:
    """After a restart all three cables of the router are there, with addresses, MAC address, sysctl and routes."""
    before = lab.containers["core"].pid
    lab.restart("core", seconds=0)
    assert lab.containers["core"].pid != before
    test_each_end_has_its_addresses_at_once(lab)
    test_an_end_has_its_mac_address_and_sysctl(lab)
    test_routes_are_those_that_were_given(lab)
    test_the_first_process_finds_all_its_cables(lab)
    assert lab.reaches("pc", "edge", "2001:db8:2::2") is Outcome.CONNECTED
    assert lab.links("pc") == {"up"}


def test_a_restart_takes_those_along_who_share_the_namespace(lab: Wired) -> None:
    """A container that shares the router's network namespace is in the new one after its restart."""
    lab.restart("core", seconds=0)
    assert lab.containers["tail"].net.identity == lab.containers["core"].net.identity
    assert lab.links("tail") == {"to-pc", "to-edge", "to-shop"}


def test_a_container_that_was_killed_comes_back(lab: Wired) -> None:
    """A killed router takes its neighbours' ends with it; a restart brings all back."""
    container = lab.containers["edge"]
    container.host.run(["podman", "kill", "edge"])
    container.halt(seconds=0)
    wait_for(lambda: "to-edge" not in lab.links("core"), "the neighbour's end to vanish")
    lab.restart("edge", seconds=0)
    assert lab.reaches("pc", "edge", "198.51.100.2") is Outcome.CONNECTED


def test_a_halted_container_is_cleaned_up_after(lab: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halting a container waits for the end of its conmon, which has Podman clean up after it."""
    container = lab.containers["edge"]
    whole_id = str(container.get_wrapped_container().id)
    assert supervised(container.host, whole_id)
    answers = [False, True, True]
    monkeypatch.setattr("testbed.containers.container.supervised", lambda host, whole_id: answers.pop())
    container.halt(seconds=0)
    assert answers == []
    monkeypatch.undo()
    container.halt(seconds=0)
    assert not supervised(container.host, whole_id)
    lab.restart("edge", seconds=0)


def test_both_ends_of_a_cable_may_be_down_at_once(lab: Wired) -> None:
    """Two neighbours that ended come back one after the other; the cable between them with the second."""
    for name in ("core", "edge"):
        lab.containers[name].halt(seconds=0)
    lab.restart("core", seconds=0)
    assert lab.links("core") == {"to-pc", "to-shop"}
    lab.restart("edge", seconds=0)
    assert lab.reaches("pc", "edge", "198.51.100.2") is Outcome.CONNECTED


def test_podmans_own_restart_keeps_the_cables(lab: Wired) -> None:
    """With a restart policy Podman starts a container again in the same namespace: its cables are there still."""
    container = lab.containers["shop"]
    before = container.pid
    container.host.run(["kill", "-KILL", str(before)])
    again = ["podman", "inspect", "--format", "{{.RestartCount}} {{.State.Running}}", "shop"]
    wait_for(lambda: container.host.run(again) == "1 true\n", "Podman to start the container again")
    assert lab.reaches("pc", "shop", "203.0.113.2") is Outcome.CONNECTED


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pc", "'pc' is a host, and only containers are restarted: there are core, edge, shop, tail"),
        ("moon", "'moon' is no container: there are core, edge, shop, tail"),
    ],
)
def test_only_containers_are_restarted(lab: Wired, name: str, said: str) -> None:
    """A host's name, or nobody's, is a UsageError with the containers that there are."""
    with pytest.raises(UsageError) as caught:
        lab.restart(name)
    assert str(caught.value) == said


# Networks


@pytest.fixture(scope="module")
def networks(testbed_session: None, testbed_image_store: ImageStore, testbed_image: Image) -> Iterator[Wired]:
    """One host with a network of both families, and a container that is on it and on the default one."""
    topology = Topology(
        hosts=(HostSpec("host", sysctls={"net.ipv6.conf.all.forwarding": "1"}),),
        networks=(NetworkSpec("host", "dual", "10.89.5.0/24", "10.89.5.1", False, "2001:db8:5::/64", "2001:db8:5::1"),),
        containers=(
            ContainerSpec(
                "host",
                "both",
                "base",
                (
                    AttachmentSpec("podman", "10.88.0.5", mac="02:00:00:00:00:05"),
                    AttachmentSpec("dual", "10.89.5.5", "2001:db8:5::5", "02:00:00:00:00:06"),
                ),
                command=_IDLE,
            ),
            ContainerSpec(
                "host",
                "other",
                "base",
                (AttachmentSpec("dual", "10.89.5.6", "2001:db8:5::6"),),
                command=_IDLE,
                routes={"192.0.2.0/24": "10.89.5.5"},
            ),
        ),
    )
    with Wired(topology, testbed_image_store, testbed_image) as made:
        yield made


def test_interfaces_are_numbered_in_the_order_of_the_networks(networks: Wired) -> None:
    """eth0 is at the first network and eth1 at the second, each with its addresses and its MAC address."""
    links = json.loads(networks.command("both", ["ip", "-json", "link"]))
    macs = {link["ifname"]: link["address"] for link in links if link["ifname"] != "lo"}
    assert macs == {"eth0": "02:00:00:00:00:05", "eth1": "02:00:00:00:00:06"}
    assert set(networks.addresses("both", "eth0")) == {"10.88.0.5/16"}
    assert set(networks.addresses("both", "eth1")) == {"10.89.5.5/24", "2001:db8:5::5/64"}


@pytest.mark.parametrize("place", ["other", "host"])
@pytest.mark.parametrize("address", ["10.89.5.5", "2001:db8:5::5"])
def test_a_network_of_both_families_carries_both(networks: Wired, place: str, address: str) -> None:
    """A container is reached over the network by IPv4 and IPv6, from another container and from the host."""
    assert networks.reaches(place, "both", address) is Outcome.CONNECTED


def test_a_route_over_a_network_is_there(networks: Wired) -> None:
    """A gateway may be another container of a network."""
    assert ("192.0.2.0/24", "10.89.5.5") in networks.routes("other")


def test_a_restart_keeps_networks_and_routes(networks: Wired) -> None:
    """Addresses, their order and routes over a network are the same after a restart."""
    networks.restart("both", seconds=0)
    test_interfaces_are_numbered_in_the_order_of_the_networks(networks)
    networks.restart("other", seconds=0)
    test_a_route_over_a_network_is_there(networks)


# Refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": {}}, "container 'core': there is no image for the role 'base': there are those of none"),
        ({"special": {"moon": None}}, "there is no host 'moon' to be made otherwise: there are west, east, pc"),
        ({"special": {"pc": None}}, "host 'pc': with_engine=False: it is no private host, and has an engine"),
    ],
    ids=["an image that is missing", "a special host that is none", "a special host without an engine"],
)
def test_a_lab_refuses_what_it_cannot_honour(
    testbed_session: None, testbed_image_store: ImageStore, change: dict[str, Any], said: str
) -> None:
    """Images and special hosts have to fit the topology: else a UsageError, before anything is started."""
    given: dict[str, Any] = {"images": {"base": "base"}, "image_store": testbed_image_store.storage, **change}
    with pytest.raises(UsageError) as caught:
        Lab(TOPOLOGY, **given)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (
            HostSpec("laptop", names={"shop": "192.0.2.1"}),
            "host 'laptop': names {'shop': '192.0.2.1'}: it is no private host, and its hosts file its own",
        ),
        (
            HostSpec("laptop", sysctls={"net.ipv4.tcp_ecn": "0"}),
            "host 'laptop': sysctls {'net.ipv4.tcp_ecn': '0'}: it is no private host, and outlives the lab with them",
        ),
    ],
    ids=["names", "sysctls"],
)
def test_a_special_host_is_not_changed(
    testbed_session: None, testbed_image_store: ImageStore, host: HostSpec, said: str
) -> None:
    """A host that outlives the lab keeps its hosts file and its own sysctls: to give it others is refused."""
    with pytest.raises(UsageError) as caught:
        Lab(Topology((host,)), images={}, image_store=testbed_image_store.storage, special={"laptop": pytest.fail})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("sysctl", "why"),
    [
        (
            {"net.ipv4.ip_forwarding": "1"},
            "'net.ipv4.ip_forwarding' of west was not set to '1': No such file or directory",
        ),
        ({"net.ipv4.ip_forward": "yes"}, "'net.ipv4.ip_forward' of west was not set to 'yes': Invalid argument"),
    ],
    ids=["no such parameter", "no such value"],
)
def test_what_the_kernel_refuses_is_said(
    testbed_session: None, testbed_image_store: ImageStore, sysctl: dict[str, str], why: str
) -> None:
    """A parameter that the kernel does not take is a HostError with its name, its value and whose it was to be."""
    topology = Topology((HostSpec("west", with_engine=False, sysctls=sysctl),))
    with pytest.raises(HostError) as caught:
        Lab(topology, images={}, image_store=testbed_image_store.storage)
    assert str(caught.value) == f"the sysctl {why}"


def test_what_podman_refuses_ends_the_lab(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Image
) -> None:
    """A command that the image does not have is an EngineError with the container and Podman's reason."""
    topology = Topology(
        (HostSpec("host"),),
        containers=(
            ContainerSpec(
                "host",
                "box",
                "base",
                (AttachmentSpec("podman"),),
                command=("no-such",),
                routes={"192.0.2.0/24": "10.88.0.9"},
            ),
        ),
    )
    with pytest.raises(EngineError, match=r"container 'box' of the image .* did not start: .*no-such"):
        Wired(topology, testbed_image_store, testbed_image)
