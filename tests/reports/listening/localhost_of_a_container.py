"""A container calls localhost for a program of the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="stackoverflow#24319662",
    title="localhost:5432 is refused inside a container, and works on the host",
    truth="localhost is the container itself there; the program listens on all addresses of the host.",
    steps=[Start("client"), Listen(HOST, "0.0.0.0", 5432)],
    attempt=Attempt("client", "http://localhost:5432"),
    seen=Outcome.REFUSED,
    causes=("other-namespace",),
    says=("client", "5432"),
    cures=(
        Cured(
            says=("host.containers.internal:5432",),
            again=Attempt("client", "http://host.containers.internal:5432"),
        ),
        Cured(says=(f"{GATEWAY}:5432",), again=Attempt("client", f"http://{GATEWAY}:5432")),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:5432"),),
)
