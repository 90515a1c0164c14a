"""A private host: a whole machine, with a podman0 of its own and no way out."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from testbed import tools
from testbed.errors import CommandError, HostError
from testbed.host import Host
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.images import ImageStore
from testbed.namespaces import NetworkNamespace
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.topology import RESOLVER_ADDRESS
from testbed.waiting import wait_for
from tests.host.leftovers import Stage
from tests.host.placed import Placement, place

BRIDGE: Final = "10.88.0.1"
#: Public resolvers, a web server's address, and the address of every cloud's metadata service. Nothing is sent to them.
BEYOND: Final = ("1.1.1.1", "8.8.8.8", "9.9.9.9", "93.184.215.14", "169.254.169.254", "2606:4700:4700::1111")

MakeHost = Callable[..., PrivateHost]
Image = Callable[[str], str]


def links(host: PrivateHost) -> dict[str, set[str]]:
    """A host's interfaces, each with its IPv4 addresses."""
    found = json.loads(host.run(["ip", "-json", "address"]))
    return {link["ifname"]: {a["local"] for a in link["addr_info"] if a["family"] == "inet"} for link in found}


def listening(net: NetworkNamespace, address: str) -> tuple[socket.socket, int]:
    """A TCP listener on a free port of an address."""
    listener = net.socket()
    listener.bind((address, 0))
    listener.listen()
    return listener, int(listener.getsockname()[1])


def dial(net: NetworkNamespace, address: str, port: int) -> int:
    """What connecting ends with: an errno, 0 for a connection."""
    with net.socket() as caller:
        caller.settimeout(5)
        return caller.connect_ex((address, port))


# podman0


def test_podman0_is_there_once_a_container_is(private_host: PrivateHost, testbed_image: Image) -> None:
    """The bridge podman0 exists, with 10.88.0.1, from the first container on and not before."""
    before = links(private_host)
    place(private_host, testbed_image("base"), Placement.DEFAULT)
    assert "podman0" not in before
    assert links(private_host)["podman0"] == {BRIDGE}


def test_a_fresh_host_has_two_links(private_host: PrivateHost) -> None:
    """Nothing but loopback and the resolver's interface is on a fresh host: no cable leads out of it."""
    assert links(private_host) == {"lo": {"127.0.0.1"}, "resolver0": {RESOLVER_ADDRESS}}


def test_two_hosts_with_the_same_address_do_not_see_each_other(
    make_private_host: MakeHost, testbed_image: Image
) -> None:
    """10.88.0.1 of one host is another machine than 10.88.0.1 of the other."""
    one, other = make_private_host("one"), make_private_host("other")
    for host in (one, other):
        place(host, testbed_image("base"), Placement.DEFAULT)
    listener, port = listening(one.net, BRIDGE)
    with listener:
        assert dial(one.net, BRIDGE, port) == 0
        assert dial(other.net, BRIDGE, port) == errno.ECONNREFUSED


# Cables


def test_joined_hosts_reach_each_other(make_private_host: MakeHost) -> None:
    """Two hosts with a cable between them connect over its addresses, either way."""
    one, other = make_private_host("one", with_engine=False), make_private_host("other", with_engine=False)
    join(CableEnd(one, "wan0", "198.51.100.1/24"), CableEnd(other, "wan0", "198.51.100.2/24"))
    for here, there, address in ((one, other, "198.51.100.2"), (other, one, "198.51.100.1")):
        listener, port = listening(there.net, address)
        with listener:
            assert dial(here.net, address, port) == 0


def test_a_host_without_the_cable_reaches_neither(make_private_host: MakeHost) -> None:
    """For a third host the joined ones' network does not exist."""
    one, other, third = (make_private_host(name, with_engine=False) for name in ("one", "other", "third"))
    join(CableEnd(one, "wan0", "198.51.100.1/24"), CableEnd(other, "wan0", "198.51.100.2/24"))
    listener, port = listening(one.net, "198.51.100.1")
    with listener:
        assert dial(third.net, "198.51.100.1", port) == errno.ENETUNREACH


# Names


def test_a_host_has_its_own_hosts_file_and_name(make_private_host: MakeHost) -> None:
    """A host answers to its own name and knows the machines it was told of, and nothing of this machine's file."""
    host = make_private_host("web-1", with_engine=False, names={"db-1": "198.51.100.7"})
    assert host.run(["hostname"]) == "web-1\n"
    assert host.run(["cat", "/etc/hosts"]) == (
        "127.0.0.1\tlocalhost\n127.0.1.1\tweb-1\n::1\tlocalhost ip6-localhost ip6-loopback\n198.51.100.7\tdb-1\n"
    )


