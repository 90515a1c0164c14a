"""Podman's error about a UDP port that another program has."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start, Stop
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#23740",
    title="podman run -p 5353:53/udp ends with 'address already in use': told that nobody listens",
    truth="A program of the host has UDP port 5353.",
    steps=[Listen(HOST, "0.0.0.0", 5353, "udp")],
    attempt=Attempt(HOST, "tcp://127.0.0.1:8080"),
    pasted="Error: cannot listen on the UDP port: listen udp4 :5353: bind: address already in use",
    seen=None,
    causes=("port-taken",),
    says=("5353", "UDP", "python3"),
    never=("obody listens",),
    cures=(
        Cured(
            says=("kill",),
            by=(Stop(HOST, 5353), Start("dns", "-p 5353:53/udp -p 8080:80"), Listen("dns", "0.0.0.0", 80)),
        ),
    ),
)
