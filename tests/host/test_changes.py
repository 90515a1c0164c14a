"""A picture that a change made is the one that is taken once its command was run, in what it predicts and in its rows.

Everything listens inside of containers, so that it ends and starts with them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from testbed.change import Change, apply
from testbed.change.containers import ReloadNetworks, Restart, RestartAll, Start, Stop
from testbed.change.naming import AddAlias, AddHostsLine, NewWithHostsLine, NewWithResolver, RemoveHostsLine
from testbed.change.networks import (
    Connect,
    Disconnect,
    NewOnHostNetwork,
    NewOnNetwork,
    NewWithNetworkOf,
    RecreateNetwork,
)
from testbed.change.publishing import Publish, Republish, Unpublish
from testbed.change.wording import command
from testbed.evidence import Evidence, Published
from testbed.images import ImageStore
from testbed.readers.take import take
from testbed.waiting import wait_for
from tests.host.compared import differences
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, Stage

#: Listens on each port that it is given, and never accepts.
PROGRAM: Final = (
    "use IO::Socket::INET; @l = map { IO::Socket::INET->new(LocalPort => $_, Listen => 5, ReuseAddr => 1) } @ARGV; "
    "sleep 1e6"
)
TARGET: Final = ipaddress.ip_address("203.0.113.20")


@pytest.fixture
def scene(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """A host with containers on the default network, a user's, a dual-stack one and an internal one; one has ended."""
    with Stage(image=testbed_image("base"), image_store=testbed_image_store.storage) as stage:
        stage.podman("network", "create", "--subnet", "10.89.1.0/24", "one")
        subnets = ("--subnet", "10.89.2.0/24", "--subnet", "fd00:2::/64")
        stage.podman("network", "create", "--ipv6", *subnets, "dual")
        stage.podman("network", "create", "--internal", "--subnet", "10.89.3.0/24", "inner")
        # The first one: no picture shows that a later one had an address once, after which Podman gives the next.
        run(stage, "ended", 80, network="one", options=["-p", "8120:80"])
        stage.podman("stop", "-t", "0", "ended")
        run(stage, "plain", 80, options=["-p", "8070:80"])
        run(stage, "web", 80, 81, network="one", options=["-p", "8080:80", "--publish=127.0.0.1:8081:81"])
        run(stage, "client", 82, network="one")
        run(stage, "six", 80, network="dual", options=["-p", "8100:80"])
        run(stage, "shut", 80, network="inner")
        stage.listen(HOST, "0.0.0.0", 9000)
        stage.listen(HOST, "127.0.0.1", 9001)
        yield stage


@pytest.fixture
def own_scene(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Rootless]:
    """A host with an ordinary user's containers, on slirp4netns and on the bridge of the default network."""
    image = testbed_image("base")
    with Stage(image=image, image_store=testbed_image_store.storage) as stage, rootless(stage) as mine:
        bridged = ["--network", "podman"]
        run_own(mine, "ended", 80, options=[*bridged, "-p", "8120:80"])
        mine.podman("stop", "ended")
        run_own(mine, "slirp", 80, options=["-p", "8060:80"])
        run_own(mine, "plain", 80, options=[*bridged, "-p", "8070:80"])
        run_own(mine, "web", 80, 81, options=[*bridged, "-p", "8080:80", "-p", "127.0.0.1:8081:81"])
        run_own(mine, "client", 8200, options=bridged)
        stage.listen(HOST, "0.0.0.0", 9000)
        stage.listen(HOST, "127.0.0.1", 9001)
        yield mine


def run_own(mine: Rootless, name: str, *ports: int, options: list[str]) -> None:
    """Start a container of an ordinary user's, whose program listens on ports."""
    given = ["run", "-d", "--name", name, "--stop-timeout", "0", *options]
    mine.podman(*given, mine.stage.image, "perl", "-e", PROGRAM, *map(str, ports))


def picture_of(mine: Rootless) -> Evidence:
    """What there is on a user's host, once every running container listens."""
    mine.look()

    def listening() -> bool:
        seen = take(mine.stage.sources)
        up = (one for one in seen.containers if one.state == "running")
        return all(seen.namespaces[one.namespace or ""].listeners for one in up)

    wait_for(listening, "every container to listen")
    return take(mine.stage.sources)


def run(stage: Stage, name: str, *ports: int, network: str = "podman", options: list[str] | None = None) -> None:
    """Start a container whose program listens on ports."""
    given = ["run", "-d", "--name", name, "--stop-timeout", "0", "--network", network, *(options or [])]
    stage.podman(*given, stage.image, "perl", "-e", PROGRAM, *map(str, ports))


def picture(stage: Stage) -> Evidence:
    """What there is, once every running container listens."""
    names = stage.podman("ps", "--format", "{{.Names}}").split()

    def listening() -> bool:
        return all(stage.run("ss -Hltn", on=name).strip() for name in names)

    wait_for(listening, "every container to listen")
    return take(stage.sources)