def test_a_host_asks_its_own_resolver_only(private_host: PrivateHost) -> None:
    """The host's resolv.conf names its resolver and no other."""
    assert private_host.run(["cat", "/etc/resolv.conf"]) == f"nameserver {RESOLVER_ADDRESS}\n"


def over_udp(net: NetworkNamespace, question: dns.message.Message) -> dns.message.Message:
    """Ask a host's resolver in one datagram."""
    with net.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        return dns.query.udp(question, RESOLVER_ADDRESS, timeout=5, sock=asking)


def over_tcp(net: NetworkNamespace, question: dns.message.Message) -> dns.message.Message:
    """Ask a host's resolver over a connection."""
    with net.socket() as asking:
        asking.settimeout(5)
        asking.connect((RESOLVER_ADDRESS, 53))
        asking.setblocking(False)
        return dns.query.tcp(question, RESOLVER_ADDRESS, timeout=5, sock=asking)


Ask = Callable[[NetworkNamespace, dns.message.Message], dns.message.Message]


@pytest.mark.parametrize("ask", [over_udp, over_tcp])
def test_the_resolver_answers_its_zone(make_private_host: MakeHost, ask: Ask) -> None:
    """A name of the zone has the addresses that the zone gives it, in that order."""
    host = make_private_host(with_engine=False, zone={"web.example": ["198.51.100.9", "198.51.100.8"]})
    answer = ask(host.net, dns.message.make_query("web.example", dns.rdatatype.A))
    assert answer.rcode() == dns.rcode.NOERROR
    assert [record.address for rrset in answer.answer for record in rrset] == ["198.51.100.9", "198.51.100.8"]


@pytest.mark.parametrize("ask", [over_udp, over_tcp])
@pytest.mark.parametrize("name", ["example.com", "localhost", "other.web.example"])
def test_the_resolver_denies_the_rest(make_private_host: MakeHost, ask: Ask, name: str) -> None:
    """Any other name does not exist, whatever the real network knows of it."""
    host = make_private_host(with_engine=False, zone={"web.example": ["198.51.100.9"]})
    answer = ask(host.net, dns.message.make_query(name, dns.rdatatype.A))
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.answer == []


@pytest.mark.parametrize("where", list(Placement))
def test_no_container_has_a_public_resolver(private_host: PrivateHost, testbed_image: Image, where: Placement) -> None:
    """A container's nameservers are its host's resolver and its own network's gateway, and never others."""
    container = place(private_host, testbed_image("base"), where)
    servers = set(map(str, container.vantage().naming.names.nameservers))
    has_own_resolver = where in {Placement.USER, Placement.INNER}
    assert servers <= {RESOLVER_ADDRESS, *([where.value] if has_own_resolver else [])}
    assert bool(servers) == (where is not Placement.NONE)


@pytest.mark.parametrize("where", [Placement.DEFAULT, Placement.USER, Placement.INNER])
def test_host_containers_internal_is_the_gateway(
    private_host: PrivateHost, testbed_image: Image, where: Placement
) -> None:
    """Podman calls the gateway of a container's own network host.containers.internal, whoever runs this."""
    hosts = place(private_host, testbed_image("base"), where).vantage().naming.names.hosts
    assert [str(address) for address in hosts.lookup("host.containers.internal")] == [where.value]


# No way out


def machine_addresses() -> list[str]:
    """Every address of the real machine but loopback and those that mean nothing without naming a link."""
    shown = subprocess.run([tools.need("ip", "iproute2"), "-json", "address"], capture_output=True, check=True).stdout
    found = (ipaddress.ip_address(a["local"]) for link in json.loads(shown) for a in link["addr_info"])
    return [str(address) for address in found if not address.is_loopback and not address.is_link_local]


def route_to(host: Host, *words: str) -> str:
    """What the kernel would do with a packet, which it is only asked and does not send."""
    try:
        return host.run(["ip", "route", "get", *words])
    except CommandError as exc:
        return exc.stderr.strip()


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_a_host_has_no_default_route(private_host: PrivateHost, family: str) -> None:
    """No packet has a route out of a private host by default."""
    assert json.loads(private_host.run(["ip", "-json", family, "route", "show", "default"]) or "[]") == []


def test_no_address_of_the_machine_or_beyond_has_a_route(private_host: PrivateHost) -> None:
    """A private host has no route to any address of the real machine, nor to a public one."""
    answers = {address: route_to(private_host, address) for address in (*machine_addresses(), *BEYOND)}
    assert set(answers.values()) == {"RTNETLINK answers: Network is unreachable"}, answers


