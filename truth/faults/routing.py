"""Faults of networks, routes, interfaces and paths."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.explain.codes import Cause
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"
_LAN = f"http://{NEIGHBOUR_LAN}:{PORT}/"
#: An address behind the neighbour (TEST-NET-2, RFC 5737).
_BEHIND = "198.51.100.5"
#: A link of a tunnel or VPN.
_NARROW = 1400


def _address(stage: Stage, container: str) -> str:
    """The first address of a container."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    return stage.podman("inspect", "--format", form, container).split()[0]


def _behind_neighbour(stage: Stage) -> None:
    """Give the neighbour an address of another network, where it listens."""
    stage.run(f"ip address add {_BEHIND}/32 dev lo", on=NEIGHBOUR)
    stage.listen(NEIGHBOUR)


# --- networks ---------------------------------------------------------------------------------------------------------


@fault(Cause.NO_NETWORK)
def a_container_without_a_network(stage: Stage) -> Iterator[Broken]:
    """``--network none``: nothing but a loopback."""
    stage.container("client", network="none")
    stage.listen(NEIGHBOUR)
    yield Broken("client", _LAN, cure=lambda: stage.container("cured"), cured_place="cured")


@fault(Cause.INTERNAL_NETWORK)
def a_container_on_an_internal_network(stage: Stage) -> Iterator[Broken]:
    """``--internal``: no default route."""
    stage.podman("network", "create", "--internal", "inner")
    stage.container("client", network="inner")
    stage.listen(NEIGHBOUR)
    yield Broken("client", _LAN, cure_runs_on=HOST)


@fault(Cause.INTERNAL_NETWORK)
def a_route_out_of_an_internal_network(stage: Stage) -> Iterator[Broken]:
    """A default route made by hand does not help: the host forwards nothing from that bridge."""
    stage.podman("network", "create", "--internal", "--subnet", "10.89.7.0/24", "inner")
    stage.container("client", network="inner")
    stage.run("ip route add default via 10.89.7.1", on="client")
    stage.listen(NEIGHBOUR)

    def cure() -> None:
        stage.podman("network", "connect", "podman", "client")
        stage.run("ip route del default via 10.89.7.1", on="client")

    yield Broken("client", _LAN, cure=cure)


