"""Faults of names and of those who answer for them."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from typing import Final

from testbed.explain.codes import Cause
from testbed.waiting import wait_for
from truth.faults.fault import PODMAN_5, Broken, fault
from truth.faults.stage import GATEWAY, HOST, NEIGHBOUR_LAN, PORT, WILDCARD_DOMAIN, Stage

_SERVER: Final = f"http://server:{PORT}/"
_SUBNET: Final = "10.89.0.0/24"
_RESOLVER: Final = "10.89.0.1"


def _two_containers(stage: Stage, *networks: str) -> None:
    """A client and a server that listens, on a network each, or both on the one."""
    stage.container("client", "--stop-timeout", "0", network=networks[0])
    stage.container("server", network=networks[-1])
    stage.listen("server")


# --- names ------------------------------------------------------------------------------------------------------------


@fault(Cause.NAME_MISSING)
def a_name_that_nobody_knows(stage: Stage) -> Iterator[Broken]:
    """Neither the hosts file nor the resolver has it."""
    stage.container("client")
    stage.listen(HOST)
    named = f"backend.example:{GATEWAY}"
    yield Broken(
        "client",
        f"http://backend.example:{PORT}/",
        cure=lambda: stage.container("cured", "--add-host", named),
        cured_place="cured",
    )


@fault(Cause.NAME_MISSING)
def a_name_for_containers_said_by_the_host(stage: Stage) -> Iterator[Broken]:
    """host.containers.internal is written for containers; the host itself does not know it."""
    stage.listen(HOST)
    yield Broken(
        HOST,
        f"http://host.containers.internal:{PORT}/",
        cure=lambda: None,
        cured_target=f"http://localhost:{PORT}/",
    )


@fault(Cause.NAME_OF_OTHER_GATEWAY)
def a_name_of_the_other_gateway(stage: Stage) -> Iterator[Broken]:
    """On two networks the name is one gateway, by chance, and the listener is on the other one."""
    stage.podman("network", "create", "--subnet", _SUBNET, "other")
    stage.container("client", "--network", "other")
    hosts = stage.host.process(stage.pid("client")) / "root/etc/hosts"
    (named,) = {line.split()[0] for line in hosts.read_text().splitlines() if "host.containers.internal" in line}
    listening = stage.listen(HOST, GATEWAY if named == _RESOLVER else _RESOLVER)

    def cure() -> None:
        stage.stop(listening)
        stage.listen(HOST)

    yield Broken("client", f"http://host.containers.internal:{PORT}/", cure=cure)


@fault(Cause.SEARCH_DOMAIN)
def a_search_domain_with_a_wildcard(stage: Stage) -> Iterator[Broken]:
    """The name with the domain is the neighbour's, and the container's own is not asked for."""
    stage.podman("network", "create", "--subnet", _SUBNET, "shared")
    stage.container("server", network="shared")
    stage.container("client", "--dns-search", WILDCARD_DOMAIN, network="shared")
    stage.listen("server")
    yield Broken(
        "client",
        _SERVER,
        cure=lambda: stage.container("cured", "--dns-search=.", network="shared"),
        cured_place="cured",
    )


# --- the resolver -----------------------------------------------------------------------------------------------------


@fault(Cause.DNS_DISABLED)
def two_containers_on_the_default_network(stage: Stage) -> Iterator[Broken]:
    """Podman's default network answers for no names."""
    _two_containers(stage, "podman")
    yield Broken("client", _SERVER, cure_runs_on=HOST)


@fault(Cause.NETWORKS_NOT_SHARED)
def two_containers_on_a_network_each(stage: Stage) -> Iterator[Broken]:
    """Podman's resolver tells a container only of its own networks."""
    for name in ("one", "other"):
        stage.podman("network", "create", name)
    _two_containers(stage, "one", "other")
    yield Broken("client", _SERVER, cure_runs_on=HOST)


def _on_a_network_with_dns(stage: Stage, broken_by: str) -> Broken:
    """A client that asks Podman's resolver for the server's name."""
    stage.podman("network", "create", "--subnet", _SUBNET, "shared")
    _two_containers(stage, "shared")
    stage.run(broken_by)
    return Broken("client", _SERVER, cure_runs_on=HOST)


@fault(Cause.RESOLVER_BLOCKED)
def a_drop_of_dns(stage: Stage) -> Iterator[Broken]:
    """netavark 1.4 makes no rule that lets containers ask."""
    yield _on_a_network_with_dns(stage, "iptables -A INPUT -p udp --dport 53 -j DROP")


