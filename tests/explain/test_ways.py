"""Ways of containers that wg-quick, macvlans, IPv6 and a removed bridge make: predicted, and as they are."""

from __future__ import annotations

from testbed.model import Outcome
from testbed.predict import Disposition, Prediction
from testbed.predict.barrier import MacvlanParent, NotAPort
from testbed.predict.ending import Martian, NoListener, NoNeighbour
from tests.unit.predicted import packet_ending
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage


def agreed(stage: Stage, place: str, target: str) -> Prediction:
    """Predict an attempt, and make it: both end alike. Nobody having an address takes three seconds (arp(7))."""
    told = stage.why(place, target, seconds=4.5).explanation
    predicted, seen = told.prediction, told.observation
    assert predicted is not None
    assert seen is not None
    assert (predicted.outcome, predicted.errno) == (seen.outcome, seen.errno), predicted.why
    return predicted


def test_with_the_rules_of_wg_quick_containers_are_predicted_as_without(stage: Stage) -> None:
    """A listener of the host's loopback is not there for a container, the LAN and a published port are."""
    stage.container("web", "-p", f"8080:{PORT}")
    stage.container("client")
    stage.listen("web")
    stage.listen(NEIGHBOUR)
    stage.listen(HOST, "127.0.0.1", 9000)
    stage.run(
        "ip link add wg0 type bridge; ip address add 10.66.0.2/32 dev wg0; ip link set wg0 up;"
        "ip rule add not fwmark 51820 table 51820; ip rule add table main suppress_prefixlength 0;"
        "ip route add default dev wg0 table 51820; sysctl -qw net.ipv4.conf.all.src_valid_mark=1"
    )
    assert isinstance(packet_ending(agreed(stage, "client", "tcp://10.88.0.1:9000")), NoListener)
    for place, target in (
        ("client", f"tcp://{NEIGHBOUR_LAN}:{PORT}"),
        ("client", f"tcp://{HOST_LAN}:8080"),
        (NEIGHBOUR, f"tcp://{HOST_LAN}:8080"),
        (HOST, "tcp://127.0.0.1:8080"),
    ):
        assert agreed(stage, place, target).outcome is Outcome.CONNECTED


def test_a_container_of_a_macvlan_network_reaches_all_but_the_host(stage: Stage) -> None:
    """Its sibling and the LAN; the host, whose interface is the parent, neither way."""
    stage.podman(
        "network", "create", "-d", "macvlan", "-o", "parent=lan0", "--subnet", "203.0.113.0/27",
        "--gateway", NEIGHBOUR_LAN, "outer",
    )  # fmt: skip
    for name, last in (("one", 5), ("two", 6)):
        stage.container(name, "--ip", f"203.0.113.{last}", network="outer")
    for name in ("one", "two", HOST, NEIGHBOUR):
        stage.listen(name)
    for place, address in (("one", "203.0.113.6"), ("one", NEIGHBOUR_LAN), (NEIGHBOUR, "203.0.113.5")):
        assert agreed(stage, place, f"tcp://{address}:{PORT}").outcome is Outcome.CONNECTED
    for place, address in (("one", HOST_LAN), (HOST, "203.0.113.5")):
        ending = packet_ending(agreed(stage, place, f"tcp://{address}:{PORT}"))
        assert isinstance(ending, NoNeighbour)
        assert isinstance(ending.barrier, MacvlanParent)


def test_a_published_port_is_not_to_be_had_by_the_loopback_of_ipv6(stage: Stage) -> None:
    """By that of IPv4 it is, and by the IPv6 address of the bridge; no sysctl would change that."""
    stage.podman("network", "create", "--ipv6", "--subnet", "10.89.3.0/24", "--subnet", "fd00:3::/64", "dual")
    stage.container("web", "-p", f"8080:{PORT}", network="dual")
    for address in ("0.0.0.0", "::"):
        stage.listen("web", address)
    for address in ("127.0.0.1", "[fd00:3::1]"):
        assert agreed(stage, HOST, f"tcp://{address}:8080").outcome is Outcome.CONNECTED
    ending = packet_ending(agreed(stage, HOST, "tcp://[::1]:8080"))
    assert isinstance(ending, Martian)
    assert (str(ending.address), ending.sysctls) == ("::1", ())


def test_containers_of_a_bridge_that_was_removed_are_at_the_end_of_a_cable(stage: Stage) -> None:
    """``ip link del`` leaves their interfaces up, with the host's ends ports of nothing."""
    for name in ("web", "client"):
        stage.container(name)
        stage.listen(name)
    address = stage.podman("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "web").strip()
    assert agreed(stage, "client", f"tcp://{address}:{PORT}").outcome is Outcome.CONNECTED
    stage.run("ip link del podman0")
    stage.run("ip neighbour flush all", on="client")
    for target in (address, "10.88.0.1"):
        ending = packet_ending(agreed(stage, "client", f"tcp://{target}:{PORT}"))
        assert isinstance(ending, NoNeighbour)
        assert isinstance(ending.barrier, NotAPort)
    assert agreed(stage, HOST, f"tcp://{address}:{PORT}").disposition is Disposition.NO_ROUTE
