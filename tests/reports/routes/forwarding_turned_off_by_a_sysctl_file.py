"""A sysctl file of somebody's has turned forwarding off again."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="containers reach nothing beyond the host after 'sysctl --system'",
    truth="net.ipv4.ip_forward is 0.",
    steps=[Start("client"), Listen(NEIGHBOUR, "0.0.0.0", 8000), Run("sysctl -qw net.ipv4.ip_forward=0")],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("forwarding-off",),
    says=("box",),
    cures=(Cured(says=("sysctl -w net.ipv4",), by=(Run("sysctl -qw net.ipv4.ip_forward=1"),)),),
    alive=(Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),),
)
