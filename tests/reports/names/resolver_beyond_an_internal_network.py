"""A container on an internal network is told to ask a DNS server beyond it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start, StartAnew
from truth.faults.stage import NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#27315",
    title="--dns does not work on internal networks",
    truth="An internal network has no default route: the question to 203.0.113.20 is not sent.",
    steps=[
        Network("inner", "--internal --disable-dns --subnet 10.89.0.0/24"),
        Start("client", f"--dns {NEIGHBOUR_LAN}", "inner"),
        Start("web", "--ip 10.89.0.20", "inner"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("internal-network", "resolver-down", "resolver-blocked", "dns-disabled"),
    says=(NEIGHBOUR_LAN,),
    never=("Start the program",),
    cures=(
        Cured(says=("10.89.0.20:8000",), again=Attempt("client", "http://10.89.0.20:8000")),
        Cured(
            says=("--add-host", "web:10.89.0.20"),
            by=(StartAnew("client", "--add-host web:10.89.0.20", "inner"),),
        ),
        Cured(says=("podman network c",)),
    ),
    alive=(Attempt("client", "http://10.89.0.20:8000"),),
)
