"""Portainer's words about an agent whose tunnel listens on the host's loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title='Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused',
    truth="The tunnel listens on 127.0.0.1 of the host.",
    steps=[Start("portainer"), Listen(HOST, "127.0.0.1", 19001)],
    attempt=Attempt("portainer", "tcp://host.containers.internal:19001"),
    pasted='Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused',
    seen=Outcome.REFUSED,
    causes=("loopback-only",),
    says=("127.0.0.1:19001",),
    cures=(Cured(says=(GATEWAY, "19001"), by=(ListenOn(HOST, 19001, GATEWAY),)),),
    alive=(Attempt(HOST, "http://127.0.0.1:19001"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:19001"),),
)
