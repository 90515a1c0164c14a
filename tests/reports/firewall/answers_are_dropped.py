"""The host drops what a container answers."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a published port times out: a rule drops what leaves the container",
    truth="The rule drops packets from port 80 of 10.88.0.0/16: the question arrives and the answer does not.",
    steps=[
        Start("web", "-p 8080:80"),
        Listen("web", "0.0.0.0", 80),
        Run("iptables -I FORWARD -s 10.88.0.0/16 -p tcp --sport 80 -j DROP"),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("answer-blocked",),
    says=("--sport 80",),
    cures=(
        Cured(
            says=("iptables -D FORWARD",),
            by=(Run("iptables -D FORWARD -s 10.88.0.0/16 -p tcp --sport 80 -j DROP"),),
        ),
        Cured(says=("iptables -I FORWARD",)),
    ),
    alive=(Attempt(HOST, f"http://{HOST_LAN}:8080"),),
)
