"""The interface of a container is down."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start

REPORT: Final = Report(
    reference="",
    title="a container that listens has no neighbour who answers for it",
    truth="eth0 of web is down.",
    steps=[
        Start("client"),
        Start("web", "--ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 8000),
        Run("ip link set eth0 down", on="web"),
    ],
    attempt=Attempt("client", "http://10.88.0.10:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("link-down",),
    says=("eth0", "web"),
    cures=(Cured(says=("ip link set eth0 up",), by=(Run("ip link set eth0 up", on="web"),)),),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
