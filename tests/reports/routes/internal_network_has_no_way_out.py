"""A container on an internal network calls a database that the host publishes."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="podman#17709",
    title="a database becomes unreachable as soon as the application is on an internal network",
    truth="An internal network without DNS has no gateway: the container has no route to the host's address.",
    steps=[
        Network("inner", "--internal --disable-dns --subnet 10.89.0.0/24"),
        Start("client", "", "inner"),
        Start("database", "-p 27017:27017"),
        Listen("database", "0.0.0.0", 27017),
    ],
    attempt=Attempt("client", f"http://{HOST_LAN}:27017"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("internal-network",),
    says=("inner", "client"),
    cures=(
        Cured(
            says=("podman network connect podman client",),
            by=(Run("podman network connect podman client"),),
        ),
        Cured(
            says=("podman network connect inner database",),
            by=(Run("podman network connect inner database"),),
            again=Attempt("client", "http://10.89.0.3:27017"),
        ),
    ),
    alive=(Attempt(HOST, f"http://{HOST_LAN}:27017"),),
)
