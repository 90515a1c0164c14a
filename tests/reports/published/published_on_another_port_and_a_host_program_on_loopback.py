"""A container publishes the port under another number, and a program of the host has it on its loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="host.containers.internal:8000 is refused: the host's program listens on 127.0.0.1:8000, and web has "
    "-p 8080:8000",
    truth="Port 8000 of the host is listened on, on its loopback only. That a container has a port 8000 too, published "
    "as 8080, is the other thing that can be meant.",
    steps=[
        Start("web", "-p 8080:8000"),
        Start("client"),
        Listen("web", "0.0.0.0", 8000),
        Listen(HOST, "127.0.0.1", 8000),
    ],
    attempt=Attempt("client", "http://host.containers.internal:8000"),
    seen=Outcome.REFUSED,
    causes=("loopback-only",),
    says=("127.0.0.1:8000",),
    never=("is not published",),
    cures=(
        Cured(says=(GATEWAY, "8000"), by=(ListenOn(HOST, 8000, GATEWAY),)),
        Cured(
            says=("host.containers.internal:8080",),
            again=Attempt("client", "http://host.containers.internal:8080"),
        ),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:8000"), Attempt("client", "http://host.containers.internal:8080")),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8000"),),
)
