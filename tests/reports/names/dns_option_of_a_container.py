"""A container was given a DNS server by --dns, and asks that one for its neighbour's name."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start
from truth.faults.stage import NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="with --dns a container does not find the others of its network any more",
    truth="Nobody answers at the server that was given; Podman's own resolver is at the network's gateway.",
    steps=[
        Network("shared", "--subnet 10.90.1.0/24"),
        Start("web", "", "shared"),
        Start("client", f"--dns {NEIGHBOUR_LAN}", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("resolver-down",),
    says=(NEIGHBOUR_LAN,),
    cures=(Cured(says=("Call it by its address",)), Cured(says=("10.90.1.1", "without --dns"))),
    alive=(Attempt("client", "http://10.90.1.2:8000"),),
)