@fault(Cause.RESOLVER_BLOCKED)
def a_policy_that_does_not_think_of_dns(stage: Stage) -> Iterator[Broken]:
    """A firewall whose policy is drop, with the usual exceptions."""
    usual = "iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
    yield _on_a_network_with_dns(stage, f"{usual}; iptables -P INPUT DROP")


@fault(Cause.RESOLVER_BLOCKED)
def a_reject_of_dns(stage: Stage) -> Iterator[Broken]:
    """firewalld's way of saying no."""
    yield _on_a_network_with_dns(
        stage, "iptables -A INPUT -p udp --dport 53 -j REJECT --reject-with icmp-admin-prohibited"
    )


@fault(Cause.RESOLVER_BLOCKED)
def a_table_of_nftables_that_does_not_think_of_dns(stage: Stage) -> Iterator[Broken]:
    """The same by nft: the cure has to go into that table."""
    lines = [
        "table inet filter {",
        "chain input {",
        "type filter hook input priority 0",
        "policy drop",
        "ct state established,related accept",
        "iif lo accept",
        "}",
        "}",
    ]
    text = "\n".join(lines)
    yield _on_a_network_with_dns(stage, f"nft '{text}'")


def _dns_server_on_the_gateway(stage: Stage) -> subprocess.Popen[bytes]:
    """A network with DNS, on the port of whose resolver another program listens already."""
    stage.run("sysctl -qw net.ipv4.ip_nonlocal_bind=1")
    stage.podman("network", "create", "--subnet", _SUBNET, "shared")
    return stage.listen(HOST, _RESOLVER, 53, "udp")


@fault(Cause.RESOLVER_TAKEN, shown=PODMAN_5)
def a_dns_server_that_lets_no_container_start(stage: Stage) -> Iterator[Broken]:
    """Podman 5 does not start a container whose resolver cannot bind its port; the words are its own."""
    listening = _dns_server_on_the_gateway(stage)
    words = stage.run(f"podman run -d --name client --network shared {stage.image} sleep infinity 2>&1 || true")

    def cure() -> None:
        stage.stop(listening)
        stage.podman("rm", "--force", "client")
        _two_containers(stage, "shared")

    yield Broken(HOST, _SERVER, pasted=words, cure=cure, cured_place="client")


@fault(Cause.RESOLVER_TAKEN, shown=not PODMAN_5)
def a_dns_server_that_was_there_first(stage: Stage) -> Iterator[Broken]:
    """Another program has port 53 of the gateway, so aardvark-dns cannot bind it; the containers start all the same."""
    listening = _dns_server_on_the_gateway(stage)
    _two_containers(stage, "shared")

    def cure() -> None:
        stage.stop(listening)
        stage.podman("restart", "--time", "0", "client")

    yield Broken("client", _SERVER, cure=cure)


@fault(Cause.RESOLVER_DOWN)
def a_resolver_that_has_ended(stage: Stage) -> Iterator[Broken]:
    """aardvark-dns was killed: nobody answers on the gateway."""
    stage.podman("network", "create", "--subnet", _SUBNET, "shared")
    _two_containers(stage, "shared")
    stage.run("kill -9 $(ss -Hlunp 'sport = :53' | grep -o '\"aardvark-dns\",pid=[0-9]*' | cut -d= -f2 | sort -u)")
    wait_for(lambda: "aardvark" not in stage.run("ss -Hlunp 'sport = :53'"), "aardvark-dns to end")
    yield Broken("client", _SERVER, cure_runs_on=HOST)


@fault(Cause.RESOLVER_DOWN)
def a_resolver_where_nobody_listens(stage: Stage) -> Iterator[Broken]:
    """``--dns`` with an address that has no DNS server."""
    stage.container("client", "--dns", NEIGHBOUR_LAN)
    stage.listen(HOST)
    yield Broken(
        "client",
        f"http://backend.example:{PORT}/",
        cure=lambda: stage.container("cured", "--add-host", f"backend.example:{GATEWAY}"),
        cured_place="cured",
    )


@fault(Cause.STALE_HOSTS_LINE)
def a_name_with_an_address_of_before(stage: Stage) -> Iterator[Broken]:
    """``--add-host`` gave it to the container, whose resolver knows by now where the other one is."""
    stage.podman("network", "create", "--subnet", _SUBNET, "shared")
    stage.container("server", network="shared")
    stage.listen("server")
    stage.container("client", "--add-host", "server:10.89.0.99", network="shared")
    cure = functools.partial(stage.container, "cured", network="shared")
    yield Broken("client", _SERVER, cure=cure, cured_place="cured")
