"""hosts(5) as a value."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from testbed.hosts_file import HostsFile


def lookup(text: str, name: str) -> list[str]:
    """The addresses that a hosts file's text gives a name."""
    return [str(address) for address in HostsFile.parse(text).lookup(name)]


@pytest.mark.parametrize(
    ("text", "name", "addresses"),
    [
        ("127.0.0.1 localhost\n", "localhost", ["127.0.0.1"]),
        ("10.88.0.1\thost.containers.internal host.docker.internal\n", "host.docker.internal", ["10.88.0.1"]),
        ("::1 localhost\n", "localhost", ["::1"]),
        ("10.0.0.1 a", "a", ["10.0.0.1"]),
        ("10.0.0.1 b\n10.0.0.2 a\n10.0.0.1 a\n", "a", ["10.0.0.2", "10.0.0.1"]),
        ("10.0.0.1 a\n10.0.0.1 a\n", "a", ["10.0.0.1"]),
        ("127.0.0.1 localhost\n::1 localhost\n", "localhost", ["127.0.0.1", "::1"]),
        ("10.0.0.1 a # b\n", "a", ["10.0.0.1"]),
        ("10.0.0.1 a # b\n", "b", []),
        ("#10.0.0.1 a\n", "a", []),
        ("10.0.0.1 Agent\n", "aGENT", ["10.0.0.1"]),
        ("10.0.0.1 agent\n", "agent.", []),
        ("10.0.0.1 agent\n", "agen", []),
        ("nonsense a\n10.0.0.300 a\n\n \n10.0.0.1 a\n", "a", ["10.0.0.1"]),
        ("10.0.0.1\n", "10.0.0.1", []),
        ("", "a", []),
    ],
    ids=[
        "one name",
        "second name of a line",
        "IPv6",
        "no newline at the end",
        "all addresses, in the order of the file",
        "a line given twice counts once",
        "both families",
        "comment behind a name",
        "no name out of a comment",
        "a line that is a comment",
        "case does not count",
        "a dot at the end of the question",
        "part of a name",
        "lines without an address are passed over",
        "a line without a name",
        "empty file",
    ],
)
def test_name_is_looked_up_as_the_c_library_does(text: str, name: str, addresses: list[str]) -> None:
    """A name has the addresses of all lines that name it, and none else."""
    assert lookup(text, name) == addresses


def test_addresses_are_values() -> None:
    """A parsed file holds addresses, not their texts, by lower-case name."""
    assert HostsFile.parse("::0001 A").addresses == {"a": (ip_address("::1"),)}
