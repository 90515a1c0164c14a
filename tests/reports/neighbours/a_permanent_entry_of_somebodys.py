"""A permanent neighbour entry of the host is another machine's."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="one machine of the LAN cannot be reached, and 'ip neighbour flush' does not help",
    truth="The entry is permanent (ip-neighbour(8)): flush leaves it, and the kernel never asks anew.",
    steps=[
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run(f"ip neighbour replace {NEIGHBOUR_LAN} lladdr 02:52:1a:16:9f:75 dev lan0 nud permanent"),
    ],
    attempt=Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("stale-neighbour",),
    says=(NEIGHBOUR_LAN, "02:52:1a:16:9f:75"),
    never=("within a minute",),
    cures=(
        Cured(
            says=("ip neigh", NEIGHBOUR_LAN),
            by=(Run(f"ip neighbour del {NEIGHBOUR_LAN} dev lan0"),),
        ),
    ),
    alive=(Attempt(NEIGHBOUR, "http://127.0.0.1:8000"),),
)
