"""What is read of a host is what its own tools show, and reading it changes nothing."""

from __future__ import annotations

import dataclasses
import errno
import ipaddress
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from testbed.cli import evidence as command
from testbed.containers import HostContainer
from testbed.containers.roles.agent import AGENT_PORT
from testbed.errors import UsageError
from testbed.evidence import (
    LOCAL_TABLE,
    Container,
    Evidence,
    Forwarder,
    Link,
    Listener,
    Namespace,
    Network,
    Nexthop,
    NumberRange,
    Peer,
    PolicyRule,
    Published,
    Route,
    RouteKind,
    Ruleset,
    codec,
)
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.model import Outcome
from testbed.namespaces import network
from testbed.readers import links as rtnetlink
from testbed.readers import sockets
from testbed.readers.containers import ByCommand, ByService, Recorded
from testbed.readers.files import LONGEST, read_inside
from testbed.readers.sources import of_host, of_rootless_user, of_running_lab
from testbed.readers.take import Source, take
from testbed.readers.vantages import vantage
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.topology import RESOLVER_ADDRESS
from testbed.waiting import wait_for
from tests.host.placed import IDLE, Placement, place
from tests.host.stacking import stack_macvlan
from tests.rootless import RootlessLaptop

MakeHost = Callable[..., PrivateHost]
Image = Callable[[str], str]

#: Opens a tap device and keeps it, as slirp4netns does (TUNSETIFF with IFF_TAP and IFF_NO_PI).
HOLD_A_TAP: Final = """
import fcntl, struct, sys
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tap7", 0x1002))
print("ready", flush=True)
sys.stdin.read()
"""
_DST_NAT: Final = 1 << 5  # IPS_DST_NAT, include/uapi/linux/netfilter/nf_conntrack_common.h


def seen(*hosts: PrivateHost) -> Evidence:
    """A picture of hosts, which nothing is missing from."""
    picture = take([of_host(host) for host in hosts])
    assert picture.missing == ()
    return picture


def of(picture: Evidence, name: str) -> Namespace:
    """The namespace of a host or container."""
    key = picture.place(name).namespace
    assert key is not None
    return picture.namespaces[key]


def container(picture: Evidence, name: str) -> Container:
    """A container of a picture."""
    found = picture.place(name).container
    assert found is not None
    return found


def link(namespace: Namespace, name: str) -> Link:
    """An interface by its name."""
    return next(one for one in namespace.links if one.name == name)


def listening(namespace: Namespace, port: int) -> Listener:
    """The one listener on a port."""
    (found,) = (one for one in namespace.listeners if one.port == port)
    return found


def shown(host: PrivateHost, *words: str) -> list[dict[str, Any]]:
    """What a program of iproute2 says in JSON."""
    return list(json.loads(host.run([*words])))


@pytest.fixture
def bare(make_private_host: MakeHost) -> PrivateHost:
    """A host without Podman."""
    return make_private_host("bare", with_engine=False)


@pytest.fixture
def boxed(private_host: PrivateHost, testbed_image: Image) -> PrivateHost:
    """A host with one container ``box`` on podman0."""
    place(private_host, testbed_image("base"), Placement.DEFAULT)
    return private_host


# Interfaces, addresses, routes, rules


def test_links_are_those_of_ip_link(boxed: PrivateHost) -> None:
    """Index, name, kind, MAC, MTU, state and bridge of every interface, on the host."""
    found = {
        (one.index, one.name, one.kind, one.mac, one.mtu, one.up, one.carrier, one.master)
        for one in of(seen(boxed), "host").links
    }
    expected = shown(boxed, "ip", "-json", "-details", "link")
    by_name = {one["ifname"]: one["ifindex"] for one in expected}
    assert found == {
        (
            one["ifindex"],
            one["ifname"],
            one.get("linkinfo", {}).get("info_kind", "loopback" if one["link_type"] == "loopback" else ""),
            one["address"],
            one["mtu"],
            "UP" in one["flags"],
            "LOWER_UP" in one["flags"],
            by_name.get(one.get("master", "")),
        )
        for one in expected
    }


def test_addresses_are_those_of_ip_address(boxed: PrivateHost) -> None:
    """Each with its interface, prefix length and scope, of both families."""
    found = {(one.link, str(one.address), one.scope) for one in of(seen(boxed), "host").addresses}
    assert found == {
        (one["ifindex"], f"{address['local']}/{address['prefixlen']}", address["scope"])
        for one in shown(boxed, "ip", "-json", "address")
        for address in one["addr_info"]
    }


def test_an_address_that_two_have_is_not_usable(bare: PrivateHost) -> None:
    """Duplicate address detection that has not ended, here for want of a carrier, leaves an address unusable."""
    bare.run(["ip", "link", "add", "stuck0", "type", "veth", "peer", "name", "stuck1"])
    bare.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/stuck0/accept_dad"])
    bare.run(["ip", "link", "set", "stuck0", "up"])
    bare.run(["ip", "address", "add", "fd00::1/64", "dev", "stuck0"])
    bare.run(["ip", "address", "add", "fd00::2/64", "dev", "stuck0", "nodad"])
    usable = {str(one.address.ip): one.usable for one in of(seen(bare), "bare").addresses}
    assert (usable["fd00::1"], usable["fd00::2"], usable["127.0.0.1"]) == (False, True, True)


