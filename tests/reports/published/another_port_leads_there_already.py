"""A port is published on the host's loopback, and another one on the LAN leads to the same program."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="curl of port 9000 from the LAN is refused, and the container publishes two ports",
    truth="9000 is published on 127.0.0.1 only; 9001, on the LAN's address, leads to the same port 80.",
    steps=[Start("web", "-p 127.0.0.1:9000:80 -p 203.0.113.10:9001:80"), Listen("web", "0.0.0.0", 80)],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:9000"),
    seen=Outcome.REFUSED,
    causes=("published-on-loopback",),
    says=("127.0.0.1",),
    cures=(Cured(says=(f"{HOST_LAN}:9001",), again=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:9001")),),
)
