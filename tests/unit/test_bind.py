"""The bind address of a forward, by OpenSSH's rules."""

from __future__ import annotations

import ipaddress

import pytest

from testbed import bind
from testbed.bind import Bind, EveryAddress, Localhost, NamedHost, NoTunnel, OneAddress, Unspecified
from testbed.errors import UsageError
from testbed.hosts_file import HostsFile

HOSTS = HostsFile.parse("10.88.0.1 bridge\n10.0.0.1 two\n2001:db8::1 two\n192.0.2.1 localhost\n")

LOOPBACKS = ["127.0.0.1", "::1"]
WILDCARDS = ["0.0.0.0", "::"]


@pytest.mark.parametrize(
    ("written", "gateway_ports", "addresses"),
    [
        # None given: GatewayPorts decides, and nothing else does.
        ("default", False, LOOPBACKS),
        ("default", True, WILDCARDS),
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
        # Without a tunnel nothing listens.
        ("none", False, []),
        ("none", True, []),
    ],
)
def test_bind_address_means_what_it_means_to_ssh(written: str, gateway_ports: bool, addresses: list[str]) -> None:
    """Each bind address gives the sockets that ``ssh -L`` makes for it."""
    found = bind.addresses(bind.parse(written), HOSTS, gateway_ports=gateway_ports)
    assert [str(address) for address in found] == addresses


def test_omitted_gateway_ports_is_no() -> None:
    """As in ssh_config(5), forwards stay on loopback unless asked otherwise."""
    assert [str(address) for address in bind.addresses(Unspecified(), HOSTS)] == LOOPBACKS


def test_unknown_name_is_refused() -> None:
    """A name that the hosts file does not have is a UsageError with the name and what to give instead."""
    with pytest.raises(UsageError) as caught:
        bind.addresses(NamedHost("podman0"), HOSTS)
    assert str(caught.value) == (
        "bind address 'podman0' is no address and not in the hosts file: give an address of the host"
    )


CASES: list[tuple[str, Bind]] = [
    ("none", NoTunnel()),
    ("default", Unspecified()),
    ("*", EveryAddress()),
    ("localhost", Localhost()),
    ("10.88.0.1", OneAddress(ipaddress.ip_address("10.88.0.1"))),
    ("::", OneAddress(ipaddress.ip_address("::"))),
    ("laptop", NamedHost("laptop")),
]


@pytest.mark.parametrize(("written", "case"), CASES, ids=[written for written, _ in CASES])
def test_each_case_is_read_and_written_by_one_word(written: str, case: Bind) -> None:
    """What is read is the case that says so, and writing it gives the word again."""
    assert bind.parse(written) == case
    assert bind.text(case) == written


def test_the_empty_bind_address_is_every_address() -> None:
    """As in ``ssh -L :port:host:port`` (ssh(1)), and it is written as the other word for that."""
    assert bind.parse("") == EveryAddress()
    assert bind.text(bind.parse("")) == "*"


@pytest.mark.parametrize(
    "written", ["300.1.1.1", "127.0.0.1:19001", "x y", "-o", "a/b", "name.", "10", "\x1b[31m", "ü"]
)
def test_what_is_neither_address_nor_name_is_refused_before_anything_is_looked_up(written: str) -> None:
    """One line with the value, quoted, and what can be given."""
    with pytest.raises(UsageError) as caught:
        bind.parse(written)
    assert str(caught.value).startswith(f"bind address {written!r} is neither an IP address nor a host name: give ")
    assert "\n" not in str(caught.value)


def test_a_forward_cannot_be_told_that_there_is_no_tunnel() -> None:
    """Whoever asks for a forward gives an address, by a word or as its case."""
    assert bind.address("localhost") == bind.address(Localhost()) == Localhost()
    with pytest.raises(UsageError, match="bind address 'none' means no tunnel, and a forward was asked for"):
        bind.address("none")


def test_a_report_says_whether_there_is_a_tunnel() -> None:
    """No tunnel is not an address, and every address not an empty one."""
    assert bind.described(NoTunnel()) == "no tunnel"
    assert bind.described(EveryAddress()) == "tunnel bound to *"
