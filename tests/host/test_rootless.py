"""An ordinary user's own Podman on a private host: what reaches what, exactly (docs/rootless.md).

Each refusal stands beside a connection to the same listener that succeeds.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from testbed.errors import CommandError
from testbed.host.rootless import RootlessUser
from testbed.images import ImageStore
from testbed.namespaces import NetworkNamespace
from tests.rootless import (
    LAPTOP,
    NEIGHBOUR,
    RootlessLaptop,
    connect,
    family_of,
    listen,
    make_laptop,
    port_of,
    source_seen,
)

#: slirp4netns's names for itself in the container's network (slirp4netns(1)): the host, and the container.
SLIRP_HOST: Final = "10.0.2.2"
SLIRP_GUEST: Final = "10.0.2.100"
BRIDGE: Final = "10.88.0.1"
#: An address that no host here has (RFC 5737, TEST-NET-1).
ELSEWHERE: Final = "192.0.2.1"
#: Both of rootless Podman's networks: the default one, and a bridge.
NETWORKS: Final = ["default", "bridge"]
PUBLISHED: Final = {"default": 8080, "bridge": 8081}
APP_PORT: Final = 80
PAUSE_FILE: Final = "/run/user/2000/libpod/tmp/pause.pid"
#: include/uapi/linux/nsfs.h
NS_GET_USERNS: Final = 0xB701


@pytest.fixture(scope="module")
def laptop(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[RootlessLaptop]:
    """A laptop whose user runs a container on each network, and one more on the bridge; nobody listens in them."""
    image = testbed_image("base")
    with ExitStack() as stack:
        laptop = make_laptop(stack, testbed_image_store, image)
        laptop.start("default", f"--publish={PUBLISHED['default']}:{APP_PORT}")
        laptop.start("bridge", "--network=podman", f"--publish={PUBLISHED['bridge']}:{APP_PORT}")
        laptop.start("other", "--network=podman")
        yield laptop


def hosts_line(laptop: RootlessLaptop, container: str, name: str) -> str:
    """The address that a container's hosts file gives a name."""
    hosts = laptop.user.run(["podman", "exec", container, "cat", "/etc/hosts"])
    (address,) = [line.split()[0] for line in hosts.splitlines() if name in line.split()[1:]]
    return address


def bridge_address(laptop: RootlessLaptop, container: str) -> str:
    """A container's address on podman0."""
    form = "--format={{.NetworkSettings.Networks.podman.IPAddress}}"
    return laptop.user.run(["podman", "inspect", form, container]).strip()


# The host, from a container


@pytest.mark.parametrize("network", NETWORKS)
def test_the_name_of_the_host_is_its_first_address(laptop: RootlessLaptop, network: str) -> None:
    """host.containers.internal is the host's own first address, on a bridge too: there podman0 is not the host's."""
    assert hosts_line(laptop, network, "host.containers.internal") == LAPTOP


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("bind", "dialled", "expected"),
    [
        ("127.0.0.1", LAPTOP, errno.ECONNREFUSED),
        ("0.0.0.0", LAPTOP, 0),
        (LAPTOP, LAPTOP, 0),
        ("127.0.0.1", SLIRP_HOST, errno.ENETUNREACH),
        ("0.0.0.0", SLIRP_HOST, errno.ENETUNREACH),
        (LAPTOP, SLIRP_HOST, errno.ENETUNREACH),
    ],
)
def test_what_a_container_reaches_of_its_host(
    laptop: RootlessLaptop, network: str, bind: str, dialled: str, expected: int
) -> None:
    """The host's own address reaches what listens on it; its loopback is reached by no address at all."""
    with listen(laptop.host.net, bind) as listener:
        assert connect(laptop.host.net, "127.0.0.1" if bind == "127.0.0.1" else LAPTOP, port_of(listener)) == 0
        assert connect(laptop.nets[network], dialled, port_of(listener)) == expected


@pytest.mark.parametrize("network", NETWORKS)
def test_a_port_without_listener_refuses(laptop: RootlessLaptop, network: str) -> None:
    """slirp4netns hands a refusal on as one, and the same port connects while somebody listens."""
    with listen(laptop.host.net, LAPTOP) as listener:
        port = port_of(listener)
        assert connect(laptop.nets[network], LAPTOP, port) == 0
    assert connect(laptop.nets[network], LAPTOP, port) == errno.ECONNREFUSED


