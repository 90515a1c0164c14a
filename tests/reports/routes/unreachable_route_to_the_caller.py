"""The host has an unreachable route to the address of a container that calls it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="a container gets no answer from its host, which has an unreachable route to it",
    truth="The host's route 'unreachable 10.88.0.10' is longer than 10.88.0.0/16 of the bridge: the source check fails "
    "and nothing is answered.",
    steps=[
        Start("client", "--ip 10.88.0.10"),
        Listen(HOST, "0.0.0.0", 8000),
        Run("ip route add unreachable 10.88.0.10/32"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("route-forbids",),
    says=("unreachable", "10.88.0.10"),
    never=("none of its routes covers", "None of its routes"),
    cures=(
        Cured(
            says=("ip route del", "10.88.0.10"),
            by=(Run("ip route del unreachable 10.88.0.10/32"),),
        ),
    ),
)
