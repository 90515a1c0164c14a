"""Two policy rules prohibit, and the first one is about somebody else."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

_GUILTY: Final = f"to {NEIGHBOUR_LAN} prohibit"

REPORT: Final = Report(
    reference="",
    title="permission denied, and of two policy rules that prohibit the wrong one is named",
    truth=f"The rule of priority 1100, to {NEIGHBOUR_LAN}; the one of priority 1000 is for port 443.",
    steps=[
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run(f"ip rule add priority 1000 to {NEIGHBOUR_LAN} ipproto tcp dport 443 prohibit"),
        Run(f"ip rule add priority 1100 {_GUILTY}"),
    ],
    attempt=Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.PROHIBITED,
    causes=("route-forbids",),
    says=("1100", NEIGHBOUR_LAN),
    never=("1000",),
    cures=(Cured(says=("ip rule del", "1100"), by=(Run(f"ip rule del priority 1100 {_GUILTY}"),)),),
)
