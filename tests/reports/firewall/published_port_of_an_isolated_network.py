"""A published port is called from an isolated network."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="",
    title="host.containers.internal with a published port times out from another network",
    truth="Both networks are isolated: what is translated to 10.91.0.9 is dropped on its way from the other bridge.",
    steps=[
        Network("front", "--opt isolate=true --subnet 10.91.0.0/24"),
        Network("back", "--opt isolate=true --subnet 10.92.0.0/24"),
        Start("web", "-p 8080:80 --ip 10.91.0.9", network="front"),
        Listen("web", "0.0.0.0", 80),
        Start("client", network="back"),
    ],
    attempt=Attempt("client", "http://host.containers.internal:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("networks-isolated",),
    says=("kept apart",),
    cures=(Cured(says=("network connect front client", "web:80"), again=Attempt("client", "http://web:80")),),
)
