"""Apache's lines about a port that it cannot have."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Stop
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="Apache's 'could not bind to address 0.0.0.0:80' is answered about port 0",
    truth="Another program has port 80 of the host.",
    steps=[Listen(HOST, "0.0.0.0", 80)],
    attempt=Attempt(HOST, "http://127.0.0.1:80"),
    pasted="(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:80\n"
    "no listening sockets available, shutting down\nAH00015: Unable to open logs",
    seen=None,
    causes=("port-taken",),
    says=("80", "python3"),
    never=("Port 0", "port 0", "obody listens"),
    cures=(Cured(says=("kill",), by=(Stop(HOST, 80), Listen(HOST, "0.0.0.0", 80))),),
)
