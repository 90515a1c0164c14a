"""The host's own firewall rejects what comes in for a published port."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#4260",
    title="a published port is 'No route to host' from another machine, and works on the host",
    truth="FORWARD rejects before netavark's rules: the question, and it would reject the answer as well.",
    steps=[
        Start("web", "-p 8080:80 --ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 80),
        Run("iptables -I FORWARD -j REJECT --reject-with icmp-host-prohibited"),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.HOST_UNREACHABLE,
    causes=("forward-rejected",),
    says=("FORWARD", "icmp-host-prohibited"),
    cures=(
        Cured(says=("iptables -D FORWARD",), by=(Run("iptables -D FORWARD 1"),)),
        Cured(says=("iptables -I FORWARD",)),
    ),
    alive=(Attempt(HOST, f"http://{HOST_LAN}:8080"),),
)
