"""A container with another one's network has no name of its own."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="",
    title="the sidecar is not found by its name",
    truth="side has the network of web: aardvark-dns knows web alone, and its address.",
    steps=[
        Network("shared", "--subnet 10.93.0.0/24"),
        Start("web", network="shared"),
        Start("side", network="container:web"),
        Listen("side", "0.0.0.0", 9000),
        Start("client", network="shared"),
    ],
    attempt=Attempt("client", "http://side:9000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("shares the network of web",),
    cures=(Cured(says=("web:9000",), again=Attempt("client", "http://web:9000")),),
)
