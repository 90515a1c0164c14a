"""A container on two networks answers by the other one, and the host filters by reverse path."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#26044",
    title="the published port of a container on two networks times out where rp_filter is 1",
    truth="The container's default route leads to the other network: its answer comes in by podman1, and 10.88.0.0/16 "
    "is at podman0.",
    steps=[
        Network("other", "--subnet 10.89.6.0/24"),
        Start("web", "--network other", "podman:ip=10.88.0.10"),
        Listen("web", "0.0.0.0", 8000),
        Run("ip route flush default; ip route add default via 10.89.6.1", on="web"),
        Run("for name in podman0 podman1; do sysctl -qw net.ipv4.conf.$name.rp_filter=1; done"),
    ],
    attempt=Attempt(NEIGHBOUR, "http://10.88.0.10:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("reverse-path-filter",),
    says=("10.88.0.10", "rp_filter"),
    cures=(
        Cured(says=("rp_filter",), by=(Run("sysctl -qw net.ipv4.conf.podman1.rp_filter=2"),)),
        Cured(says=("ip route",)),
    ),
    alive=(Attempt(HOST, "http://10.88.0.10:8000"),),
)
