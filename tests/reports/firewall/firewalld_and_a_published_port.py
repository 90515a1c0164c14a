"""A port published by netavark on a host with firewalld, called from the LAN."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Report
from tests.reports.steps import Listen, LoadRules, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

#: firewalld's and netavark's own rules with nftables, for a port 8080 published to port 80 of 10.88.0.2.
FIREWALLD: Final = LoadRules(Path(__file__).parent / "firewalld.json")

REPORT: Final = Report(
    reference="",
    title="with firewalld every published port is predicted to be rejected, although it connects",
    truth="'ct status dnat accept' lets a translated connection through FORWARD: the kernel marked it at PREROUTING.",
    steps=[Start("web", "-p 8080:80 --ip 10.88.0.2"), Listen("web", "0.0.0.0", 80), FIREWALLD],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.CONNECTED,
    connects=True,
)
