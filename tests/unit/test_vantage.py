"""What a vantage makes of an attempt: an observation that can be repeated by hand."""

from __future__ import annotations

import socket

import pytest

from testbed.errors import UsageError
from testbed.model import Outcome, Target
from testbed.names import Naming
from testbed.probe import Vantage
from tests.unit.stand_ins import HereNamespace

NAMELESS = Naming.parse("", "")


@pytest.mark.parametrize(
    ("by_hand", "target", "command"),
    [
        (
            "testbed exec portainer --",
            "https://10.88.0.1:19001/ping",
            "testbed exec portainer -- curl -kv -m 0.25 https://10.88.0.1:19001/ping",
        ),
        ("", "http://127.0.0.1:1/?a=b&c", "curl -kv -m 0.25 'http://127.0.0.1:1/?a=b&c'"),
        ("", "[::1]:1", "curl -kv -m 0.25 'telnet://[::1]:1'"),
    ],
    ids=["https from a container", "quoted for the shell", "bare TCP"],
)
def test_observation_has_the_command_that_repeats_it(by_hand: str, target: str, command: str) -> None:
    """The command is curl's with the same target and budget, behind what brings a shell to the vantage."""

    def nothing(family: int, kind: int, protocol: int) -> socket.socket:
        raise OSError(101, "Network is unreachable")

    vantage = Vantage("portainer", HereNamespace(nothing), NAMELESS, by_hand)
    assert vantage.connect(target, seconds=0.25).command == command


def test_observation_says_who_tried_what_and_saw_what() -> None:
    """An observation has the vantage, the whole target, and everything that the attempt saw."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        seen = Vantage("laptop", HereNamespace(), NAMELESS).connect(f"https://127.0.0.1:{port}")
    assert (seen.vantage, seen.target) == ("laptop", f"https://127.0.0.1:{port}/")
    assert (seen.outcome, seen.errno, seen.text) == (Outcome.REFUSED, 111, "[Errno 111] Connection refused")
    assert 0 < seen.seconds < 3


def test_budget_is_portainers_unless_said_otherwise() -> None:
    """Portainer gives its ping 3 s; so does a vantage, and the command by hand."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        seen = Vantage("laptop", HereNamespace(), NAMELESS).connect(f"127.0.0.1:{port}")
    assert seen.command == f"curl -kv -m 3 telnet://127.0.0.1:{port}"


def test_parsed_target_is_as_good_as_its_text() -> None:
    """A Target is taken as it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = Target.parse(f"127.0.0.1:{listener.getsockname()[1]}")
        assert Vantage("laptop", HereNamespace(), NAMELESS).connect(target).outcome is Outcome.CONNECTED


def test_target_that_is_none_is_raised_and_not_observed() -> None:
    """What was typed wrong is the caller's error: no observation is made of it."""
    with pytest.raises(UsageError, match="'nowhere' is no URL and no host:port"):
        Vantage("laptop", HereNamespace(), NAMELESS).connect("nowhere")
