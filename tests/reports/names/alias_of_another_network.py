"""An alias that a container has on one of its networks."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import IMAGE, Listen, Network, Run, Start

REPORT: Final = Report(
    reference="",
    title="cache is not found by a container on the same network as it",
    truth="web has the alias on the network one; client is on two, where web has only its own name.",
    steps=[
        Network("one", "--subnet 10.94.0.0/24"),
        Network("two", "--subnet 10.95.0.0/24"),
        Run(f"podman run -d --name web --network one:alias=cache --network two {IMAGE} sleep infinity"),
        Listen("web", "0.0.0.0", 80),
        Start("client", network="two"),
    ],
    attempt=Attempt("client", "http://cache:80"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("networks-not-shared",),
    says=("on the network one",),
    cures=(Cured(says=("web:80",), again=Attempt("client", "http://web:80")), Cured(says=("network connect one",))),
)
