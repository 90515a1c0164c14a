"""A container calls localhost for the program of another container."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="podman#25372",
    title="the app is refused by localhost:5432, and the database runs in the container beside it",
    truth="localhost is the app's own container; db listens in its own, and its name is known on their network.",
    steps=[
        Network("stack", "--subnet 10.89.0.0/24"),
        Start("app", "", "stack"),
        Start("db", "", "stack"),
        Listen("db", "0.0.0.0", 5432),
    ],
    attempt=Attempt("app", "http://127.0.0.1:5432"),
    seen=Outcome.REFUSED,
    causes=("other-namespace",),
    says=("app", "db", "5432"),
    cures=(
        Cured(says=("db:5432",), again=Attempt("app", "http://db:5432")),
        Cured(says=("10.89.0.3:5432",), again=Attempt("app", "http://10.89.0.3:5432")),
    ),
    alive=(Attempt("app", "http://db:5432"),),
)
