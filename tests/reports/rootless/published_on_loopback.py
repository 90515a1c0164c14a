"""An ordinary user publishes a port on the host's loopback, and it is called from the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, StartRootless
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a rootless container's port works on the host and is refused from the LAN",
    truth="It is published on 127.0.0.1, where rootlessport listens for it.",
    steps=[StartRootless("web", "-p 127.0.0.1:8080:80"), Listen("web", "0.0.0.0", 80)],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.REFUSED,
    causes=("published-on-loopback",),
    says=("publishes port 8080", "127.0.0.1"),
    never=("Let rootlessport",),
    cures=(Cured(says=(f"-p {HOST_LAN}:8080:80",)),),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
)
