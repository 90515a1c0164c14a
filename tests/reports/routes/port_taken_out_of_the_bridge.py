"""Something took the host's end of a container out of its bridge."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start

REPORT: Final = Report(
    reference="",
    title="one container of the network is gone for all others, and podman ps shows it running",
    truth="The host's end of web's veth pair has no master.",
    steps=[
        Start("web", "--ip 10.88.0.30"),
        Listen("web", "0.0.0.0", 80),
        Run("for v in $(ls /sys/class/net | grep veth); do ip link set $v nomaster; done"),
        Start("client"),
    ],
    attempt=Attempt("client", "http://10.88.0.30:80"),
    seen=Outcome.TIMED_OUT,
    causes=("link-down",),
    says=("no port of podman0",),
    never=("nobody there has it",),
    cures=(Cured(says=("ip link set", "master podman0")),),
    alive=(Attempt("web", "http://127.0.0.1:80"),),
)
