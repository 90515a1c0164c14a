"""A port is published of a container on an internal network, and called from the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#10729",
    title="a port published of a container on an internal network leads nowhere",
    truth="netavark 1.4 makes no rules for an internal network: conmon holds the port, and nothing translates it.",
    steps=[
        Network("inner", "--internal --subnet 10.89.0.0/24"),
        Start("web", "-p 8080:80", "inner"),
        Listen("web", "0.0.0.0", 80),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("internal-network",),
    says=("inner", "web"),
    never=("podman network reload",),
    cures=(Cured(says=("podman network connect", "web"), by=(Run("podman network connect podman web"),)),),
    alive=(Attempt(HOST, "http://10.89.0.2:80"),),
)
