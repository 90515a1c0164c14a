"""A container's name is answered by the company's DNS, with a machine that refuses."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start, StartAnew
from truth.faults.stage import NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#26198",
    title="connection refused by a container's name, though its program listens: the address is a machine's of the LAN",
    truth="The client's search domain is lab.example, whose DNS has db.lab.example: db as it is is not asked for.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("db", "", "shared"),
        Start("c", "--dns-search lab.example", "shared"),
        Listen("db", "0.0.0.0", 5432),
    ],
    attempt=Attempt("c", "http://db:5432"),
    seen=Outcome.REFUSED,
    causes=("search-domain",),
    says=("db.lab.example", NEIGHBOUR_LAN),
    never=("Start the program",),
    cures=(
        Cured(says=("--dns-search=.",), by=(StartAnew("c", "--dns-search .", "shared"),)),
        Cured(says=("db.:5432",), again=Attempt("c", "http://db.:5432")),
    ),
    alive=(Attempt("db", "http://127.0.0.1:5432"),),
)
