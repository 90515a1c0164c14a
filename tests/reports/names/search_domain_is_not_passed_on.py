"""A short name of the company's is known on the host and not in its containers."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start, StartAnew
from truth.faults.stage import HOST, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#26333",
    title="dns search domain not propagated to the containers",
    truth="The host finds files under its search domain lab.example; the container's resolv.conf has dns.podman alone.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("client", "", "shared"),
        Run("echo 'search lab.example' >> /etc/resolv.conf"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://files:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("files",),
    cures=(
        Cured(says=("files.lab.example:8000",), again=Attempt("client", "http://files.lab.example:8000")),
        Cured(
            says=("--dns-search lab.example",),
            by=(StartAnew("client", "--dns-search lab.example", "shared"),),
        ),
    ),
    alive=(Attempt(HOST, "http://files:8000"),),
)
