"""libpq's words, in which localhost was tried by both its addresses."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="",
    title='connection to server at "localhost" (::1), port 5432 failed, then (127.0.0.1)',
    truth="localhost is the app's own container; db listens in the one beside it.",
    steps=[
        Network("stack", "--subnet 10.89.0.0/24"),
        Start("app", "", "stack"),
        Start("db", "", "stack"),
        Listen("db", "0.0.0.0", 5432),
    ],
    attempt=Attempt("app", "tcp://localhost:5432"),
    pasted="psycopg2.OperationalError: "
    'connection to server at "localhost" (::1), port 5432 failed: Connection refused\n'
    "\tIs the server running on that host and accepting TCP/IP connections?\n"
    'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused\n'
    "\tIs the server running on that host and accepting TCP/IP connections?",
    seen=Outcome.REFUSED,
    causes=("other-namespace",),
    says=("app", "db", "5432"),
    cures=(
        Cured(says=("db:5432",), again=Attempt("app", "tcp://db:5432")),
        Cured(says=("10.89.0.3:5432",), again=Attempt("app", "tcp://10.89.0.3:5432")),
    ),
    alive=(Attempt("app", "http://db:5432"),),
)