@pytest.mark.parametrize("family", [4, 6])
def test_routes_are_those_of_ip_route(boxed: PrivateHost, family: int) -> None:
    """All tables, with kind, destination, gateway, source and metric, the local table included."""
    namespace = of(seen(boxed), "host")
    names = {one.index: one.name for one in namespace.links}
    found = {
        (one.table, one.kind.value, str(one.destination), names.get(one.link or 0), str(one.source or ""), one.metric)
        for one in namespace.routes
        if one.destination.version == family
    }
    tables = {"local": 255, "main": 254}
    everything = "0.0.0.0/0" if family == 4 else "::/0"
    assert found == {
        (
            tables[one.get("table", "main")],
            one.get("type", "unicast"),
            everything if one["dst"] == "default" else str(ipaddress.ip_network(one["dst"])),
            one.get("dev"),
            one.get("prefsrc", ""),
            one.get("metric", 0),
        )
        for one in shown(boxed, "ip", f"-{family}", "-json", "-details", "route", "show", "table", "all")
    }
    assert any(one.table == LOCAL_TABLE for one in namespace.routes)


@pytest.mark.parametrize(
    ("words", "route"),
    [
        ("unreachable 192.0.2.0/25", {"kind": RouteKind.UNREACHABLE}),
        ("prohibit 192.0.2.0/25", {"kind": RouteKind.PROHIBIT}),
        ("blackhole 192.0.2.0/25", {"kind": RouteKind.BLACKHOLE}),
        ("throw 192.0.2.0/25 table 77", {"kind": RouteKind.THROW, "table": 77}),
        ("192.0.2.0/25 via 198.51.100.2 metric 7 mtu 1400", {"gateway": "198.51.100.2", "metric": 7, "mtu": 1400}),
        ("192.0.2.0/25 via inet6 fd00::9 dev wan0", {"gateway": "fd00::9"}),
        (
            "192.0.2.0/25 nexthop via 198.51.100.3 nexthop via 198.51.100.4",
            {"gateway": "198.51.100.3", "multipath": True, "nexthops": (("198.51.100.3", 1), ("198.51.100.4", 1))},
        ),
        (
            "192.0.2.0/25 nexthop via 198.51.100.3 weight 5 nexthop via 198.51.100.4",
            {"gateway": "198.51.100.3", "multipath": True, "nexthops": (("198.51.100.3", 5), ("198.51.100.4", 1))},
        ),
        ("192.0.2.0/25 dev wan0 table 70000 src 198.51.100.1", {"table": 70000, "source": "198.51.100.1"}),
    ],
)
def test_every_kind_of_route(make_private_host: MakeHost, words: str, route: Mapping[str, Any]) -> None:
    """What is given to ip-route(8) is what is read."""
    host = cabled(make_private_host)
    host.run(["ip", "route", "add", *words.split()])
    namespace = of(seen(host), "one")
    (found,) = (one for one in namespace.routes if str(one.destination) == "192.0.2.0/25")
    kind = route.get("kind", RouteKind.UNICAST)
    index = link(namespace, "wan0").index if kind is RouteKind.UNICAST else None
    gateway, source = (ipaddress.ip_address(route[x]) if x in route else None for x in ("gateway", "source"))
    plain = Route(254, kind, ipaddress.ip_network("192.0.2.0/25"), index, gateway, source)
    others = {key: value for key, value in route.items() if key in {"table", "metric", "mtu", "multipath"}}
    hops = tuple(Nexthop(index, ipaddress.ip_address(hop), weight) for hop, weight in route.get("nexthops", ()))
    assert found == dataclasses.replace(plain, nexthops=hops, **others)


def cabled(make_private_host: MakeHost) -> PrivateHost:
    """A host with a cable."""
    one, other = make_private_host("one", with_engine=False), make_private_host("other", with_engine=False)
    join(CableEnd(one, "wan0", "198.51.100.1/24"), CableEnd(other, "wan0", "198.51.100.2/24"))
    one.run(["ip", "address", "add", "fd00::1/64", "dev", "wan0", "nodad"])
    return one


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("from 10.0.0.0/8 lookup 77", PolicyRule(100, 4, 77, source=ipaddress.ip_network("10.0.0.0/8"))),
        ("to 10.0.0.1 prohibit", PolicyRule(100, 4, 0, "prohibit", destination=ipaddress.ip_network("10.0.0.1/32"))),
        ("not iif lo oif wan0 lookup 77", PolicyRule(100, 4, 77, incoming="lo", outgoing="wan0", inverted=True)),
        ("fwmark 0x2000/0xff00 lookup 70000", PolicyRule(100, 4, 70000, mark=0x2000, mask=0xFF00)),
        ("fwmark 0x80000000 blackhole", PolicyRule(100, 4, 0, "blackhole", mark=0x8000_0000)),
        (
            "ipproto tcp dport 80-90 lookup 77",
            PolicyRule(100, 4, 77, protocol=6, destination_ports=NumberRange(80, 90)),
        ),
        ("ipproto udp sport 53 nop", PolicyRule(100, 4, 0, "nop", protocol=17, source_ports=NumberRange(53, 53))),
        ("uidrange 0-5 lookup 77", PolicyRule(100, 4, 77, uids=NumberRange(0, 5))),
        ("lookup main suppress_prefixlength 0", PolicyRule(100, 4, 254, suppress_prefixlength=0)),
        ("lookup main suppress_ifgroup 3", PolicyRule(100, 4, 254, suppress_ifgroup=3)),
        ("goto 32766", PolicyRule(100, 4, 0, "goto", goto=32766)),
        ("l3mdev", PolicyRule(100, 4, 0, l3mdev=True)),
        ("tos 0x10 unreachable", PolicyRule(100, 4, 0, "unreachable", tos=16)),
        ("tun_id 5 lookup 77", PolicyRule(100, 4, 77, other=f"tun_id {5 << 56}")),
    ],
)
def test_every_kind_of_policy_rule(bare: PrivateHost, words: str, rule: PolicyRule) -> None:
    """What is given to ip-rule(8) is what is read; what is not modelled is kept as text."""
    bare.run(["ip", "rule", "add", "priority", "100", *words.split()])
    (found,) = (one for one in of(seen(bare), "bare").policy_rules if one.priority == 100)
    assert found == rule


