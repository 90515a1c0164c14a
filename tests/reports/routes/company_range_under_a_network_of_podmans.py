"""Podman has made a network of a range that the company routes."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#13702",
    title="machines of the company are unreachable from containers since a network was created",
    truth="10.89.5.0/24 is the container network here; the machine that is meant has 10.89.5.77 behind the LAN.",
    steps=[
        Run("ip address add 10.89.5.77/32 dev lo", on=NEIGHBOUR),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run(f"ip route add 10.89.0.0/16 via {NEIGHBOUR_LAN}"),
        Network("office", "--subnet 10.89.5.0/24"),
        Start("client", "", "office"),
    ],
    attempt=Attempt("client", "http://10.89.5.77:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("subnet-shadows",),
    says=("10.89.5.77", "office", "10.89.0.0/16"),
    cures=(
        Cured(
            says=("podman network",),
            by=(
                Run("podman rm --force --time 0 client && podman network rm office"),
                Network("office", "--subnet 10.200.5.0/24"),
                Start("client", "", "office"),
            ),
        ),
    ),
)
