"""The order of a name's addresses: the examples of RFC 6724, and what getent(1) of glibc 2.36 printed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from testbed.destination_order import Destination, ordered
from testbed.resolver_files import gai_rows


def destinations(*pairs: tuple[str, str, int]) -> list[Destination]:
    """Addresses, each with its source (empty for none) and the length of that one's prefix."""
    return [Destination(ip_address(to), ip_address(own) if own else None, bits) for to, own, bits in pairs]


@pytest.mark.parametrize("musl", [False, True], ids=["glibc", "musl"])
@pytest.mark.parametrize(
    ("found", "first"),
    [
        ([("198.51.100.121", "169.254.13.78", 16), ("2001:db8:1::1", "2001:db8:1::2", 64)], "2001:db8:1::1"),
        ([("2001:db8:1::1", "fe80::1", 64), ("198.51.100.121", "198.51.100.117", 24)], "198.51.100.121"),
        ([("10.1.2.3", "10.1.2.4", 24), ("2001:db8:1::1", "2001:db8:1::2", 64)], "2001:db8:1::1"),
        ([("2001:db8:1::1", "2001:db8:1::2", 64), ("fe80::1", "fe80::2", 64)], "fe80::1"),
        (
            [("2001:db8:1::1", "2002:a00::2", 64), ("2002:a00::1", "2002:a00::2", 64)],
            "2002:a00::1",
        ),
        ([("2002:a00::1", "2002:a00::2", 64), ("2001:db8:1::1", "2001:db8:1::2", 64)], "2001:db8:1::1"),
        ([("2001:db8:1::1", "", 0), ("10.1.2.3", "10.1.2.4", 24)], "10.1.2.3"),
        ([("2001:db8:3ffe::1", "2001:db8:1::2", 64), ("2001:db8:1::1", "2001:db8:1::2", 64)], "2001:db8:1::1"),
    ],
    ids=[
        "matching scope",
        "matching scope, of IPv4",
        "higher precedence",
        "smaller scope",
        "matching label",
        "higher precedence, of native IPv6",
        "rule 1: what cannot be reached is last",
        "longest matching prefix",
    ],
)
def test_examples_of_rfc_6724_come_out_as_it_says(found: list[tuple[str, str, int]], first: str, musl: bool) -> None:
    """RFC 6724, 10.2: both libraries agree where the tables of RFC 3484 and of RFC 6724 do."""
    assert str(ordered(destinations(*found), musl=musl)[0]) == first


@pytest.mark.parametrize(
    ("found", "first"),
    [
        ([("10.88.0.2", "10.88.0.5", 16), ("fd00:1::2", "fd00:1::5", 64)], "fd00:1::2"),
        ([("10.89.0.2", "10.89.0.9", 24), ("10.88.0.4", "10.88.0.5", 16)], "10.88.0.4"),
        ([("10.88.0.200", "10.88.0.5", 16), ("10.88.0.4", "10.88.0.5", 16)], "10.88.0.4"),
        ([("192.0.2.1", "10.88.0.5", 16), ("10.88.0.2", "10.88.0.5", 16)], "10.88.0.2"),
        ([("10.88.0.2", "10.88.0.5", 16), ("127.0.0.1", "127.0.0.1", 8)], "127.0.0.1"),
        ([("127.0.0.2", "127.0.0.1", 8), ("127.0.0.1", "127.0.0.1", 8)], "127.0.0.1"),
    ],
    ids=[
        "a network of one's own before IPv4",
        "more bits in common with its source",
        "the same on one subnet",
        "on the source's subnet before elsewhere",
        "loopback before all else",
        "the source itself before others of its subnet",
    ],
)
def test_glibc_orders_as_getent_printed(found: list[tuple[str, str, int]], first: str) -> None:
    """What glibc has beyond the RFC's examples, as measured with hosts files (sysdeps/posix/getaddrinfo.c)."""
    assert str(ordered(destinations(*found))[0]) == first


def test_musl_prefers_ipv4_to_a_network_of_ones_own() -> None:
    """RFC 6724, 2.1 gives fc00::/7 the precedence 3, below that of IPv4."""
    found = destinations(("fd00:1::2", "fd00:1::5", 64), ("10.88.0.2", "10.88.0.5", 16))
    assert str(ordered(found, musl=True)[0]) == "10.88.0.2"


def test_musl_leaves_ipv4_addresses_in_the_order_of_the_answer() -> None:
    """lookup_name.c: "No further processing is needed if there are [...] only IPv4 results"."""
    found = destinations(("192.0.2.1", "", 0), ("10.88.0.2", "10.88.0.5", 16))
    assert [str(one) for one in ordered(found, musl=True)] == ["192.0.2.1", "10.88.0.2"]


def test_gai_conf_takes_the_place_of_the_table() -> None:
    """The line that everybody writes to prefer IPv4 is the whole table, but for all else (gai.conf(5))."""
    found = destinations(("fd00:1::2", "fd00:1::5", 64), ("10.88.0.2", "10.88.0.5", 16))
    assert str(ordered(found, gai_rows("precedence ::ffff:0:0/96  100\n"))[0]) == "10.88.0.2"


def test_addresses_that_are_alike_stay_as_they_were_found() -> None:
    """Rule 10: the order of the answer is left unchanged."""
    found = destinations(("192.0.2.9", "10.0.0.1", 24), ("192.0.2.1", "10.0.0.1", 24), ("192.0.2.5", "10.0.0.1", 24))
    assert [str(one) for one in ordered(found)] == ["192.0.2.9", "192.0.2.1", "192.0.2.5"]
