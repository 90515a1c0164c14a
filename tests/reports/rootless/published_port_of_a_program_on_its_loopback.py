"""rootlessport accepts for a program that listens on its container's loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, StartRootless
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#28666",
    title="Connecting to published port fails with 'Connection reset by peer'",
    truth="rootlessport connects to the container's address, where nobody listens: the program has 127.0.0.1.",
    steps=[StartRootless("web", "-p 8080:8000"), Listen("web", "127.0.0.1", 8000)],
    attempt=Attempt(HOST, "http://127.0.0.1:8080"),
    seen=Outcome.RESET,
    causes=("rootless-port-loopback",),
    says=("127.0.0.1:8000", "web"),
    cures=(Cured(says=("listen", "0.0.0.0:8000"), by=(ListenOn("web", 8000, "0.0.0.0"),)),),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
