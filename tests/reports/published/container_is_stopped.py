"""The container that publishes the port does not run."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="after a reboot the published port is refused: the container was not started again",
    truth="web has ended.",
    steps=[Start("web", "--stop-timeout 0 -p 8080:80"), Listen("web", "0.0.0.0", 80), Run("podman stop web")],
    attempt=Attempt(HOST, "http://127.0.0.1:8080"),
    seen=Outcome.REFUSED,
    causes=("container-not-running",),
    says=("web",),
    cures=(Cured(says=("podman start web",), by=(Run("podman start web"), Listen("web", "0.0.0.0", 80))),),
)
