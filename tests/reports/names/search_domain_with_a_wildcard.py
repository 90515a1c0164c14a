"""A container's name is answered by the company's DNS, under the search domain, and not by Podman's."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Report
from tests.reports.steps import Listen, Network, Start
from truth.faults.stage import NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#26198",
    title="a container's name leads to a machine of the LAN: the host's search domain has a wildcard",
    truth="The client's first search domain is lab.example, and its DNS has db.lab.example: the name of the container "
    "db alone is asked for after that.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("db", "", "shared"),
        Start("c", "--dns-search lab.example", "shared"),
        Listen("db", "0.0.0.0", 8000),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("c", "http://db:8000"),
    seen=None,
    connects=True,
    says=(NEIGHBOUR_LAN, "db.lab.example"),
    never=("connects to db (10.89.0.2)",),
)
