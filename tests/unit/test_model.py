"""Targets as people type them, and the phases of an attempt."""

from __future__ import annotations

import pytest

from testbed.errors import UsageError
from testbed.model import Phase, Scheme, Target, bracketed

HTTP, HTTPS, TCP = Scheme.HTTP, Scheme.HTTPS, Scheme.TCP


@pytest.mark.parametrize(
    ("text", "target"),
    [
        # What stands in Portainer's message, and its other schemes.
        ("https://host.containers.internal:19001/ping", Target(HTTPS, "host.containers.internal", 19001, "/ping")),
        ("http://10.88.0.1:8080/", Target(HTTP, "10.88.0.1", 8080, "/")),
        ("tcp://10.88.0.1:19001", Target(TCP, "10.88.0.1", 19001, "/")),
        ("tcp://10.88.0.1:19001/", Target(TCP, "10.88.0.1", 19001, "/")),
        # What is typed into Portainer's field: no scheme.
        ("10.88.0.1:19001", Target(TCP, "10.88.0.1", 19001, "/")),
        ("agent:9001", Target(TCP, "agent", 9001, "/")),
        # Brackets of an IPv6 address are no part of it.
        ("[::1]:19001", Target(TCP, "::1", 19001, "/")),
        ("https://[2001:db8::1]:19001/ping", Target(HTTPS, "2001:db8::1", 19001, "/ping")),
        # A port that goes without saying.
        ("http://agent", Target(HTTP, "agent", 80, "/")),
        ("https://agent/ping", Target(HTTPS, "agent", 443, "/ping")),
        ("https://[::1]/", Target(HTTPS, "::1", 443, "/")),
        # A query belongs to what is asked for, a fragment does not.
        ("http://agent:1/a?b=c", Target(HTTP, "agent", 1, "/a?b=c")),
        ("http://agent:1?b", Target(HTTP, "agent", 1, "/?b")),
        ("http://agent:1/a#b", Target(HTTP, "agent", 1, "/a")),
        # Case counts in the path only (RFC 3986, 6.2.2.1).
        ("HTTPS://Agent:1/Ping", Target(HTTPS, "agent", 1, "/Ping")),
        # The ends of the range of ports.
        ("agent:1", Target(TCP, "agent", 1, "/")),
        ("agent:65535", Target(TCP, "agent", 65535, "/")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_target_is_read_from_what_people_type(text: str, target: Target) -> None:
    """Each accepted form is read into its scheme, host, port and path."""
    assert Target.parse(text) == target


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it needs a host and a port"),
        ("agent", "it needs a host and a port"),
        ("tcp://agent", "it needs a host and a port"),
        ("agent:", "it needs a host and a port"),
        (":19001", "it needs a host and a port"),
        ("https://", "it needs a host and a port"),
        ("https://:19001/ping", "it needs a host and a port"),
        ("agent:0", "it needs a host and a port"),
        ("https://agent:0/", "it needs a host and a port"),
        ("agent:65536", "Port out of range 0-65535"),
        ("agent:ssh", "Port could not be cast to integer value as 'ssh'"),
        ("agent:-1", "Port could not be cast to integer value as '-1'"),
        ("::1:19001", "Port could not be cast to integer value"),
        ("https://[::1:19001/", "Invalid IPv6 URL"),
        ("ftp://agent:21/", "'ftp' is not a valid Scheme"),
        ("://agent:1", "'' is not a valid Scheme"),
        ("agent:1/ping", "a path needs http:// or https:// in front"),
        ("tcp://agent:1/ping", "a path needs http:// or https:// in front"),
        ("my agent:1", "it has white space in it"),
        ("https://agent:1/a b", "it has white space in it"),
        ("agent:1\n", "it has white space in it"),
    ],
)
def test_target_that_is_none_is_refused(text: str, why: str) -> None:
    """Everything else is a UsageError that quotes what was typed, says why it will not do, and shows a good one."""
    with pytest.raises(UsageError) as caught:
        Target.parse(text)
    message = str(caught.value)
    assert message.startswith(f"{text!r} is no URL and no host:port ({why}")
    assert message.endswith("write for example https://host.containers.internal:19001/ping")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("10.88.0.1:19001", "tcp://10.88.0.1:19001"),
        ("[::1]:19001", "tcp://[::1]:19001"),
        ("https://[::1]", "https://[::1]:443/"),
        ("http://agent:80/a?b=c", "http://agent:80/a?b=c"),
        ("https://host.containers.internal:19001/ping", "https://host.containers.internal:19001/ping"),
    ],
)
def test_target_is_shown_as_a_whole_url(typed: str, shown: str) -> None:
    """A target's text has scheme, host, port and, unless it is bare TCP, the path."""
    assert str(Target.parse(typed)) == shown


@pytest.mark.parametrize(
    "target",
    [
        Target(TCP, "::1", 1),
        Target(TCP, "agent", 65535),
        Target(HTTP, "10.88.0.1", 80, "/?a=b"),
        Target(HTTPS, "2001:db8::1", 443, "/ping"),
    ],
    ids=str,
)
def test_target_survives_being_written_and_read(target: Target) -> None:
    """A target's text reads back as the same target."""
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    ("host", "shown"), [("::1", "[::1]"), ("10.88.0.1", "10.88.0.1"), ("agent", "agent")], ids=["IPv6", "IPv4", "name"]
)
def test_only_ipv6_addresses_get_brackets(host: str, shown: str) -> None:
    """Brackets stand around an IPv6 address and nothing else."""
    assert bracketed(host) == shown


def test_phases_are_those_of_an_attempt_in_their_order() -> None:
    """The phases are these four, in the order in which an attempt goes through them."""
    assert [phase.value for phase in Phase] == ["resolve", "connect", "TLS", "HTTP"]


def test_a_user_in_a_target_is_refused() -> None:
    """A user and password in front of the host are not silently dropped."""
    with pytest.raises(UsageError, match="it has a user in front of the host"):
        Target.parse("https://me:secret@laptop:19001/ping")
