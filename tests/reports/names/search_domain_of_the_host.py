"""A short name of the company's is found in a container, by the search domain that it has from the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.fault import PODMAN_5
from truth.faults.stage import NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#13103",
    title="a name under the host's search domain is found, and said to be unknown",
    truth="The container's resolv.conf has the host's search domain lab.example beside dns.podman.",
    steps=[
        Run("echo 'search lab.example' >> /etc/resolv.conf"),
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("client", "", "shared"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://files:8000"),
    seen=Outcome.CONNECTED,
    connects=True,
    says=(NEIGHBOUR_LAN,),
    shown=not PODMAN_5,
)
