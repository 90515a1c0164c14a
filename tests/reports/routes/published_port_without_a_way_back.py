"""A container's default route was taken away, and the LAN calls its published port."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a published port works on the host and times out from the LAN",
    truth="The container has no default route: its answer to the LAN is not sent.",
    steps=[
        Start("web", "-p 8080:80"),
        Listen("web", "0.0.0.0", 80),
        Run("ip route del default", on="web"),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("no-route",),
    says=("web", "route"),
    cures=(Cured(says=("ip route add", GATEWAY), by=(Run(f"ip route add default via {GATEWAY}", on="web"),)),),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
)