@fault(Cause.NETWORKS_ISOLATED)
def two_networks_that_are_kept_apart(stage: Stage) -> Iterator[Broken]:
    """``isolate``, as docker-compose gets it: the address is known, and what is sent there is dropped."""
    for name in ("one", "other"):
        stage.podman("network", "create", "--opt", "isolate=true", name)
    stage.container("client", network="one")
    stage.container("server", network="other")
    stage.listen("server")
    yield Broken("client", f"http://{_address(stage, 'server')}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.NO_ROUTE)
def an_address_on_another_network(stage: Stage) -> Iterator[Broken]:
    """The container has lost its default route, and the other network is none of its own."""
    for name in ("one", "other"):
        stage.podman("network", "create", name)
    stage.container("client", network="one")
    stage.container("server", network="other")
    stage.listen("server")
    stage.run("ip route del default", on="client")
    yield Broken("client", f"http://{_address(stage, 'server')}:{PORT}/", cure_runs_on=HOST)


# --- routes -----------------------------------------------------------------------------------------------------------


@fault(Cause.NO_ROUTE)
def a_host_without_a_route(stage: Stage) -> Iterator[Broken]:
    """The container sends it to its host, and the host knows no way."""
    stage.container("client")
    _behind_neighbour(stage)
    yield Broken("client", f"http://{_BEHIND}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.NO_ROUTE)
def a_container_without_a_default_route(stage: Stage) -> Iterator[Broken]:
    """The network is there, and leads nowhere else."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run("ip route del default", on="client")
    yield Broken("client", _LAN, cure_runs_on=HOST)


@fault(Cause.NO_ROUTE)
def a_server_without_a_way_back(stage: Stage) -> Iterator[Broken]:
    """The question arrives at the container, and it has no route for the answer."""
    stage.container("server")
    stage.listen("server")
    stage.run("ip route del default", on="server")
    yield Broken(NEIGHBOUR, f"http://{_address(stage, 'server')}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.NO_ROUTE)
def a_server_without_a_way_back_that_filters(stage: Stage) -> Iterator[Broken]:
    """The same where rp_filter is loose, as netavark 1.11 and later set it: the question is dropped, not the answer."""
    stage.container("server")
    stage.listen("server")
    stage.run("ip route del default; sysctl -qw net.ipv4.conf.eth0.rp_filter=2", on="server")
    yield Broken(NEIGHBOUR, f"http://{_address(stage, 'server')}:{PORT}/", cure_runs_on=HOST)


def _forbidden(stage: Stage, kind: str, *, place: str = HOST) -> Broken:
    """A route of the host that leads nowhere."""
    stage.listen(NEIGHBOUR)
    stage.run(f"ip route add {kind} {NEIGHBOUR_LAN}/32")
    return Broken(place, _LAN, cure_runs_on=HOST)


@fault(Cause.ROUTE_FORBIDS)
def an_unreachable_route(stage: Stage) -> Iterator[Broken]:
    """No route to host, says the host's own routing table."""
    yield _forbidden(stage, "unreachable")


@fault(Cause.ROUTE_FORBIDS)
def a_prohibit_route(stage: Stage) -> Iterator[Broken]:
    """Permission denied, and no firewall in sight."""
    yield _forbidden(stage, "prohibit")


@fault(Cause.ROUTE_FORBIDS)
def a_blackhole_route(stage: Stage) -> Iterator[Broken]:
    """Invalid argument, says the C library."""
    yield _forbidden(stage, "blackhole")


@fault(Cause.ROUTE_FORBIDS)
def a_blackhole_route_on_the_way(stage: Stage) -> Iterator[Broken]:
    """The container's host has it: the packet is gone without a word."""
    stage.container("client")
    yield _forbidden(stage, "blackhole", place="client")


@fault(Cause.ROUTE_FORBIDS)
def a_policy_rule_that_forbids(stage: Stage) -> Iterator[Broken]:
    """As VPN programs' kill switches do it: ip rule, not ip route."""
    stage.listen(NEIGHBOUR)
    stage.run(f"ip rule add priority 1000 to {NEIGHBOUR_LAN} prohibit")
    yield Broken(HOST, _LAN, cure_runs_on=HOST)


@fault(Cause.SUBNET_SHADOWS)
def a_network_over_a_route_of_the_lan(stage: Stage) -> Iterator[Broken]:
    """The company's 10.89.0.0/16 is behind the neighbour, and Podman makes a network of 10.89.5.0/24."""
    target = "10.89.5.77"
    stage.run(f"ip address add {target}/32 dev lo", on=NEIGHBOUR)
    stage.listen(NEIGHBOUR)
    stage.run(f"ip route add 10.89.0.0/16 via {NEIGHBOUR_LAN}")
    stage.podman("network", "create", "--subnet", "10.89.5.0/24", "office")
    stage.container("client", network="office")

    def cure() -> None:
        stage.podman("rm", "--force", "--time", "0", "client")
        stage.podman("network", "rm", "office")
        stage.podman("network", "create", "--subnet", "10.200.5.0/24", "office")
        stage.container("client", network="office")

    yield Broken("client", f"http://{target}:{PORT}/", cure=cure)


@fault(Cause.NOBODY_HAS_ADDRESS)
def an_address_that_nobody_has(stage: Stage) -> Iterator[Broken]:
    """Within the network, and no container has it (any more)."""
    stage.container("client")
    stage.container("server")
    stage.listen("server")
    server = _address(stage, "server")
    yield Broken("client", f"http://10.88.0.77:{PORT}/", cure=lambda: None, cured_target=f"http://{server}:{PORT}/")


@fault(Cause.STALE_NEIGHBOUR)
def a_server_with_another_mac_address(stage: Stage) -> Iterator[Broken]:
    """It was started anew, with its old address: who spoke to it before still sends to where it was."""
    stage.container("client")
    stage.container("server")
    stage.listen("server")
    target = f"http://{_address(stage, 'server')}:{PORT}/"
    stage.connect("client", target)
    # netavark 1.14 has it announced, and 1.4 does not (ip-sysctl, arp_notify).
    stage.run("sysctl -qw net.ipv4.conf.eth0.arp_notify=0; ip link set eth0 address 02:00:00:00:00:77", on="server")
    yield Broken("client", target, cure_runs_on=HOST)


# --- what the kernel refuses to do ------------------------------------------------------------------------------------


@fault(Cause.FORWARDING_OFF)
def a_host_that_does_not_forward(stage: Stage) -> Iterator[Broken]:
    """Podman turned it on, and a sysctl file turned it off again."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run("sysctl -qw net.ipv4.ip_forward=0")
    yield Broken("client", _LAN, cure_runs_on=HOST)


@fault(Cause.FORWARDING_OFF)
def a_bridge_that_does_not_forward(stage: Stage) -> Iterator[Broken]:
    """The switch of one interface, which ip_forward does not show."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run("sysctl -qw net.ipv4.conf.podman0.forwarding=0")
    yield Broken("client", _LAN, cure_runs_on=HOST)


@fault(Cause.REVERSE_PATH)
def an_answer_by_the_other_network(stage: Stage) -> Iterator[Broken]:
    """A container on two networks is called on one and answers by the other, and rp_filter is strict."""
    stage.podman("network", "create", "--subnet", "10.89.6.0/24", "other")
    stage.container("server", "--network", "other")
    stage.listen("server")
    stage.run("ip route flush default; ip route add default via 10.89.6.1", on="server")
    for bridge in stage.run("ls /sys/class/net | grep ^podman").split():
        stage.run(f"sysctl -qw net.ipv4.conf.{bridge}.rp_filter=1")
    address = stage.run("ip -o -4 address show | grep -o '10[.]88[^/ ]*' | head -1", on="server").strip()
    yield Broken(NEIGHBOUR, f"http://{address}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.REVERSE_PATH)
def a_source_that_is_routed_elsewhere(stage: Stage) -> Iterator[Broken]:
    """The neighbour speaks from an address for which the host has another way: not even ARP is answered."""
    stage.listen(HOST)
    stage.run("ip link add other type bridge; ip link set other up; ip route add 192.0.2.0/24 dev other")
    stage.run("sysctl -qw net.ipv4.conf.lan0.rp_filter=1")
    stage.run("ip address add 192.0.2.9/32 dev lo", on=NEIGHBOUR)
    stage.run(f"ip route add {HOST_LAN}/32 dev lan0 src 192.0.2.9", on=NEIGHBOUR)
    yield Broken(NEIGHBOUR, f"http://{HOST_LAN}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.LOOPBACK_FROM_OUTSIDE)
def a_rule_that_rewrites_to_the_loopback(stage: Stage) -> Iterator[Broken]:
    """Somebody meant to make a loopback listener reachable, by DNAT."""
    stage.container("client")
    listening = stage.listen(HOST, "127.0.0.1")
    rule = f"PREROUTING -i podman0 -p tcp --dport 9000 -j DNAT --to-destination 127.0.0.1:{PORT}"
    stage.run(f"iptables -t nat -A {rule}")

    def cure() -> None:
        stage.run(f"iptables -t nat -D {rule}")
        stage.stop(listening)
        stage.listen(HOST, GATEWAY, 9000)

    yield Broken("client", "http://host.containers.internal:9000/", cure=cure)


# --- interfaces -------------------------------------------------------------------------------------------------------


@fault(Cause.LINK_DOWN)
def a_neighbour_whose_cable_is_out(stage: Stage) -> Iterator[Broken]:
    """The other end of the host's LAN interface is down."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run("ip link set lan0 down", on=NEIGHBOUR)
    yield Broken("client", _LAN, cure_runs_on=NEIGHBOUR)


@fault(Cause.LINK_DOWN)
def a_host_whose_interface_is_down(stage: Stage) -> Iterator[Broken]:
    """With its interface the route has gone too: it looks like a missing route."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run("ip link set lan0 down")
    yield Broken("client", _LAN, cure_runs_on=HOST)


@fault(Cause.LINK_DOWN)
def a_server_whose_interface_is_down(stage: Stage) -> Iterator[Broken]:
    """Nobody answers for the container's address, though it runs and listens."""
    stage.container("client")
    stage.container("server")
    stage.listen("server")
    stage.run("ip link set eth0 down", on="server")
    yield Broken("client", f"http://{_address(stage, 'server')}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.LINK_DOWN)
def a_client_whose_interface_is_down(stage: Stage) -> Iterator[Broken]:
    """Network unreachable, and the network is there."""
    stage.container("client")
    stage.listen(HOST)
    stage.run("ip link set eth0 down", on="client")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.LINK_DOWN)
def a_bridge_that_is_down(stage: Stage) -> Iterator[Broken]:
    """podman0 itself."""
    stage.container("client")
    stage.listen(HOST)
    stage.run("ip link set podman0 down")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.LINK_DOWN)
def a_port_of_the_bridge_that_is_down(stage: Stage) -> Iterator[Broken]:
    """The host's end of the container's veth pair."""
    stage.container("client")
    stage.listen(HOST)
    stage.run("ip link set $(ip -o link show type veth master podman0 | cut -d: -f2 | cut -d@ -f1) down")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.ROUTE_ASTRAY)
def a_route_for_one_address_of_a_range(stage: Stage) -> Iterator[Broken]:
    """The range is behind the neighbour, and a more specific route leads to the bridge."""
    target = "10.77.0.5"
    stage.run(f"ip address add {target}/32 dev lo", on=NEIGHBOUR)
    stage.listen(NEIGHBOUR)
    stage.container("client")
    stage.run(f"ip route add 10.77.0.0/16 via {NEIGHBOUR_LAN}; ip route add {target} dev podman0")
    yield Broken("client", f"http://{target}:{PORT}/", cure_runs_on=HOST)


@fault(Cause.BRIDGE_GONE)
def a_bridge_that_was_deleted(stage: Stage) -> Iterator[Broken]:
    """The network is there for Podman, and the kernel has no bridge for it any more."""
    stage.podman("network", "create", "shared")
    stage.container("client", network="shared")
    stage.container("server", network="shared")
    stage.listen("server")
    stage.run("ip link del $(podman network inspect --format '{{.NetworkInterface}}' shared)")

    def cure() -> None:
        stage.podman("stop", "--time", "0", "client", "server")
        stage.podman("start", "client", "server")
        stage.listen("server")

    yield Broken("client", f"http://server:{PORT}/", cure=cure)


@fault(Cause.BRIDGE_WITHOUT_ADDRESS)
def a_bridge_that_has_lost_its_address(stage: Stage) -> Iterator[Broken]:
    """As a network manager does that takes the bridge for its own."""
    stage.container("client")
    stage.listen(HOST)
    stage.run(f"ip address del {GATEWAY}/16 dev podman0")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.STALE_ADDRESS, meant=True)
def an_address_that_is_another_containers_now(stage: Stage) -> Iterator[Broken]:
    """Somebody kept an address that a container had before; another one has it, and does not listen there."""
    stage.container("client")
    stage.container("other", "--ip", "10.88.0.80")
    stage.container("web", "--ip", "10.88.0.90")
    stage.listen("web")
    target = f"http://10.88.0.80:{PORT}/"
    yield Broken("client", target, cure=lambda: None, cured_target=f"http://10.88.0.90:{PORT}/")


@fault(Cause.MACVLAN_APART)
def a_container_on_a_macvlan_of_the_hosts_own_interface(stage: Stage) -> Iterator[Broken]:
    """The LAN reaches it, and its host does not."""
    lan = "-d macvlan -o parent=lan0 --subnet 203.0.113.0/27 --gateway 203.0.113.20"
    stage.podman("network", "create", *lan.split(), "lan")
    stage.container("web", "--ip", "203.0.113.15", network="lan")
    stage.listen("web")
    yield Broken(HOST, f"http://203.0.113.15:{PORT}/", cure_runs_on=HOST)


@fault(Cause.DUPLICATE_ADDRESS)
def a_container_with_the_gateways_address(stage: Stage) -> Iterator[Broken]:
    """The host has it too, and nobody listens there."""
    stage.podman("network", "create", "--subnet", "10.89.7.0/24", "shared")
    stage.container("one", "--ip", "10.89.7.1", network="shared")
    stage.listen("one")
    stage.container("two", network="shared")

    def cure() -> None:
        stage.podman("rm", "--force", "--time", "0", "one")
        stage.container("one", "--ip", "10.89.7.9", network="shared")
        stage.listen("one")
        # Whoever asked while two had the address may keep the wrong one's hardware address for a minute (arp(7)).
        stage.run("ip neighbour flush dev eth0", on="two")

    yield Broken("two", f"http://one:{PORT}/", cure=cure)


# --- packets that are too large ---------------------------------------------------------------------------------------


@fault(Cause.MTU)
def a_large_request_through_a_narrow_link(stage: Stage) -> Iterator[Broken]:
    """The host's link takes 1400 bytes, the container sends 1500, and the ICMP message that says so is dropped."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run(f"ip link set lan0 mtu {_NARROW}; iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP")
    yield Broken("client", f"{_LAN}{'a' * 2000}", cure_runs_on=HOST)


@fault(Cause.MTU)
def a_large_answer_through_a_narrow_link(stage: Stage) -> Iterator[Broken]:
    """The question fits, and the answer does not: the bridge takes less than the server sends."""
    stage.container("client")
    stage.listen(NEIGHBOUR, deed="large")
    stage.run(f"ip link set podman0 mtu {_NARROW}; iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP")
    yield Broken("client", _LAN, cure_runs_on=HOST)
