"""A rule that turns connection tracking off has a published port among its packets."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

_RULE: Final = "PREROUTING -p tcp --dport 8080 -j NOTRACK"
REPORT: Final = Report(
    reference="",
    title="a published port hangs since tracking was turned off for busy ports",
    truth="What is not tracked is not translated: the packet stays with conmon, which never accepts.",
    steps=[
        Start("web", "-p 8080:8000"),
        Listen("web", "0.0.0.0", 8000),
        Run(f"iptables -t raw -A {_RULE}"),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("rules-lost",),
    says=("connection tracking", "NOTRACK"),
    never=("podman network reload", "Podman's rules are gone"),
    cures=(Cured(says=("iptables -t raw -D", "NOTRACK"), by=(Run(f"iptables -t raw -D {_RULE}"),)),),
)
