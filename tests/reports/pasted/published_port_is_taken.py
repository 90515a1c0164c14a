"""Podman cannot publish a port that another program of the host has."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start, Stop
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="Error: cannot listen on the TCP port: listen tcp4 :8080: bind: address already in use",
    truth="A program of the host has port 8080.",
    steps=[Listen(HOST, "0.0.0.0", 8080)],
    attempt=Attempt(HOST, "http://127.0.0.1:8081"),
    pasted="Error: cannot listen on the TCP port: listen tcp4 :8080: bind: address already in use",
    seen=None,
    causes=("port-taken",),
    says=("8080", "python3"),
    cures=(
        Cured(
            says=("kill",), by=(Stop(HOST, 8080), Start("web", "-p 8080:80 -p 8081:80"), Listen("web", "0.0.0.0", 80))
        ),
        Cured(says=("-p",), by=(Start("web", "-p 8081:80"), Listen("web", "0.0.0.0", 80))),
    ),
)
