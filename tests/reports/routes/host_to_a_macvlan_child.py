"""The host calls a container on a macvlan network, whose parent is the host's own interface."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.routes.macvlan_child_to_its_host import MACVLAN
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#17927",
    title="the LAN reaches a container on a macvlan network, and the host itself does not",
    truth="macvlan keeps a child and the interface that is its parent apart: what the host sends leaves by the wire.",
    steps=[MACVLAN, Start("web", "--ip 203.0.113.15", "lan"), Listen("web", "0.0.0.0", 8000)],
    attempt=Attempt(HOST, "http://203.0.113.15:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("macvlan-apart",),
    says=("macvlan", "lan0"),
    never=("Nobody has", "nobody has"),
    cures=(
        Cured(
            says=("macvlan", "ip link add"),
            by=(
                Run("ip link add shim0 link lan0 type macvlan mode bridge && ip link set shim0 up"),
                Run(f"ip route add 203.0.113.15/32 dev shim0 src {HOST_LAN}"),
            ),
        ),
    ),
    alive=(Attempt(NEIGHBOUR, "http://203.0.113.15:8000"),),
)