def test_a_policy_rule_for_users_of_another_user_namespace(bare: PrivateHost) -> None:
    """Their numbers are others here, so that the rule selects by something that is not modelled."""
    add = "ip rule add priority 100 from 10.0.0.0/8 uidrange 0-0 prohibit; exec sleep infinity"
    words = f"unshare --user --map-root-user --net sh -ec '{add}' </dev/null >/dev/null 2>&1 & echo $!"
    process = bare.process(int(bare.run(["sh", "-ec", words])))
    wait_for(lambda: (process / "comm").read_text(encoding="ascii") == "sleep\n", "the rule to be made")
    rules = bare.namespace(process / "ns/net", "another one").run(rtnetlink.read_links).policy_rules
    (found,) = (one for one in rules if one.priority == 100)
    source = ipaddress.ip_network("10.0.0.0/8")
    assert found == PolicyRule(100, 4, 0, "prohibit", source=source, other="uidrange of another user namespace")


def test_the_rules_that_every_namespace_has(bare: PrivateHost) -> None:
    """Local, main and default for IPv4, the first two for IPv6, none with any restriction."""
    assert of(seen(bare), "bare").policy_rules == (
        *(PolicyRule(priority, 4, table) for priority, table in ((0, 255), (32766, 254), (32767, 253))),
        *(PolicyRule(priority, 6, table) for priority, table in ((0, 255), (32766, 254))),
    )


def test_neighbours(make_private_host: MakeHost) -> None:
    """A neighbour that is known, and one that does not answer."""
    host = cabled(make_private_host)
    index = int(shown(host, "ip", "-json", "link", "show", "wan0")[0]["ifindex"])
    host.run(
        ["ip", "neighbour", "add", "198.51.100.7", "lladdr", "02:00:00:00:00:07", "nud", "permanent", "dev", "wan0"]
    )
    host.run(["ip", "neighbour", "add", "198.51.100.8", "nud", "failed", "dev", "wan0"])
    found = {str(one.address): (one.link, one.mac, one.state) for one in of(seen(host), "one").neighbours}
    assert found["198.51.100.7"] == (index, "02:00:00:00:00:07", "permanent")
    assert found["198.51.100.8"] == (index, None, "failed")


# Bridges and cables


def test_the_fdb_is_that_of_bridge_fdb(boxed: PrivateHost) -> None:
    """Each MAC address that the bridge itself knows, with its port; not the filters of the devices."""
    namespace = of(seen(boxed), "host")
    names = {one.index: one.name for one in namespace.links}
    assert {(names[one.link], one.mac, one.state == "permanent") for one in namespace.fdb} == {
        (one["ifname"], one["mac"], one.get("state") == "permanent")
        for one in shown(boxed, "bridge", "-json", "fdb", "show")
        if "master" in one
    }
    assert namespace.fdb


def test_an_isolated_port(boxed: PrivateHost) -> None:
    """What bridge(8) calls isolated is told of the port, and of no other."""
    (port,) = (one.name for one in of(seen(boxed), "host").links if one.kind == "veth")
    boxed.run(["bridge", "link", "set", "dev", port, "isolated", "on"])
    assert [one.name for one in of(seen(boxed), "host").links if one.isolated] == [port]


@pytest.mark.parametrize("mode", ["private", "vepa", "bridge", "passthru"])
def test_a_macvlan_of_another_namespace_has_its_parent_and_its_mode(make_private_host: MakeHost, mode: str) -> None:
    """What was made on one host's interface and moved to another host is told of with both."""
    host, other = make_private_host("one", with_engine=False), make_private_host("other", with_engine=False)
    join(CableEnd(host, "wan0"), CableEnd(other, "wan0"))
    stack_macvlan(host, "wan0", other, "inner0", mode)
    picture = seen(host, other)
    found = link(of(picture, "other"), "inner0")
    parent = Peer(picture.place("one").namespace, link(of(picture, "one"), "wan0").index)
    assert (found.kind, found.mode, found.lower, found.peer) == ("macvlan", mode, parent, None)
    assert link(of(picture, "one"), "wan0").peer == Peer(
        picture.place("other").namespace, link(of(picture, "other"), "wan0").index
    )


def test_an_interface_has_the_number_of_its_group(bare: PrivateHost) -> None:
    """What ip-link(8) calls the group is told by its number."""
    bare.run(["ip", "link", "set", "lo", "group", "7"])
    assert link(of(seen(bare), "bare"), "lo").group == 7


