"""A container that was given the address of its network's gateway."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start, StartAnew

REPORT: Final = Report(
    reference="podman#28863",
    title="a container at .1 of its network is refused when another one connects to it",
    truth="10.89.0.1 is the bridge's own address on the host, so that the host answers, where nobody listens.",
    steps=[
        Network("tmp", "--subnet 10.89.0.0/24"),
        Start("one", "--ip 10.89.0.1", "tmp"),
        Start("two", "", "tmp"),
        Listen("one", "0.0.0.0", 8000),
    ],
    attempt=Attempt("two", "tcp://one:8000"),
    seen=Outcome.REFUSED,
    causes=("duplicate-address",),
    says=("10.89.0.1", "gateway", "one"),
    never=("not published", "podman run -p"),
    cures=(Cured(says=("podman", "one"), by=(StartAnew("one", "--ip 10.89.0.7", "tmp", 8000),)),),
    alive=(Attempt("one", "tcp://127.0.0.1:8000"),),
)
