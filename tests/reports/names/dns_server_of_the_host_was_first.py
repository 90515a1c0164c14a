"""A DNS server of the host has port 53 of every address, and Podman's resolver could not have it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import AnswerNames, Listen, Network, Run, Start, Stop, StopHostsResolver
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#15452",
    title="container names are not found on a host that runs a DNS server",
    truth="bind has 0.0.0.0:53, and with it the gateway's; aardvark-dns could not bind it.",
    steps=[
        StopHostsResolver(),
        AnswerNames(HOST, "0.0.0.0"),
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "--stop-timeout 0", "shared"),
        Start("client", "--stop-timeout 0", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("resolver-port-taken",),
    says=("53", "python3"),
    cures=(
        Cured(
            says=("restart",),
            by=(Stop(HOST, 53), Run("podman restart --time 0 web client"), Listen("web", "0.0.0.0", 8000)),
        ),
    ),
)