def test_the_veths_of_two_hosts_with_equal_indexes_have_their_own_peers(
    make_private_host: MakeHost, testbed_image: Image
) -> None:
    """Container and host point at one another, though all indexes and numbers are the same on both hosts."""
    one, other = make_private_host("one"), make_private_host("other")
    for host in (one, other):
        place(host, testbed_image("base"), Placement.DEFAULT, name=f"box-{host.name}")
    join(CableEnd(one, "wan0", "198.51.100.1/24"), CableEnd(other, "wan0", "198.51.100.2/24"))
    picture = seen(one, other)
    ports = []
    for name in ("one", "other"):
        host_, box = of(picture, name), of(picture, f"box-{name}")
        (port,) = (x for x in host_.links if x.kind == "veth" and x.master is not None)
        inside = link(box, "eth0")
        assert inside.peer == Peer(host_.key, port.index)
        assert port.peer == Peer(box.key, inside.index)
        ports.append(port.index)
    assert ports[0] == ports[1]
    assert link(of(picture, "one"), "wan0").peer == Peer(
        of(picture, "other").key, link(of(picture, "other"), "wan0").index
    )


def test_a_peer_in_the_same_namespace(bare: PrivateHost) -> None:
    """Both ends of a pair that never left home are there."""
    bare.run(["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"])
    namespace = of(seen(bare), "bare")
    assert link(namespace, "left").peer == Peer(namespace.key, link(namespace, "right").index)


def test_a_peer_that_is_not_in_the_picture(make_private_host: MakeHost) -> None:
    """Its index is known, its namespace is not."""
    host = cabled(make_private_host)
    assert link(of(seen(host), "one"), "wan0").peer is not None
    assert getattr(link(of(seen(host), "one"), "wan0").peer, "namespace", "") is None


