"""The bind address of a forward, by OpenSSH's rules."""

from __future__ import annotations

import pytest

from testbed.errors import UsageError
from testbed.hosts_file import HostsFile
from testbed.tunnel.bind import bind_addresses

HOSTS = HostsFile.parse("10.88.0.1 bridge\n10.0.0.1 two\n2001:db8::1 two\n192.0.2.1 localhost\n")

LOOPBACKS = ["127.0.0.1", "::1"]
WILDCARDS = ["0.0.0.0", "::"]


@pytest.mark.parametrize(
    ("bind", "gateway_ports", "addresses"),
    [
        # None given: GatewayPorts decides, and nothing else does.
        (None, False, LOOPBACKS),
        (None, True, WILDCARDS),
        # Words for every interface.
        ("", False, WILDCARDS),
        ("*", False, WILDCARDS),
        ("*", True, WILDCARDS),
        # localhost is both loopback addresses whatever the hosts file says.
        ("localhost", False, LOOPBACKS),
        ("localhost", True, LOOPBACKS),
        # An address is exactly itself, a wildcard one of its own family only.
        ("127.0.0.1", False, ["127.0.0.1"]),
        ("127.0.0.1", True, ["127.0.0.1"]),
        ("::1", False, ["::1"]),
        ("10.88.0.1", False, ["10.88.0.1"]),
        ("0.0.0.0", False, ["0.0.0.0"]),
        ("::", False, ["::"]),
        # A name is what the hosts file says.
        ("bridge", False, ["10.88.0.1"]),
        ("two", False, ["10.0.0.1", "2001:db8::1"]),
    ],
)
def test_bind_address_means_what_it_means_to_ssh(bind: str | None, gateway_ports: bool, addresses: list[str]) -> None:
    """Each bind address gives the sockets that ``ssh -L`` makes for it."""
    found = bind_addresses(bind, HOSTS, gateway_ports=gateway_ports)
    assert [str(address) for address in found] == addresses


def test_omitted_gateway_ports_is_no() -> None:
    """As in ssh_config(5), forwards stay on loopback unless asked otherwise."""
    assert [str(address) for address in bind_addresses(None, HOSTS)] == LOOPBACKS


def test_unknown_name_is_refused() -> None:
    """A name that the hosts file does not have is a UsageError with the name and what to give instead."""
    with pytest.raises(UsageError) as caught:
        bind_addresses("podman0", HOSTS)
    assert str(caught.value) == (
        "bind address 'podman0' is no address and not in the hosts file: give an address of the host"
    )
