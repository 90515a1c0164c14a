"""A program cannot bind the gateway's address, as no container runs."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="bind [10.88.0.1]:19001: Cannot assign requested address",
    truth="podman0 is there only while a container is on the network podman.",
    steps=[],
    attempt=Attempt(HOST, f"http://{GATEWAY}:19001"),
    pasted="bind [10.88.0.1]:19001: Cannot assign requested address\n"
    "channel_setup_fwd_listener_tcpip: cannot listen to port: 19001\nCould not request local forwarding.",
    seen=None,
    causes=("no-such-bind-address",),
    says=("10.88.0.1", "podman"),
    cures=(Cured(says=(), by=(Start("client"), Listen(HOST, GATEWAY, 19001))),),
)
