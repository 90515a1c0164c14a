"""The bridge of a network has lost its address."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="containers lose the host after NetworkManager took the bridge's address away",
    truth="podman0 is there without 10.88.0.1: nobody answers for the gateway.",
    steps=[
        Start("client"),
        Listen(HOST, "0.0.0.0", 8000),
        Run(f"ip address del {GATEWAY}/16 dev podman0"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("bridge-without-address", "bridge-gone", "nobody-has-address"),
    says=("podman0", GATEWAY),
    never=("Look up the address",),
    cures=(
        Cured(
            says=("ip addr", f"{GATEWAY}/16", "podman0"),
            by=(Run(f"ip address add {GATEWAY}/16 dev podman0"),),
        ),
    ),
)
