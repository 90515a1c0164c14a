"""Two containers of one network whose ports of the bridge are isolated."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="containers of one network do not reach each other, and the host reaches both",
    truth="Both veth ends are isolated ports (bridge(8)): the bridge passes nothing from one to the other.",
    steps=[
        Start("web", "--ip 10.88.0.30"),
        Listen("web", "0.0.0.0", 80),
        Start("client"),
        Run("for v in $(ls /sys/class/net | grep veth); do bridge link set dev $v isolated on; done"),
    ],
    attempt=Attempt("client", "http://10.88.0.30:80"),
    seen=Outcome.TIMED_OUT,
    causes=("link-down",),
    says=("isolated",),
    cures=(Cured(says=("bridge link set dev", "isolated off")),),
    alive=(Attempt(HOST, "http://10.88.0.30:80"),),
)
