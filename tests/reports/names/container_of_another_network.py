"""A container is called by name from a container that is on none of its networks."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="",
    title="a service of another compose project is not found by its name",
    truth="Podman's resolver tells a container of its own networks alone; client is on one, and db on another.",
    steps=[
        Network("one", "--subnet 10.89.0.0/24"),
        Network("two", "--subnet 10.89.1.0/24"),
        Start("client", "", "one"),
        Start("db", "", "two"),
        Listen("db", "0.0.0.0", 5432),
    ],
    attempt=Attempt("client", "http://db:5432"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("networks-not-shared",),
    says=("db", "client"),
    cures=(Cured(says=("podman network connect",), by=(Run("podman network connect two client"),)),),
    alive=(Attempt("db", "http://127.0.0.1:5432"),),
)