@pytest.mark.parametrize("network", NETWORKS)
def test_the_host_sees_itself_calling(laptop: RootlessLaptop, network: str) -> None:
    """A container's connection is one of slirp4netns's own: the host sees its own address as the source."""
    with listen(laptop.host.net, "0.0.0.0") as listener:
        assert source_seen(laptop.nets[network], LAPTOP, listener) == LAPTOP


def test_loopback_is_opened_on_demand(laptop: RootlessLaptop) -> None:
    """With allow_host_loopback 10.0.2.2 is the host's 127.0.0.1, and only that; the host's name stays what it was."""
    net = laptop.start("opened", "--network=slirp4netns:allow_host_loopback=true")
    with listen(laptop.host.net, "127.0.0.1") as loopback, listen(laptop.host.net, LAPTOP) as own:
        assert source_seen(net, SLIRP_HOST, loopback) == "127.0.0.1"
        assert connect(laptop.host.net, LAPTOP, port_of(own)) == 0
        assert connect(net, SLIRP_HOST, port_of(own)) == errno.ECONNREFUSED
    assert hosts_line(laptop, "opened", "host.containers.internal") == LAPTOP


# The bridge, which is not the host's


@pytest.fixture
def inner_net(laptop: RootlessLaptop) -> NetworkNamespace:
    """The network namespace that podman0 is in."""
    path = laptop.user.rootless_netns
    assert path is not None
    return laptop.host.namespace(path, "rootless-netns")


def test_podman0_is_out_of_the_hosts_reach(laptop: RootlessLaptop, inner_net: NetworkNamespace) -> None:
    """10.88.0.1 is an address of the rootless-netns: containers on the bridge reach it, the host has no route to it."""
    with listen(inner_net, BRIDGE) as listener:
        assert connect(laptop.nets["bridge"], BRIDGE, port_of(listener)) == 0
        assert connect(laptop.host.net, BRIDGE, port_of(listener)) == errno.ENETUNREACH


def test_the_host_is_not_behind_podman0(laptop: RootlessLaptop) -> None:
    """What listens on every address of the host does not listen on 10.88.0.1: a container is refused there."""
    with listen(laptop.host.net, "0.0.0.0") as listener:
        assert connect(laptop.nets["bridge"], LAPTOP, port_of(listener)) == 0
        assert connect(laptop.nets["bridge"], BRIDGE, port_of(listener)) == errno.ECONNREFUSED


def test_containers_on_the_bridge_reach_each_other(laptop: RootlessLaptop) -> None:
    """From one container to another on the bridge nothing is rewritten: the source is the caller's own address."""
    with listen(laptop.nets["other"], "0.0.0.0") as listener:
        seen = source_seen(laptop.nets["bridge"], bridge_address(laptop, "other"), listener)
    assert seen == bridge_address(laptop, "bridge")


def test_a_containers_loopback_is_its_own(laptop: RootlessLaptop) -> None:
    """What a container binds to its 127.0.0.1 refuses its neighbour on the bridge, and accepts itself."""
    with listen(laptop.nets["other"], "127.0.0.1") as listener:
        assert connect(laptop.nets["other"], "127.0.0.1", port_of(listener)) == 0
        assert connect(laptop.nets["bridge"], bridge_address(laptop, "other"), port_of(listener)) == errno.ECONNREFUSED


@pytest.mark.parametrize("vantage", ["default", "host"])
def test_the_bridge_is_unknown_elsewhere(laptop: RootlessLaptop, vantage: str) -> None:
    """A container's address on the bridge has no route from the default network, nor from the host."""
    net = laptop.host.net if vantage == "host" else laptop.nets[vantage]
    with listen(laptop.nets["other"], "0.0.0.0") as listener:
        assert connect(laptop.nets["bridge"], bridge_address(laptop, "other"), port_of(listener)) == 0
        assert connect(net, bridge_address(laptop, "other"), port_of(listener)) == errno.ENETUNREACH


# Published ports, which rootlessport accepts