def networks(host: Host) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that a host has a route to without anybody's help."""
    routes = [route for family in ("-4", "-6") for route in json.loads(host.run(["ip", "-json", family, "route"]))]
    return [
        ipaddress.ip_network(route["dst"]) for route in routes if "gateway" not in route and route["dst"] != "default"
    ]


def test_no_cable_leads_out_of_a_lab(make_portainer_lab: Callable[[], PortainerLab]) -> None:
    """Hosts with cables and networks between them have no route to the real machine or beyond either."""
    for host in make_portainer_lab().hosts.values():
        # The machine may have a podman0 of its own: its address is the host's own there.
        own = networks(host)
        real = [a for a in (*machine_addresses(), *BEYOND) if not any(ipaddress.ip_address(a) in n for n in own)]
        answers = {address: route_to(host, address) for address in real}
        assert set(answers.values()) == {"RTNETLINK answers: Network is unreachable"}, (host.name, answers)


@pytest.mark.parametrize(
    ("where", "bridge", "answer"),
    [
        (Placement.DEFAULT, "podman0", "Network is unreachable"),
        (Placement.USER, "podman1", "Network is unreachable"),
        (Placement.INNER, "podman1", "No route to host"),  # on an internal network the host does not even forward
    ],
)
def test_nothing_is_forwarded_out_of_a_host(
    private_host: PrivateHost, testbed_image: Image, where: Placement, bridge: str, answer: str
) -> None:
    """What a container sends to the real machine or beyond ends at its host, which has no route for it either."""
    container = place(private_host, testbed_image("base"), where)
    source = container.net.run(own_address)
    inside = ipaddress.ip_network(f"{where.value}/16", strict=False)  # the machine may have a podman0 of its own
    real = (a for a in (*machine_addresses(), *BEYOND) if ":" not in a and ipaddress.ip_address(a) not in inside)
    answers = {a: route_to(private_host, a, "from", source, "iif", bridge) for a in real}
    assert set(answers.values()) == {f"RTNETLINK answers: {answer}"}, answers


def own_address() -> str:
    """The IPv4 address of the calling thread's namespace that is not loopback."""
    show = subprocess.run([tools.need("ip", "iproute2"), "-json", "-4", "address"], capture_output=True, check=True)
    found = [a["local"] for link in json.loads(show.stdout) if link["ifname"] != "lo" for a in link["addr_info"]]
    return str(found[0])


# Being a host, and no longer being one


def test_a_host_without_podman_says_so(make_private_host: MakeHost) -> None:
    """Asking for the engine of a host that was made without one is an error that says it was."""
    host = make_private_host("plain", with_engine=False)
    with pytest.raises(HostError) as caught:
        _ = host.engine
    assert str(caught.value) == "private host 'plain' has no Podman: it was made with with_engine=False"


@pytest.fixture
def killed(make_private_host: MakeHost) -> PrivateHost:
    """A host whose first process was killed from outside."""
    host = make_private_host("poor", with_engine=False)
    os.kill(host.pid, signal.SIGKILL)
    wait_for(lambda: not host.init.alive, "the host's first process to end")
    return host


@pytest.mark.parametrize(
    "use",
    [
        lambda host: host.run(["true"]),
        lambda host: host.popen(["true"]),
        lambda host: host.path("/etc/hosts"),
        lambda host: host.process(1),
        lambda host: host.root,
    ],
    ids=["run", "popen", "path", "process", "root"],
)
def test_a_killed_host_is_gone(killed: PrivateHost, use: Callable[[PrivateHost], Any]) -> None:
    """Whatever is asked of a host whose first process was killed, the answer is that it is gone."""
    with pytest.raises(HostError) as caught:
        use(killed)
    assert str(caught.value) == "private host 'poor' is gone: its first process ended"


def test_a_command_on_a_host_that_was_just_killed_says_that_it_is_gone(make_private_host: MakeHost) -> None:
    """A command that is started while the host ends fails because the host is gone, not for what nsenter says."""
    host = make_private_host("poor", with_engine=False)
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(HostError) as caught:
        host.run(["sleep", "infinity"])
    assert str(caught.value) == "private host 'poor' is gone: its first process ended"


def test_a_command_ends_with_its_host(make_private_host: MakeHost) -> None:
    """A command that runs on a host ends when the host does."""
    host = make_private_host(with_engine=False)
    process = host.popen(["sleep", "infinity"])
    try:
        host.close()
        assert process.wait(10) != 0
    finally:
        process.kill()
        process.wait()