def test_the_holder_of_a_tap_device(bare: PrivateHost) -> None:
    """Who moves the packets of a tun or tap device is told by the name of his program."""
    process = subprocess.Popen(
        bare.init.command([sys.executable, "-c", HOLD_A_TAP]), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == b"ready\n"
        assert link(of(seen(bare), "bare"), "tap7").holder.startswith("python")
        process.stdin.close()
    bare.run(["ip", "tuntap", "add", "dev", "tap8", "mode", "tap"])
    assert link(of(seen(bare), "bare"), "tap8").holder == ""


# Listeners


def test_listeners_are_those_of_ss(make_private_host: MakeHost, testbed_image: Image) -> None:
    """Protocol, address, port and backlog of each, with one that Podman holds for a published port."""
    host = make_private_host("host")
    HostContainer(host, testbed_image("base"), "web").with_command(IDLE).publish(
        80, host_address="", host_port=8080
    ).on("podman").start()
    kept = [bound(host, "::1", 7001), bound(host, "127.0.0.1", 7002, kind=socket.SOCK_DGRAM)]
    found = {(one.protocol.value, str(one.address), one.port, one.backlog) for one in of(seen(host), "host").listeners}
    expected = set()
    for line in host.run(["ss", "-Hltun"]).splitlines():
        protocol, _, _, backlog, local, _ = line.split()[:6]
        address, port = local.rsplit(":", 1)
        address = address.strip("[]").replace("*", "::")
        expected.add((protocol, address, int(port), int(backlog) if protocol == "tcp" else 0))
    assert found == expected
    assert ("tcp", "0.0.0.0", 8080) in {one[:3] for one in found}
    for one in kept:
        one.close()


def bound(
    host: PrivateHost, address: str, port: int, *, kind: int = socket.SOCK_STREAM, v6only: bool | None = None
) -> socket.socket:
    """A socket of this process's in the host's namespace, listening where that is to be done."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = host.net.socket(family, kind)
    if v6only is not None:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(3)
    return made


@pytest.mark.parametrize("v6only", [False, True])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_whether_a_listener_on_ipv6_takes_ipv4_too(bare: PrivateHost, kind: int, v6only: bool) -> None:
    """IPV6_V6ONLY is read as it was set."""
    with bound(bare, "::", 7001, kind=kind, v6only=v6only):
        assert listening(of(seen(bare), "bare"), 7001).v6only is v6only


def test_a_listener_on_a_mapped_address_is_one_on_ipv4(bare: PrivateHost) -> None:
    """A socket on ::ffff:127.0.0.1 serves 127.0.0.1 and nothing else, and so it is shown."""
    with bound(bare, "::ffff:127.0.0.1", 7001, v6only=False):
        assert listening(of(seen(bare), "bare"), 7001).address == ipaddress.ip_address("127.0.0.1")


def test_connections_that_wait_to_be_accepted(bare: PrivateHost) -> None:
    """Two that nobody accepts are counted, beside how many may wait."""
    with bound(bare, "127.0.0.1", 7001), bare.net.socket() as one, bare.net.socket() as other:
        for caller in (one, other):
            caller.connect(("127.0.0.1", 7001))
        found = listening(of(seen(bare), "bare"), 7001)
        assert (found.queue, found.backlog) == (2, 3)


def test_a_listener_that_is_bound_to_an_interface(bare: PrivateHost) -> None:
    """SO_BINDTODEVICE is told by the interface's index; 1 is loopback's."""
    with bare.net.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        made.bind(("0.0.0.0", 7001))
        made.listen()
        assert listening(of(seen(bare), "bare"), 7001).link == 1


def test_connected_sockets_are_no_listeners(bare: PrivateHost) -> None:
    """A TCP connection and a UDP socket with a peer are not in the list."""
    with bound(bare, "127.0.0.1", 7001) as listener, bare.net.socket() as caller:
        caller.bind(("127.0.0.1", 7002))
        caller.connect(("127.0.0.1", 7001))
        with listener.accept()[0], bound(bare, "127.0.0.1", 7003, kind=socket.SOCK_DGRAM) as datagrams:
            datagrams.connect(("127.0.0.1", 7004))
            ports = {one.port for one in of(seen(bare), "bare").listeners}
    assert ports & {7001, 7002, 7003} == {7001}


def test_a_kernel_that_does_not_answer_sock_diag(bare: PrivateHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then /proc/net is read, which has the same sockets, and what is not in it is told to be missing."""
    with bound(bare, "::1", 7001), bound(bare, "127.0.0.1", 7002, kind=socket.SOCK_DGRAM):
        full, _ = bare.net.run(sockets.read_listeners)
        # IPPROTO_SCTP has a number and no sock_diag handler here: ENOENT, as for a kernel without tcp_diag.
        kinds = [(protocol, socket.IPPROTO_SCTP, *states) for protocol, _, *states in sockets._KINDS]
        monkeypatch.setattr(sockets, "_KINDS", kinds)
        found, missing = bare.net.run(sockets.read_listeners)
    assert [(x.protocol, x.address, x.port, x.inode) for x in found] == [
        (x.protocol, x.address, x.port, x.inode) for x in full
    ]
    assert len(missing) == 2
    assert os.strerror(errno.ENOENT) in missing[0]


def test_who_holds_a_listener(portainer_lab: PortainerLab) -> None:
    """A process in a container is told with its container, by the machine's count."""
    picture = take([of_host(portainer_lab.containers["agent"].host)])
    process = listening(of(picture, "agent"), AGENT_PORT).process
    assert process is not None
    assert (process.name, process.container, process.namespace) == ("agent", "agent", of(picture, "agent").key)
    assert Path(f"/proc/{process.pid}/comm").read_text() == "agent\n"


def test_a_listener_whose_holder_lives_elsewhere(bare: PrivateHost) -> None:
    """A socket that this process made in a host's namespace is told with this process, and with where that lives."""
    with bound(bare, "127.0.0.1", 7002):
        process = listening(of(seen(bare), "bare"), 7002).process
    assert process is not None
    assert (process.pid, process.container) == (os.getpid(), None)
    assert process.namespace == str(Path("/proc/self/ns/net").readlink())


def test_what_an_ssh_process_forwards(bare: PrivateHost, tmp_path: Path) -> None:
    """Its -L is read from its command line, though it has no listener yet."""
    silent = bound(bare, "127.0.0.1", 7001)  # takes the connection and says nothing: ssh waits for its banner
    words = ["ssh", "-F", "none", "-NL", "10.88.0.1:19001:[::1]:9001", "-p7001", "127.0.0.1"]
    process = bare.popen(words)
    try:
        with silent, silent.accept()[0]:
            (found,) = seen(bare).forwards
    finally:
        process.kill()
        process.wait()
    namespace = f"net:[{bare.net.identity[1]}]"
    others = ("-F", "none", "-N", "-p7001", "127.0.0.1")
    assert found == Forwarder(found.pid, "ssh", namespace, "10.88.0.1", 19001, "::1", 9001, others)


# Connection tracking and sysctls


def test_a_connection_through_a_published_port_is_tracked(make_private_host: MakeHost, testbed_image: Image) -> None:
    """Both directions are told, and that the destination was rewritten."""
    host, outside = make_private_host("host"), make_private_host("outside", with_engine=False)
    join(CableEnd(host, "wan0", "198.51.100.1/24"), CableEnd(outside, "wan0", "198.51.100.2/24"))
    box = HostContainer(host, testbed_image("base"), "box").with_command(IDLE)
    box.publish(80, host_address="198.51.100.1", host_port=8080).on("podman", "10.88.0.50").start()
    with box.net.socket() as listener:
        listener.bind(("0.0.0.0", 80))
        listener.listen()
        with outside.net.socket() as caller:
            caller.connect(("198.51.100.1", 8080))
            picture = seen(host)
            port = caller.getsockname()[1]
    (found,) = (one for one in of(picture, "host").conntrack if one.original.destination_port == 8080)
    original, reply = found.original, found.reply
    assert found.protocol == "tcp"
    assert (str(original.source), original.source_port, str(original.destination)) == (
        "198.51.100.2",
        port,
        "198.51.100.1",
    )
    assert (str(reply.source), reply.source_port, str(reply.destination)) == ("10.88.0.50", 80, "198.51.100.2")
    assert found.status & _DST_NAT


def test_sysctls_are_those_of_the_namespace(make_private_host: MakeHost) -> None:
    """A host's own values, not this machine's, of every interface; what the kernel has not is left out."""
    host = cabled(make_private_host)
    other = make_private_host("third", with_engine=False)
    host.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 2 >/proc/sys/net/ipv4/conf/wan0/rp_filter"])
    other.run(["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"])
    picture = seen(host, other)
    found = of(picture, "one").sysctls
    assert (found["ipv4/ip_forward"], found["ipv4/conf/wan0/rp_filter"]) == ("1", "2")
    assert of(picture, "third").sysctls["ipv4/ip_forward"] == "0"
    assert all(value for value in found.values())


# Containers


def test_containers_and_networks(boxed: PrivateHost) -> None:
    """A running container with its address and process, and Podman's networks and version."""
    picture = seen(boxed)
    box = container(picture, "box")
    assert (box.state, box.mode, box.host) == ("running", "bridge", picture.hosts[0].key)
    assert box.pid == int(boxed.run(["podman", "inspect", "--format={{.State.Pid}}", "box"]))
    (attached,) = box.attachments
    assert attached.addresses == tuple(
        one.address.ip for one in of(picture, "box").addresses if one.address.version == 4 and one.scope == "global"
    )
    assert picture.networks == (
        Network(
            "podman",
            picture.hosts[0].key,
            "bridge",
            "podman0",
            (ipaddress.ip_network("10.88.0.0/16"),),
            (ipaddress.ip_address("10.88.0.1"),),
        ),
    )
    assert picture.place("host").host.podman == boxed.run(["podman", "--version"]).split()[-1]


def test_the_command_line_says_what_the_service_says(make_private_host: MakeHost, testbed_image: Image) -> None:
    """Containers, running or not, networks and version are the same by either way."""
    host = make_private_host("host")
    image = testbed_image("base")
    place(host, image, Placement.USER)
    host.run(["podman", "run", "--name=gone", "-p=8081:81", image, "true"])
    by_command = Recorded.of(ByCommand(host.init.command(["podman"]), host.init.environment))
    by_service = Recorded.of(ByService(host.engine))
    assert sorted(one["Name"] for one in by_command.all_containers) == ["box", "gone"]
    one, other = (take([dataclasses.replace(of_host(host), podman=said)]) for said in (by_command, by_service))
    assert (one.containers, one.networks, one.hosts) == (other.containers, other.networks, other.hosts)
    assert container(one, "gone").published == (Published("tcp", 81, 8081, ""),)
    assert container(one, "gone").namespace is None


def test_a_container_without_network_has_a_namespace_of_its_own(
    private_host: PrivateHost, testbed_image: Image
) -> None:
    """Nothing but loopback is in it."""
    place(private_host, testbed_image("base"), Placement.NONE)
    picture = seen(private_host)
    assert container(picture, "box").mode == "none"
    assert [one.name for one in of(picture, "box").links] == ["lo"]
    assert len(picture.namespaces) == 2


def test_a_container_in_its_hosts_network_shares_the_hosts_namespace(
    private_host: PrivateHost, testbed_image: Image
) -> None:
    """It is read once, and called by the host's name."""
    place(private_host, testbed_image("base"), Placement.HOST)
    picture = seen(private_host)
    assert of(picture, "box") is of(picture, "host")
    assert of(picture, "box").label == "host"
    assert len(picture.namespaces) == 1


def test_containers_that_share_a_namespace(private_host: PrivateHost, testbed_image: Image) -> None:
    """It is called by the one that owns it, and a listener is told with the container that holds it."""
    private_host.run(["podman", "run", "-d", "--name=owner", testbed_image("base"), *IDLE])
    private_host.run(["podman", "run", "-d", "--name=a-guest", "--network=container:owner", testbed_image("agent")])
    net = private_host.namespace(private_host.process(pid_of(private_host, "owner")) / "ns/net", "owner")
    wait_for(lambda: any(x.port == AGENT_PORT for x in net.run(sockets.read_listeners)[0]), "the guest's listener")
    picture = seen(private_host)
    assert of(picture, "a-guest").label == "owner"
    process = listening(of(picture, "owner"), AGENT_PORT).process
    assert process is not None
    assert process.container == "a-guest"


def pid_of(host: PrivateHost, name: str) -> int:
    """A container's main process, by its host's count."""
    return int(host.run(["podman", "inspect", "--format={{.State.Pid}}", name]))


def test_names_are_those_that_the_container_sees(private_host: PrivateHost, testbed_image: Image) -> None:
    """Its hosts file and resolver as they are inside, and the host's own."""
    image = testbed_image("base")
    options = ["--add-host=db:198.51.100.7", "--dns=198.51.100.53", "--dns-search=inside.example"]
    private_host.run(["podman", "run", "-d", "--name=box", *options, image, *IDLE])
    picture = seen(private_host)
    names = container(picture, "box").names
    assert names.hosts.lookup("db") == (ipaddress.ip_address("198.51.100.7"),)
    assert names.hosts.lookup("host.containers.internal") == (ipaddress.ip_address("10.88.0.1"),)
    assert names.nameservers == (ipaddress.ip_address("198.51.100.53"),)
    assert names.search == ("inside.example",)
    assert picture.place("host").host.names.nameservers == (ipaddress.ip_address(RESOLVER_ADDRESS),)


def test_only_proxies_of_an_environment_and_without_their_passwords(
    private_host: PrivateHost, testbed_image: Image
) -> None:
    """Of all variables of the main process only these are in the picture, anywhere."""
    options = ["--env=HTTPS_PROXY=http://user:hunter2@proxy.example:3128", "--env=DATABASE_PASSWORD=hunter3"]
    private_host.run(["podman", "run", "-d", "--name=box", *options, testbed_image("base"), *IDLE])
    picture = seen(private_host)
    assert container(picture, "box").proxies == {"https_proxy": "http://***@proxy.example:3128"}
    assert "hunter" not in codec.to_json(picture)


def test_a_fifo_for_a_hosts_file(private_host: PrivateHost, testbed_image: Image) -> None:
    """It is not opened, which would wait for ever; it is told to be missing."""
    private_host.run(["mkfifo", "/run/testbed/fifo"])
    private_host.run(
        ["podman", "run", "-d", "--name=box", "-v=/run/testbed/fifo:/etc/hosts", testbed_image("base"), *IDLE]
    )
    picture = take([of_host(private_host)])
    assert picture.missing == ("etc/hosts of the container box cannot be read: it is no regular file",)
    assert of(picture, "box").links


# Files of others


def test_a_link_ends_inside_the_root(tmp_path: Path) -> None:
    """A symbolic link to /etc/hosts, or out of it by dots, is the file in that root and not this machine's."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "secret").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    for target in ("/secret", "../../../secret"):
        (root / "etc/hosts").unlink(missing_ok=True)
        (root / "etc/hosts").symlink_to(target)
        assert read_inside(root, "etc/hosts") == "inside"


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    """A mebibyte is read, a byte more is refused."""
    (tmp_path / "hosts").write_bytes(b"#" * LONGEST)
    assert len(read_inside(tmp_path, "hosts")) == LONGEST
    (tmp_path / "hosts").write_bytes(b"#" * (LONGEST + 1))
    with pytest.raises(OSError, match="it is longer than 1 MiB"):
        read_inside(tmp_path, "hosts")


# What cannot be read


class Vanishing:
    """A Podman whose container ends just after it was asked about it."""

    def __init__(self, host: PrivateHost) -> None:
        self._host = host
        self._real = ByService(host.engine)

    def containers(self) -> list[dict[str, Any]]:
        """Its containers, which are gone by now."""
        found = self._real.containers()
        self._host.run(["podman", "rm", "--force", "--time=0", "box"])
        return found

    def networks(self) -> list[dict[str, Any]]:
        """Its networks."""
        return self._real.networks()

    def version(self) -> str:
        """Its version."""
        return self._real.version()


def test_a_container_that_vanishes_is_told(boxed: PrivateHost) -> None:
    """It is in the picture without a namespace, with a sentence that says why; the rest is there."""
    picture = take([dataclasses.replace(of_host(boxed), podman=Vanishing(boxed))])
    assert container(picture, "box").namespace is None
    (said,) = picture.missing
    assert said.startswith("the network namespace of the container box cannot be seen")
    assert of(picture, "host").links


def test_a_host_that_is_gone_is_told(make_private_host: MakeHost) -> None:
    """Its namespace cannot be found any more; the other host is seen all the same."""
    gone, there = make_private_host("gone"), make_private_host("there", with_engine=False)
    source = of_host(gone)
    gone.close()
    picture = take([source, of_host(there)])
    assert picture.missing == ("the host 'gone' is gone",)
    assert [host.name for host in picture.hosts] == ["there"]


def test_podman_that_does_not_answer_is_told(boxed: PrivateHost) -> None:
    """The host is seen without its containers."""
    podman = ByCommand(["false"])
    picture = take([dataclasses.replace(of_host(boxed), podman=podman)])
    (said,) = picture.missing
    assert said.startswith("Podman's containers on host are not known: 'podman ")
    assert picture.containers == ()
    assert of(picture, "host").links


def test_without_privilege_only_the_namespace_one_is_in_is_seen(
    bare: PrivateHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no entering; what may not be entered is not in the picture, and the sentence says how to see it."""

    def refuse(fd: int, kind: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(network, "setns", refuse)
    here = Source("machine", Path("/proc"), Path("/"), Path("/proc/self/ns/net"))
    other = Source("other", bare.path("/proc"), bare.path("/"), Path(f"/proc/{bare.pid}/ns/net"))
    picture = take([here, other])
    assert link(of(picture, "machine"), "lo").index == 1
    assert picture.place("other").host.namespace not in picture.namespaces
    assert picture.missing == (
        "the network namespace of other cannot be entered (Operation not permitted): do it as root, or as its owner",
    )


def test_rows_are_limited(boxed: PrivateHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cut off is told; both families of routes count for themselves."""
    monkeypatch.setattr(rtnetlink, "MOST", 4)
    namespace = of(take([of_host(boxed)]), "host")
    assert [sum(one.destination.version == family for one in namespace.routes) for family in (4, 6)] == [4, 4]
    assert namespace.missing.count("only the first 4 routes are here") == 2


# The whole


def settled(picture: Evidence) -> Evidence:
    """A picture without what the kernel itself changes by the second.

    Packets are counted too: those that interfaces send when they come up (MLD, IGMP) may go out between two pictures.
    """
    return dataclasses.replace(
        picture,
        taken="",
        namespaces={
            key: dataclasses.replace(one, neighbours=(), conntrack=(), fdb=(), firewall=uncounted(one.firewall))
            for key, one in picture.namespaces.items()
        },
    )


def uncounted(rules: Ruleset) -> Ruleset:
    """Rules without their counters."""
    return Ruleset(
        tuple(
            dataclasses.replace(
                chain, packets=None, rules=tuple(dataclasses.replace(rule, packets=None) for rule in chain.rules)
            )
            for chain in rules.chains
        )
    )


def wait_for_link_locals(*nets: network.NetworkNamespace) -> None:
    """Each interface gets its link-local address a while after it is up (RFC 4862, 5.3): a change that is not ours."""

    def all_there(net: network.NetworkNamespace) -> bool:
        found = net.run(rtnetlink.read_links)
        addressed = {one.link for one in found.addresses if one.address.is_link_local and one.usable}
        return all(one.index in addressed for one in found.links if one.kind != "loopback")

    for net in nets:
        wait_for(lambda net=net: all_there(net), f"the link-local addresses of {net.what}")  # type: ignore[misc]


def test_reading_changes_nothing(portainer_lab: PortainerLab) -> None:
    """Two pictures of a whole lab are equal: the first left no rule, sysctl, interface, listener or process."""
    hosts, containers = portainer_lab.hosts.values(), portainer_lab.containers.values()
    wait_for_link_locals(*(host.net for host in hosts), *(container.net for container in containers))
    sources = [of_host(host) for host in hosts]
    one, other = take(sources), take(sources)
    assert one.missing == ()
    assert {x.label for x in one.namespaces.values()} >= {*portainer_lab.hosts, "portainer", "agent"}
    assert settled(one) == settled(other)
    assert codec.from_json(codec.to_json(one)) == one


def test_what_the_resolver_of_a_host_knows(make_private_host: MakeHost) -> None:
    """Its zone is in the picture by lower-case names; of a machine whose resolver is not ours nothing is said."""
    host = make_private_host("asked", with_engine=False, zone={"Web.example.": ["198.51.100.9", "fd00::9"]})
    known = {"web.example": (ipaddress.ip_address("198.51.100.9"), ipaddress.ip_address("fd00::9"))}
    here = Source("machine", Path("/proc"), Path("/"), Path("/proc/self/ns/net"))
    for source in (of_host(host), *of_running_lab({"lab": host.pid}, {"lab": known})):
        picture = take([source, here])
        assert [one.zone for one in picture.hosts] == [known, None]
        assert codec.from_json(codec.to_json(picture)) == picture


def test_a_lab_is_read_the_same_from_outside(boxed: PrivateHost) -> None:
    """By the first process of its host alone, which is all that is known of a lab in the background."""
    box = boxed.namespace(boxed.process(pid_of(boxed, "box")) / "ns/net", "box")
    wait_for_link_locals(boxed.net, box)
    picture = take(of_running_lab({"host": boxed.pid}))
    assert settled(picture) == settled(take([of_host(boxed)]))
    assert container(picture, "box").namespace in picture.namespaces


def test_hosts_of_one_name_are_two_hosts(make_private_host: MakeHost) -> None:
    """Each has its own namespace and is tried from by itself; both are to be told apart by it."""
    one, other = (make_private_host("box", with_engine=False) for _ in range(2))
    sources = [of_host(one), of_host(other)]
    picture = take(sources)
    assert [host.name for host in picture.hosts] == ["box", "box"]
    assert picture.hosts[0].key != picture.hosts[1].key
    with pytest.raises(UsageError, match=r"'box' may be any of net:\[\d+\], net:\[\d+\]: give one of these"):
        picture.place("box")
    for host in (one, other):
        found = picture.place(str(Path(f"/proc/{host.pid}/ns/net").readlink()))
        with vantage(sources, found) as here, host.net.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            assert here.connect(f"127.0.0.1:{server.getsockname()[1]}").outcome is Outcome.CONNECTED


def test_a_host_that_is_given_twice_is_one_host(bare: PrivateHost) -> None:
    """As of this process and as of a lab in the background, under two names: the first one is kept."""
    picture = take([of_host(bare), *of_running_lab({"again": bare.pid}, lab="mine")])
    assert [(host.name, host.lab) for host in picture.hosts] == [("bare", "")]


def test_the_rootful_and_the_rootless_podman_of_a_machine_are_two_hosts(
    rootless_laptop: RootlessLaptop, testbed_image: Image
) -> None:
    """They share the host's namespace, and each container is its own Podman's; both are tried from as what they are."""
    rootless_laptop.start("box", "--network=none")
    user = rootless_laptop.user
    user.host.run(["podman", "run", "-d", "--name=box", "--network=none", testbed_image("base"), *IDLE])
    sources = [of_host(user.host), of_rootless_user(user)]
    picture = take(sources)
    rootful, rootless = picture.hosts
    assert (rootful.namespace, rootful.rootless, rootless.rootless) == (rootless.namespace, False, True)
    assert {(place.host.key, place.name) for place in picture.places()} == {
        (host.key, name) for host in picture.hosts for name in ("box", "laptop")
    }
    for one in picture.containers:
        found = picture.place(one.id)
        assert (found.container, found.host.key) == (one, one.host)
        with vantage(sources, found) as here:
            assert str(here.net.run(Path("/proc/thread-self/ns/net").readlink)) == one.namespace


def test_the_namespace_of_rootless_bridges(rootless_laptop: RootlessLaptop) -> None:
    """It is in the picture with podman0 in it, which the host itself has not, and its peers are its containers'."""
    rootless_laptop.start("box", "--network=bridge")
    picture = take([of_rootless_user(rootless_laptop.user)])
    assert picture.missing == ()
    host = picture.place("laptop").host
    assert host.rootless
    assert host.rootless_namespace is not None
    inner = picture.namespaces[host.rootless_namespace]
    assert "podman0" not in {one.name for one in of(picture, "laptop").links}
    (port,) = (one for one in inner.links if one.kind == "veth")
    assert port.master == link(inner, "podman0").index
    assert port.peer == Peer(of(picture, "box").key, link(of(picture, "box"), "eth0").index)


@pytest.fixture
def pointed(bare: PrivateHost, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line, pointed at a host instead of at this machine."""
    monkeypatch.setattr("testbed.cli.looking.of_machine", lambda: of_host(bare))
    monkeypatch.setattr("testbed.cli.looking.running", list)
    return CliRunner()


def test_the_command_prints_a_picture(pointed: CliRunner) -> None:
    """Standard output is the picture and nothing else, and reads back."""
    done = pointed.invoke(command.evidence, [])
    assert done.exit_code == 0
    assert [host.name for host in codec.from_json(done.stdout).hosts] == ["bare"]


def test_the_command_writes_a_file(pointed: CliRunner, tmp_path: Path) -> None:
    """With -o nothing is printed, and the file reads back."""
    done = pointed.invoke(command.evidence, ["-o", str(tmp_path / "picture.json")])
    assert (done.exit_code, done.output) == (0, "")
    assert [host.name for host in codec.read(tmp_path / "picture.json").hosts] == ["bare"]
