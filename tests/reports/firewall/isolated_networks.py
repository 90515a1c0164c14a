"""Two networks that keep themselves apart."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#27349",
    title="containers of two compose projects time out to each other: their networks are isolated",
    truth="Both networks have isolate=true, which Podman's Docker API sets.",
    steps=[
        Network("one", "-o isolate=true --subnet 10.89.0.0/24"),
        Network("two", "-o isolate=true --subnet 10.89.1.0/24"),
        Start("client", "", "one"),
        Start("web", "--ip 10.89.1.20", "two"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://10.89.1.20:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("networks-isolated",),
    says=("one", "two"),
    cures=(Cured(says=("podman network connect",), by=(Run("podman network connect two client"),)),),
    alive=(Attempt(HOST, "http://10.89.1.20:8000"),),
)
