"""A program accepts and says nothing."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="a server that is stuck: TCP connects, and no answer comes",
    truth="The program has the connection, reads nothing of it and does not answer; what ails it no picture shows.",
    steps=[Start("client"), Listen(HOST, "0.0.0.0", 8000, "silent")],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("peer-silent",),
    says=("python3", "has not read"),
    alive=(Attempt("client", f"tcp://{GATEWAY}:8000"),),
)
