"""A plain server is called with https."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="curl: (35) wrong version number",
    truth="The server speaks HTTP and no TLS.",
    steps=[Start("client"), Listen(HOST, "0.0.0.0", 8000)],
    attempt=Attempt("client", f"https://{GATEWAY}:8000"),
    seen=Outcome.TLS_FAILED,
    causes=("tls-to-plain",),
    says=("TLS",),
    cures=(Cured(says=(f"http://{GATEWAY}:8000",), again=Attempt("client", f"http://{GATEWAY}:8000")),),
    alive=(Attempt("client", f"http://{GATEWAY}:8000"),),
)