def exchange(net: NetworkNamespace, address: str, port: int, say: bytes) -> bytes | int | None:
    """Connect, say something, and what comes back: bytes, none when it was closed, or an errno."""
    with net.socket(family_of(address)) as caller:
        caller.settimeout(5)
        caller.connect((address, port))  # by itself it always succeeds
        try:
            caller.sendall(say)
            return caller.recv(100)
        except ConnectionError as exc:
            return exc.errno


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("dialled", ["127.0.0.1", LAPTOP, "::1"])
def test_a_published_port_reaches_the_app(laptop: RootlessLaptop, network: str, dialled: str) -> None:
    """rootlessport listens on both families and calls the app from the container's own address."""
    own = SLIRP_GUEST if network == "default" else bridge_address(laptop, network)
    with listen(laptop.nets[network], "0.0.0.0", APP_PORT) as app, laptop.host.net.socket(family_of(dialled)) as caller:
        caller.settimeout(5)
        caller.connect((dialled, PUBLISHED[network]))
        accepted, peer = app.accept()
        with accepted:
            accepted.sendall(b"here")
            assert (caller.recv(100), peer[0]) == (b"here", own)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("bind", [None, "127.0.0.1", "::1"], ids=["nobody", "loopback", "loopback6"])
@pytest.mark.parametrize(
    ("say", "back"), [(b"", b""), (b"GET / HTTP/1.0\r\n\r\n", errno.ECONNRESET)], ids=["silent", "spoken"]
)
def test_a_published_port_accepts_for_nobody(
    laptop: RootlessLaptop, network: str, bind: str | None, say: bytes, back: bytes | int
) -> None:
    """Where no app can be called rootlessport accepts and closes; what was said meanwhile unread makes that a reset."""
    with ExitStack() as stack:
        if bind is not None:
            app = stack.enter_context(listen(laptop.nets[network], bind, APP_PORT))
            assert connect(laptop.nets[network], bind, port_of(app)) == 0
        assert exchange(laptop.host.net, LAPTOP, PUBLISHED[network], say) == back


def test_a_port_on_the_bridge_is_published_inside_too(laptop: RootlessLaptop) -> None:
    """netavark's own rule for the published port is in the rootless-netns: 10.88.0.1 serves containers only."""
    with listen(laptop.nets["bridge"], "0.0.0.0", APP_PORT):
        assert connect(laptop.nets["other"], BRIDGE, PUBLISHED["bridge"]) == 0
        assert connect(laptop.host.net, BRIDGE, PUBLISHED["bridge"]) == errno.ENETUNREACH


@pytest.mark.parametrize(
    ("publish", "said"),
    [
        (
            "80:80",
            (
                "rootlessport cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' "
                "to /etc/sysctl.conf (currently 1024), or choose a larger port number (>= 1024): "
                "listen tcp 0.0.0.0:80: bind: permission denied"
            ),
        ),
        (
            f"{PUBLISHED['default']}:80",
            f"rootlessport listen tcp 0.0.0.0:{PUBLISHED['default']}: bind: address already in use",
        ),
    ],
    ids=["privileged", "taken"],
)
def test_a_port_that_cannot_be_published_is_named(laptop: RootlessLaptop, publish: str, said: str) -> None:
    """A container whose port rootlessport may not have, or finds taken, does not start; Podman says which and why."""
    with pytest.raises(CommandError) as caught:
        laptop.user.run(["podman", "run", "-d", f"--publish={publish}", laptop.image, "true"])
    assert caught.value.stderr.strip() == f"Error: {said}"


