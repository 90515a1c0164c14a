"""A container on an internal network calls a machine of the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#4227",
    title="Network is unreachable from a container on an internal network",
    truth="An internal network has no default route.",
    steps=[
        Network("inner", "--internal --subnet 10.89.0.0/24"),
        Start("client", "", "inner"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("internal-network",),
    says=("inner", "client"),
    cures=(
        Cured(
            says=("podman network connect podman client",),
            by=(Run("podman network connect podman client"),),
            runs_on=HOST,
        ),
    ),
    alive=(Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),),
)
