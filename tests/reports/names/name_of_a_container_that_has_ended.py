"""The container that is called by its name has ended."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="",
    title="the name of a container that has ended: told to start it and to call port 53",
    truth="web is stopped, and with it its name is gone; once it is started its program listens again.",
    steps=[
        Network("shared", "--subnet 10.90.1.0/24"),
        Start("web", "", "shared"),
        Start("client", "", "shared"),
        Listen("web", "0.0.0.0", 8000),
        Run("podman stop --time 0 web"),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("container-not-running",),
    says=("web", "does not run"),
    never=("port 53", "That is not all"),
    cures=(Cured(says=("podman start web",), again=Attempt("client", "http://web:8000")),),
)
