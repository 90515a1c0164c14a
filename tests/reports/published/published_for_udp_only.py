"""A port is published for UDP, and TCP is spoken to it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="the port is in podman ps, and a connection to it is refused",
    truth="5000/udp is published; nothing takes TCP there, on the host or in the container.",
    steps=[Start("web", "-p 5000:5000/udp"), Listen("web", "0.0.0.0", 5000, "echo")],
    attempt=Attempt(NEIGHBOUR, f"tcp://{HOST_LAN}:5000"),
    seen=Outcome.REFUSED,
    causes=("udp-not-tcp",),
    says=("publishes port 5000", "UDP"),
    never=("start the program",),
    cures=(Cured(says=("udp://",), again=Attempt(NEIGHBOUR, f"udp://{HOST_LAN}:5000")),),
    alive=(Attempt(NEIGHBOUR, f"udp://{HOST_LAN}:5000"),),
)
