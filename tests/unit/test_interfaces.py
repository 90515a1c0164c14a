"""Sysctls and routes of a topology, sorted by interface."""

from __future__ import annotations

import pytest

from testbed.topology.interfaces import routes_through, sysctl_path, sysctls_but, sysctls_of

_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.wan0.rp_filter": "2",
    "net.ipv6.neigh.wan0.base_reachable_time_ms": "1000",
    "net.ipv4.conf.wan0.7.rp_filter": "1",
}


@pytest.mark.parametrize(
    ("link", "names"),
    [
        ("wan0", ["net.ipv4.conf.wan0.rp_filter", "net.ipv6.neigh.wan0.base_reachable_time_ms"]),
        ("wan0.7", ["net.ipv4.conf.wan0.7.rp_filter"]),
        ("lan0", []),
    ],
)
def test_an_interface_has_its_own_sysctls(link: str, names: list[str]) -> None:
    """A parameter with an interface's name in it is that one's, also where the name has a dot in it."""
    assert list(sysctls_of(link, _SYSCTLS)) == names


def test_other_sysctls_are_the_namespaces() -> None:
    """Without those of some interfaces the rest remains, in its order."""
    assert list(sysctls_but(["wan0", "wan0.7"], _SYSCTLS)) == ["net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.wan0.rp_filter", "net/ipv4/conf/wan0/rp_filter"),
        ("net.ipv6.conf.wan0.7.forwarding", "net/ipv6/conf/wan0.7/forwarding"),
    ],
)
def test_a_sysctl_is_a_file(name: str, path: str) -> None:
    """Dots are slashes below /proc/sys, but for those of an interface's name."""
    assert sysctl_path(name) == path


@pytest.mark.parametrize(
    ("address", "destinations"),
    [
        ("192.0.2.2/24", ["default", "203.0.113.0/27"]),
        ("2001:db8:1::2/64", ["::/0"]),
        ("198.51.100.1/24", []),
        (None, []),
    ],
    ids=["IPv4", "IPv6", "another link", "no address"],
)
def test_routes_go_through_the_interface_of_their_gateway(address: str | None, destinations: list[str]) -> None:
    """A route leaves by the interface within whose prefix its gateway is, whatever its destination."""
    routes = {"default": "192.0.2.1", "::/0": "2001:db8:1::1", "203.0.113.0/27": "192.0.2.9"}
    assert list(routes_through(address, routes)) == destinations