def of(evidence: Evidence, name: str) -> tuple[str, str]:
    """A container by its host and its id, as changes name it."""
    return next((one.host, one.id) for one in evidence.containers if one.name == name)


CHANGES: Final[dict[str, Callable[[Evidence], Change]]] = {
    "start": lambda seen: Start(*of(seen, "ended")),
    "stop": lambda seen: Stop(*of(seen, "web")),
    "stop the last one": lambda seen: Stop(*of(seen, "six")),
    "restart": lambda seen: Restart(*of(seen, "web")),
    "restart on two families": lambda seen: Restart(*of(seen, "six")),
    "restart on an internal network": lambda seen: Restart(*of(seen, "shut")),
    "restart a network": lambda seen: RestartAll(of(seen, "web")[0], "one"),
    "reload": lambda seen: ReloadNetworks(of(seen, "web")[0]),
    "connect": lambda seen: Connect(*of(seen, "plain"), "one"),
    "connect to two families": lambda seen: Connect(*of(seen, "web"), "dual"),
    "connect to an internal network": lambda seen: Connect(*of(seen, "web"), "inner"),
    "connect from an internal network": lambda seen: Connect(*of(seen, "shut"), "podman"),
    "connect to a network without its bridge": lambda seen: Connect(*of(seen, "web"), "podman"),
    "disconnect": lambda seen: Disconnect(*of(seen, "web"), "one"),
    "publish": lambda seen: Publish(*of(seen, "client"), Published("tcp", 82, 8090, "")),
    "publish on an address": lambda seen: Publish(*of(seen, "client"), Published("tcp", 82, 8090, "203.0.113.10")),
    "republish": lambda seen: Republish(
        *of(seen, "web"), Published("tcp", 81, 8081, "127.0.0.1"), Published("tcp", 81, 8081, "")
    ),
    "unpublish": lambda seen: Unpublish(*of(seen, "web"), Published("tcp", 80, 8080, "")),
    "on another network": lambda seen: NewOnNetwork(*of(seen, "web"), "dual"),
    "with another's network": lambda seen: NewWithNetworkOf(*of(seen, "client"), of(seen, "plain")[1]),
    "on the host's network": lambda seen: NewOnHostNetwork(*of(seen, "client")),
    "an internal network": lambda seen: RecreateNetwork(of(seen, "web")[0], "one", internal=True),
    "another subnet": lambda seen: RecreateNetwork(
        of(seen, "web")[0], "one", subnets=(ipaddress.ip_network("10.89.77.0/24"),)
    ),
    "an alias": lambda seen: AddAlias(*of(seen, "web"), "one", "db"),
    "a line in a container's hosts file": lambda seen: NewWithHostsLine(*of(seen, "client"), "db", TARGET),
    "a container's resolver": lambda seen: NewWithResolver(*of(seen, "client"), TARGET),
    "a line in the host's hosts file": lambda seen: AddHostsLine(of(seen, "web")[0], "web", TARGET),
    "no line in the host's hosts file": lambda seen: RemoveHostsLine(
        of(seen, "web")[0], "box", ipaddress.ip_address("127.0.1.1")
    ),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_is_what_its_command_does(scene: Stage, name: str) -> None:
    """All that the changed picture predicts, and all that Podman set up in it, is so after the command."""
    before = picture(scene)
    change = CHANGES[name](before)
    made = apply(change, before)
    scene.run(command(change, before))
    assert differences(made, picture(scene)) == []


#: What somebody did to the host before, and a change that may mend it.
AFTER_DAMAGE: Final[dict[str, tuple[str, Callable[[Evidence], Change]]]] = {
    "a bridge is gone: restart one": ("ip link del podman1", lambda seen: Restart(*of(seen, "web"))),
    "a bridge is gone: restart all": ("ip link del podman1", lambda seen: RestartAll(of(seen, "web")[0], "one")),
    "a bridge is gone: reload": ("ip link del podman1", lambda seen: ReloadNetworks(of(seen, "web")[0])),
    "a bridge is gone: stop": ("ip link del podman1", lambda seen: Stop(*of(seen, "web"))),
    "a bridge has no address: restart one": (
        "ip address flush dev podman1",
        lambda seen: Restart(*of(seen, "web")),
    ),
    "a bridge has no address: restart all": (
        "ip address flush dev podman1",
        lambda seen: RestartAll(of(seen, "web")[0], "one"),
    ),
    "a bridge has no address: reload": (
        "ip address flush dev podman1",
        lambda seen: ReloadNetworks(of(seen, "web")[0]),
    ),
    "the rules are gone: restart one": (
        "iptables -F; iptables -t nat -F; iptables -X; iptables -t nat -X",
        lambda seen: Restart(*of(seen, "web")),
    ),
    "the rules are gone: reload": (
        "iptables -F; iptables -t nat -F; iptables -X; iptables -t nat -X",
        lambda seen: ReloadNetworks(of(seen, "web")[0]),
    ),
    "a container's interface is gone: restart": (
        "nsenter -t $(podman inspect --format '{{.State.Pid}}' web) -n ip link del eth0",
        lambda seen: Restart(*of(seen, "web")),
    ),
    "a container's route is gone: restart": (
        "nsenter -t $(podman inspect --format '{{.State.Pid}}' web) -n ip route del default",
        lambda seen: Restart(*of(seen, "web")),
    ),
    "a port was moved off the bridge: restart": (
        "ip link set $(ip -o link show master podman1 | head -1 | cut -d: -f2 | cut -d@ -f1) nomaster",
        lambda seen: Restart(*of(seen, "web")),
    ),
    "forwarding is off: restart": ("sysctl -w net.ipv4.ip_forward=0", lambda seen: Restart(*of(seen, "web"))),
    "forwarding is off: connect": ("sysctl -w net.ipv4.ip_forward=0", lambda seen: Connect(*of(seen, "web"), "dual")),
}


@pytest.mark.parametrize("name", list(AFTER_DAMAGE))
def test_a_change_of_a_damaged_host(scene: Stage, name: str) -> None:
    """Of what somebody destroyed as much is mended, and as much is left, as in the changed picture."""
    damage, ask = AFTER_DAMAGE[name]
    scene.run(damage)
    before = picture(scene)
    change = ask(before)
    made = apply(change, before)
    scene.run(command(change, before))
    assert differences(made, picture(scene)) == []


#: Of containers that share a network, one that has none, one that has the host's, and one with a fixed address.
PLACED: Final[dict[str, Callable[[Evidence], Change]]] = {
    "restart the one that others share": lambda seen: Restart(*of(seen, "web")),
    "stop the one that others share": lambda seen: Stop(*of(seen, "web")),
    "restart one that shares": lambda seen: Restart(*of(seen, "beside")),
    "stop one that shares": lambda seen: Stop(*of(seen, "beside")),
    "start one that shares with the other": lambda seen: Start(*of(seen, "later"), ports=(84,)),
    "restart a member": lambda seen: Restart(*of(seen, "member")),
    "restart on the host's network": lambda seen: Restart(*of(seen, "open")),
    "restart without a network": lambda seen: Restart(*of(seen, "alone")),
    "restart with a fixed address": lambda seen: Restart(*of(seen, "fixed")),
}


@pytest.mark.parametrize("name", list(PLACED))
def test_a_change_of_containers_that_share(scene: Stage, name: str) -> None:
    """Whoever shares a network is left behind, comes along, or is named, as in the changed picture."""
    run(scene, "beside", 83, network="container:web")
    scene.podman("create", "--name", "later", "--network", "container:ended", scene.image, "perl", "-e", PROGRAM, "84")
    infra = ("--infra-image", scene.image, "--infra-command", "sleep infinity")
    scene.podman("pod", "create", "--name", "pod", *infra, "-p", "8300:80")
    scene.podman("run", "-d", "--pod", "pod", "--name", "member", scene.image, "perl", "-e", PROGRAM, "80")
    run(scene, "open", 85, network="host")
    run(scene, "alone", 86, network="none")
    run(scene, "fixed", 87, network="one", options=["--ip", "10.89.1.77"])
    before = picture(scene)
    change = PLACED[name](before)
    made = apply(change, before)
    scene.run(command(change, before))
    assert differences(made, picture(scene)) == []


OF_A_USER: Final[dict[str, Callable[[Evidence], Change]]] = {
    "start": lambda seen: Start(*of(seen, "ended")),
    "stop": lambda seen: Stop(*of(seen, "web")),
    "restart": lambda seen: Restart(*of(seen, "web")),
    "restart on slirp4netns": lambda seen: Restart(*of(seen, "slirp")),
    "restart a network": lambda seen: RestartAll(of(seen, "web")[0], "podman"),
    "reload": lambda seen: ReloadNetworks(of(seen, "web")[0]),
    "disconnect": lambda seen: Disconnect(*of(seen, "web"), "podman"),
    "publish": lambda seen: Publish(*of(seen, "client"), Published("tcp", 8200, 8090, "")),
    "publish on slirp4netns": lambda seen: Publish(*of(seen, "slirp"), Published("tcp", 80, 8061, "")),
    "from slirp4netns to a bridge": lambda seen: NewOnNetwork(*of(seen, "slirp"), "podman"),
    "on the host's network": lambda seen: NewOnHostNetwork(*of(seen, "client")),
}


@pytest.mark.parametrize("name", list(OF_A_USER))
def test_a_change_is_what_its_command_does_for_a_user(own_scene: Rootless, name: str) -> None:
    """The same for an ordinary user's Podman, whose bridges and helpers are others."""
    before = picture_of(own_scene)
    change = OF_A_USER[name](before)
    made = apply(change, before)
    own_scene.user.run(["sh", "-ec", command(change, before)])
    assert differences(made, picture_of(own_scene)) == []
