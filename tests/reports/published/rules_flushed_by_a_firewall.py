"""A firewall that loaded its own rules has flushed Podman's."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#5431",
    title="after firewall-cmd --reload a published port hangs, and Podman still shows it",
    truth="The translation of port 8080 and all other rules of netavark's are gone; conmon only holds the port.",
    steps=[
        Start("web", "-p 8080:80"),
        Listen("web", "0.0.0.0", 80),
        Run("iptables -F && iptables -X && iptables -t nat -F && iptables -t nat -X"),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("rules-lost",),
    says=("8080", "web"),
    cures=(Cured(says=("podman network reload",), by=(Run("podman network reload --all"),)),),
    alive=(Attempt(HOST, "http://10.88.0.2:80"),),
)
