"""The host drops the resets by which it refuses."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="a port where nobody listens times out, as if a firewall kept it",
    truth="Nobody listens on 8000, and a rule drops the RST that says so: both are amiss, and the first is the cause.",
    steps=[Start("client"), Run("iptables -A OUTPUT -p tcp --tcp-flags RST RST -j DROP")],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("nobody-listens",),
    says=("8000", "RST"),
    cures=(Cured(says=("8000",), by=(Listen(HOST, "0.0.0.0", 8000),)),),
)
