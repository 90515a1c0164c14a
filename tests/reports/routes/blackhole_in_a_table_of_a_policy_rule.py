"""A policy rule leads what containers send to a table that forbids it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="containers time out, and the host itself connects",
    truth="'from 10.88.0.0/16 lookup 99', and table 99 has a blackhole default route.",
    steps=[
        Start("client"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run("ip rule add from 10.88.0.0/16 lookup 99 pref 500; ip route add blackhole default table 99"),
    ],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("route-forbids",),
    says=("table 99",),
    cures=(Cured(says=("ip rule del", "lookup 99")), Cured(says=("ip route del blackhole default table 99",))),
    alive=(Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),),
)