# How slirp4netns hands on what happens to its own connections


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("kind", "host_sees", "container_sees"),
    [
        ("unreachable", errno.EHOSTUNREACH, errno.EHOSTUNREACH),
        ("prohibit", errno.EACCES, errno.ENETUNREACH),
        ("blackhole", errno.EINVAL, errno.ENETUNREACH),
        (None, errno.ENETUNREACH, errno.ENETUNREACH),
    ],
)
def test_what_the_host_may_not_send(
    laptop: RootlessLaptop, network: str, kind: str | None, host_sees: int, container_sees: int
) -> None:
    """What the host's routes refuse at once a container hears as unreachable: the host only for the one route type."""
    if kind is not None:
        laptop.host.run(["ip", "route", "add", kind, ELSEWHERE])
    try:
        assert connect(laptop.host.net, ELSEWHERE, 7000) == host_sees
        assert connect(laptop.nets[network], ELSEWHERE, 7000) == container_sees
    finally:
        if kind is not None:
            laptop.host.run(["ip", "route", "del", kind, ELSEWHERE])


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("rule", "host_sees", "container_sees"),
    [
        (["REJECT", "--reject-with", "tcp-reset"], errno.ECONNREFUSED, errno.ECONNREFUSED),
        (["REJECT", "--reject-with", "icmp-port-unreachable"], errno.ECONNREFUSED, None),
        (["REJECT", "--reject-with", "icmp-host-prohibited"], errno.EHOSTUNREACH, None),
        (["REJECT", "--reject-with", "icmp-net-unreachable"], errno.ENETUNREACH, None),
        (["DROP"], None, None),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_a_neighbours_firewall_answers(
    laptop: RootlessLaptop, network: str, rule: list[str], host_sees: int | None, container_sees: int | None
) -> None:
    """Of a rejected connection a container hears only a reset; an ICMP answer to slirp4netns ends in silence."""
    with listen(laptop.neighbour.net, "0.0.0.0") as listener:
        port = port_of(listener)
        assert connect(laptop.nets[network], NEIGHBOUR, port) == 0
        laptop.neighbour.run(["iptables", "-I", "INPUT", "-p", "tcp", "--dport", str(port), "-j", *rule])
        try:
            assert connect(laptop.host.net, NEIGHBOUR, port, seconds=0.5) == host_sees
            assert connect(laptop.nets[network], NEIGHBOUR, port, seconds=0.5) == container_sees
        finally:
            laptop.neighbour.run(["iptables", "-F", "INPUT"])


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("how", "container_sees"), [("tcp-reset", errno.ECONNREFUSED), ("icmp-port-unreachable", None)]
)
def test_what_the_hosts_own_firewall_answers(
    laptop: RootlessLaptop, network: str, how: str, container_sees: int | None
) -> None:
    """A REJECT on the host itself refuses the host, and a container only where it resets: else it hears nothing."""
    with listen(laptop.host.net, LAPTOP) as listener:
        port = port_of(listener)
        assert connect(laptop.nets[network], LAPTOP, port) == 0
        rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "REJECT", "--reject-with", how]
        laptop.host.run(["iptables", "-I", *rule])
        try:
            assert connect(laptop.host.net, LAPTOP, port) == errno.ECONNREFUSED
            assert connect(laptop.nets[network], LAPTOP, port, seconds=0.5) == container_sees
        finally:
            laptop.host.run(["iptables", "-D", *rule])


# Whose namespaces they are


def user_namespace_of(net: NetworkNamespace) -> int:
    """The inode of the user namespace that owns a network namespace (ioctl_ns(2))."""
    fd = fcntl.ioctl(net.fileno(), NS_GET_USERNS)
    try:
        return os.fstat(fd).st_ino
    finally:
        os.close(fd)


def test_the_pause_process_is_in_the_owning_namespace(laptop: RootlessLaptop, inner_net: NetworkNamespace) -> None:
    """The user namespace of the process that is found owns all the user's networks, and not the host's."""
    pause = laptop.user.pause
    assert pause is not None
    owner = (laptop.host.process(pause) / "ns/user").stat().st_ino
    assert {user_namespace_of(net) for net in (*laptop.nets.values(), inner_net)} == {owner}
    assert user_namespace_of(laptop.host.net) != owner


def slirps(laptop: RootlessLaptop) -> dict[str, str]:
    """Each slirp4netns's network namespace file, and the interface that its open /dev/net/tun is the other end of."""
    pids = laptop.host.run(["pgrep", "-x", "slirp4netns"]).split()
    found = {}
    for process in map(laptop.host.process, map(int, pids)):
        words = (process / "cmdline").read_text(encoding="utf-8").split("\0")
        infos = (file.read_text(encoding="ascii") for file in (process / "fdinfo").iterdir())
        (interface,) = [line.split()[1] for info in infos for line in info.splitlines() if line.startswith("iff:")]
        found[words[-3]] = interface  # the last ones are the file, the interface, and nothing
    return found


def as_podman_names(found: Path) -> str:
    """A file that was found through a process's root folder, as it is named in there."""
    return f"/{str(found).rpartition('/root/')[2]}"


