"""A rootless container publishes a port on 127.0.0.1, and is called from the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, StartRootless
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a rootless container's port is refused from the LAN: told to let rootlessport listen elsewhere",
    truth="The port is published on 127.0.0.1: rootlessport listens where Podman tells it to.",
    steps=[StartRootless("web", "-p 127.0.0.1:8080:8000"), Listen("web", "0.0.0.0", 8000)],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.REFUSED,
    causes=("published-on-loopback",),
    says=("127.0.0.1", HOST_LAN),
    never=("Let rootlessport",),
    cures=(Cured(says=("Publish it on", HOST_LAN)),),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
)
