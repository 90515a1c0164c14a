"""A VPN's kill switch is a policy rule that forbids what does not go through the tunnel."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="containers lose the LAN while a VPN is up: the host's policy rules forbid it",
    truth="The rule of priority 100 forbids what comes in by podman0.",
    steps=[
        Start("client"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run("ip rule add priority 100 iif podman0 unreachable"),
    ],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("route-forbids",),
    says=("100", "podman0"),
    cures=(Cured(says=("ip rule del", "100"), by=(Run("ip rule del priority 100"),)),),
    alive=(Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),),
)
