"""A program of the host listens on the host's loopback, and a container calls the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="for-linux#1365",
    title="curl: (7) Failed to connect to host.docker.internal port 12345: Connection refused",
    truth="The program listens on 127.0.0.1 of the host, and the container calls the bridge's address.",
    steps=[Start("client"), Listen(HOST, "127.0.0.1", 12345)],
    attempt=Attempt("client", "http://host.containers.internal:12345"),
    seen=Outcome.REFUSED,
    causes=("loopback-only",),
    says=("127.0.0.1:12345",),
    cures=(Cured(says=(GATEWAY, "12345"), by=(ListenOn(HOST, 12345, GATEWAY),)),),
    alive=(Attempt(HOST, "http://127.0.0.1:12345"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:12345"),),
)
