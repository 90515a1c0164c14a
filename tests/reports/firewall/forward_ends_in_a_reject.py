"""FORWARD of the host's own firewall rejects before netavark's rules are asked."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#12370",
    title="curl in a container: No route to host, while the host itself connects",
    truth="The first rule of FORWARD rejects with icmp-host-prohibited.",
    steps=[
        Start("client"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run("iptables -I FORWARD -j REJECT --reject-with icmp-host-prohibited"),
    ],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.HOST_UNREACHABLE,
    causes=("forward-rejected",),
    says=("FORWARD", "icmp-host-prohibited"),
    cures=(
        Cured(says=("iptables -D FORWARD",), by=(Run("iptables -D FORWARD 1"),)),
        Cured(says=("iptables -I FORWARD",)),
    ),
    alive=(Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),),
)