def test_a_process_holds_each_tap0(laptop: RootlessLaptop) -> None:
    """A slirp4netns on the host holds tap0 of each container of the default network, and one that of the bridges."""
    default = laptop.user.run(["podman", "inspect", "--format={{.NetworkSettings.SandboxKey}}", "default"]).strip()
    bridges = laptop.user.rootless_netns
    assert bridges is not None
    of_both = {default, as_podman_names(bridges)}
    assert {path: link for path, link in slirps(laptop).items() if path in of_both} == dict.fromkeys(of_both, "tap0")


def test_nothing_is_found_before_there_is_anything(rootless_laptop: RootlessLaptop) -> None:
    """There is no owner before Podman first ran, and no namespace of bridges before a container was on one."""
    user = rootless_laptop.user
    assert (user.pause, user.rootless_netns) == (None, None)
    rootless_laptop.start("default")
    assert user.pause is not None
    assert user.rootless_netns is None
    rootless_laptop.start("bridge", "--network=podman")
    assert user.rootless_netns is not None


def test_the_file_on_the_host_is_no_namespace(laptop: RootlessLaptop) -> None:
    """The path that Podman names is an empty file on the host: what is found leads through the owner's mounts."""
    found = laptop.user.rootless_netns
    assert found is not None
    of_the_host = laptop.host.path(as_podman_names(found))
    assert (of_the_host.stat().st_size, of_the_host.stat().st_dev == found.stat().st_dev) == (0, False)


def test_a_conmon_serves_where_the_pause_process_is_gone(rootless_laptop: RootlessLaptop) -> None:
    """Without a pause process, a container's conmon is in the owning namespace just as well."""
    user = rootless_laptop.user
    net = rootless_laptop.start("default")
    rootless_laptop.host.run(["rm", PAUSE_FILE])
    owner = user.pause
    assert owner is not None
    process = rootless_laptop.host.process(owner)
    assert (process / "comm").read_text(encoding="ascii") == "conmon\n"
    assert (process / "ns/user").stat().st_ino == user_namespace_of(net)


def test_a_pid_that_is_another_process_by_now_is_not_taken(rootless_user: RootlessUser) -> None:
    """A pause.pid that names a process of the host's own user namespace is passed over."""
    rootless_user.run(["podman", "ps"])
    assert rootless_user.pause is not None
    rootless_user.host.run(["sh", "-c", 'echo 1 >"$1" && chown 0:0 "$1"', "sh", PAUSE_FILE])  # both are root's
    assert rootless_user.pause is None


def test_a_pid_file_of_another_user_is_not_taken(rootless_user: RootlessUser) -> None:
    """A pid file counts only where the process that it names is the file's owner's."""
    rootless_user.run(["podman", "ps"])
    assert rootless_user.pause is not None
    rootless_user.host.run(["chown", "0:0", PAUSE_FILE])
    assert rootless_user.pause is None


# The end


def inhabitants(nets: Container[int]) -> set[str]:
    """The names of all processes that live in one of some network namespaces, by their inodes."""
    names = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or is not ours to look at
            if (folder / "ns/net").stat().st_ino in nets:
                names.add((folder / "comm").read_text(encoding="utf-8").strip())
    return names


def test_all_of_it_ends_with_the_host(rootless_laptop: RootlessLaptop) -> None:
    """With the host's first process go slirp4netns, rootlessport, the pause process and the containers."""
    nets = [rootless_laptop.start("default", "--publish=8080:80"), rootless_laptop.start("bridge", "--network=podman")]
    inodes = {net.identity[1] for net in (rootless_laptop.host.net, *nets)}
    assert {"slirp4netns", "rootlessport", "catatonit", "conmon", "sleep"} <= inhabitants(inodes)
    rootless_laptop.host.close()
    assert inhabitants(inodes) == set()


def test_the_users_engine_answers(rootless_laptop: RootlessLaptop) -> None:
    """Its API service lists its containers, and the host's own Podman does not know them."""
    rootless_laptop.start("default")
    assert [c.name for c in rootless_laptop.user.engine.client.containers.list()] == ["default"]
    assert rootless_laptop.host.engine.client.containers.list() == []