def test_a_command_that_fails_is_an_error(make_private_host: MakeHost) -> None:
    """The error of a command has its status and what it said on standard error."""
    host = make_private_host(with_engine=False)
    with pytest.raises(CommandError) as caught:
        host.run(["sh", "-c", "echo no such thing >&2; exit 3"])
    assert caught.value.status == 3
    assert caught.value.stderr == "no such thing\n"
    assert str(caught.value).endswith("ended with status 3: no such thing")


def test_a_command_has_a_deadline(make_private_host: MakeHost) -> None:
    """A command that does not end in time is ended, and the error says what it was and how long it had."""
    host = make_private_host("slow", with_engine=False)
    with pytest.raises(HostError) as caught:
        host.run(["sleep", "4242"], seconds=0.2)
    assert str(caught.value) == "'sleep' in private host 'slow' did not end within 0.2 s"
    wait_for(lambda: "4242" not in commands(host), "the command to be gone", state=lambda: commands(host))


def commands(host: PrivateHost) -> str:
    """The command lines of everything that runs on a host."""
    texts = []
    for folder in host.path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                texts.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it has ended
    return "; ".join(texts)


def test_closing_a_host_twice_does_no_harm(make_private_host: MakeHost) -> None:
    """A host that is closed already is closed again without a word."""
    host = make_private_host(with_engine=False)
    host.close()
    host.close()
    assert not host.init.alive


# Its Podman


def test_podman_on_a_host_is_root(private_host: PrivateHost) -> None:
    """Podman takes itself for root on a private host, whoever runs this: only then is podman0 where everything is."""
    assert json.loads(private_host.run(["podman", "info", "--format", "json"]))["host"]["security"]["rootless"] is False


def test_podman_on_a_host_moves_no_process_of_the_machine(private_host: PrivateHost) -> None:
    """The control group that this process is in is the same after Podman has run on a host that was made in it."""
    own = Path("/proc/self/cgroup")
    before = own.read_text(encoding="ascii")
    private_host.run(["podman", "info"])
    assert own.read_text(encoding="ascii") == before
    with pytest.raises(CommandError, match="Read-only file system"):
        private_host.run(["mkdir", "/sys/fs/cgroup/ours"])


def test_a_host_cannot_remove_an_image_of_the_store(
    make_private_host: MakeHost, testbed_image: Image, testbed_image_store: ImageStore
) -> None:
    """Removing an image of the shared store on one host is refused, and the next host runs it as before."""
    tag = testbed_image("base")
    with pytest.raises(CommandError, match="cannot remove read-only image"):
        make_private_host("one").run(["podman", "rmi", "--force", tag])
    assert testbed_image_store.built(tag) is not None
    place(make_private_host("other"), tag, Placement.DEFAULT)


def test_what_a_container_writes_stays_on_its_host(
    make_private_host: MakeHost, testbed_image: Image, testbed_image_store: ImageStore
) -> None:
    """A file that a container writes is not in the image that the next host starts."""
    tag = testbed_image("base")
    place(make_private_host("one"), tag, Placement.DEFAULT).exec(["touch", "/marked"])
    other = place(make_private_host("other"), tag, Placement.DEFAULT)
    assert other.exec(["test", "-e", "/marked"]).exit_code == 1


def test_images_and_settings_of_the_machine_are_not_the_hosts(make_private_host: MakeHost) -> None:
    """A host without an image store has no image, whatever the machine's own Podman has."""
    assert make_private_host(image_store=None).run(["podman", "images", "--quiet"]) == ""


AS_ROOT_OF_A_USER_NAMESPACE: Final = """
from testbed.host.private import PrivateHost

with PrivateHost("host", with_engine=False) as host:
    print(host.run(["sh", "-c", "touch /var/lib/mine && hostname"]), end="")
"""


def test_mounts_of_the_machine_do_not_stand_in_the_way(stage: Stage) -> None:
    """An ordinary user's host comes up where something is mounted below /var/lib, as running containers are."""
    stage.output(tools.need("mount", "mount"), "-t", "tmpfs", "tmpfs", "/var/lib/misc")
    unshare = [tools.need("unshare", "util-linux"), "--user", "--map-root-user"]
    assert stage.output(*unshare, sys.executable, "-c", AS_ROOT_OF_A_USER_NAMESPACE) == "host\n"


def test_many_hosts_at_once(make_private_host: MakeHost) -> None:
    """Eight hosts run at once, each with a network namespace of its own."""
    hosts = [make_private_host(f"host-{number}") for number in range(8)]
    for host in hosts:
        host.engine.ready()
    assert len({host.net.identity for host in hosts}) == 8
    assert [Path(host.path("/etc/hosts")).read_text().split()[3] for host in hosts] == [h.name for h in hosts]
