"""A container without a network calls the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start, StartAnew
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="",
    title="Network is unreachable from a container that was started with --network none",
    truth="It has a loopback and nothing else.",
    steps=[Start("client", "", "none"), Listen(HOST, "0.0.0.0", 8000)],
    attempt=Attempt("client", f"http://{HOST_LAN}:8000"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("no-network",),
    says=("client",),
    cures=(Cured(says=("podman run",), by=(StartAnew("client"),)),),
    alive=(Attempt(HOST, f"http://{HOST_LAN}:8000"),),
)
