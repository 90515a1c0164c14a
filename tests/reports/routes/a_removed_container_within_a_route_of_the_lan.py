"""The address of a container that is gone, on a host that has a route for all of 10.0.0.0/8."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="a removed container's address: told to remove the network podman, which Podman refuses",
    truth="Nobody has 10.88.0.77 any more; that the LAN's route 10.0.0.0/8 covers it too says nothing about who is "
    "meant. web has 10.88.0.10 now.",
    steps=[
        Run(f"ip route add 10.0.0.0/8 via {NEIGHBOUR_LAN}"),
        Start("client", "--ip 10.88.0.9"),
        Start("web", "--ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://10.88.0.77:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("nobody-has-address",),
    says=("10.88.0.77",),
    never=("podman network rm podman",),
    cures=(Cured(says=("10.88.0.10:8000",), again=Attempt("client", "http://10.88.0.10:8000")),),
    alive=(Attempt("client", "http://10.88.0.10:8000"),),
)
