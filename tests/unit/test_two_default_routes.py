"""A container on two networks has two default routes, and the kernel takes them in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from testbed.evidence import Attempt, codec
from testbed.model import Target
from testbed.predict import predict
from testbed.predict.unknown import Divergence, Unknown

#: A world in which a datagram left by the one interface with the address of the other, and strict rp_filter took it.
RECORDED: Final = Path(__file__).with_name("recorded") / "two-default-routes.json"


def test_the_source_address_may_be_that_of_the_other_default_route() -> None:
    """connect(2) looks the route up twice, and need not get the same one: with rp_filter that decides."""
    evidence = codec.read(RECORDED)
    ending = predict(evidence, Attempt(evidence.place("c1"), Target.parse("udp://203.0.113.10:8000"))).ending
    assert isinstance(ending, Unknown)
    assert isinstance(ending.reason, Divergence)
    assert ending.reason.choices == 4
