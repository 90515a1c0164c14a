"""Connections that are made and from which nothing comes, on real kernels: whom the two ends' sockets say it of."""

from __future__ import annotations

import pytest

from testbed.explain.codes import Cause
from testbed.explain.explanation import Conclusion, Explanation
from testbed.model import Outcome
from truth.faults.stage import GATEWAY, HOST, PORT, Stage

URL = f"http://{GATEWAY}:{PORT}/"


def why(stage: Stage, target: str = URL, place: str = "client") -> Explanation:
    """The explanation of an attempt in which nothing came."""
    explained = stage.why(place, target).explanation
    assert explained.observation is not None
    assert explained.observation.outcome is Outcome.TIMED_OUT
    return explained


@pytest.mark.parametrize(
    "rule",
    [
        f"OUTPUT -p tcp --sport {PORT} --tcp-flags PSH PSH -m length --length 60: -j DROP",
        f"INPUT -p tcp --dport {PORT} -m conntrack --ctstate ESTABLISHED -j DROP",
    ],
    ids=["answer", "request"],
)
def test_a_later_packet_that_a_rule_drops_is_not_laid_to_the_program(stage: Stage, rule: str) -> None:
    """The handshake passes and what follows does not; without the rule the same program answers."""
    stage.container("client")
    stage.listen(HOST)
    stage.run(f"iptables -I {rule}")
    explained = why(stage)
    stage.run(f"iptables -D {rule}")
    assert explained.cause is not Cause.PEER_SILENT
    assert explained.verdict is not Conclusion.CONNECTS
    assert stage.connect("client", URL).outcome is Outcome.CONNECTED


@pytest.mark.parametrize(
    ("deed", "words"), [("silent", "has not read 107 bytes"), ("idle", "has not accepted it")], ids=["silent", "idle"]
)
def test_a_program_that_hangs_is_told_from_one_that_never_accepts(stage: Stage, deed: str, words: str) -> None:
    """The bytes lie in the queue of a connection that the program holds, or that it never took."""
    stage.container("client")
    stage.listen(HOST, deed=deed)
    explained = why(stage)
    assert explained.cause is Cause.PEER_SILENT
    assert words in explained.sentence


@pytest.mark.parametrize(
    ("place", "address"), [("client", GATEWAY), (HOST, "127.0.0.1"), ("neighbour", "203.0.113.10")]
)
def test_behind_a_translation_the_program_in_the_container_is_looked_at(stage: Stage, place: str, address: str) -> None:
    """Its socket has another address and port than were dialled, and another peer where the source is rewritten."""
    stage.container("client")
    stage.container("web", "-p", "8080:8000")
    stage.listen("web", deed="silent")
    explained = why(stage, f"http://{address}:8080/", place)
    assert explained.cause is Cause.PEER_SILENT
    assert "of web has the connection" in explained.sentence
