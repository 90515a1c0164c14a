"""A DNS server of a container is published as -p 5353:5300, which is TCP alone."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a published UDP service is refused from the LAN: told to start a program on the host",
    truth="podman run -p without /udp publishes TCP; the program takes UDP.",
    steps=[Start("web", "-p 5353:5300"), Listen("web", "0.0.0.0", 5300, "echo")],
    attempt=Attempt(NEIGHBOUR, f"udp://{HOST_LAN}:5353"),
    seen=Outcome.REFUSED,
    causes=("not-published",),
    says=("for TCP only", "UDP"),
    never=("Start the program",),
    cures=(Cured(says=("5353:5300/udp",), by=(Start("again", "-p 5353:5300/udp"),)),),
)
