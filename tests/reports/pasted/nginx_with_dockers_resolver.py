"""nginx's error about its resolver, which is Docker's own, in a container of Podman's."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="",
    title="nginx gets no answer from 127.0.0.11, which is Docker's resolver: read as the target of a connection",
    truth="nginx.conf names 127.0.0.11, where in a container of Podman's nobody answers: its resolver is 10.89.0.1.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("proxy", "", "shared"),
        Start("app", "", "shared"),
        Listen("app", "0.0.0.0", 8000),
    ],
    attempt=Attempt("proxy", "http://app:8000"),
    pasted="2026/11/28 03:00:00 [error] 29#29: *5 send() failed (111: Connection refused) while resolving, resolver: "
    "127.0.0.11:53\n2026/11/28 03:00:05 [error] 29#29: *5 app could not be resolved (110: Operation timed out), "
    'client: 10.89.0.1, server: localhost, request: "GET / HTTP/1.1", host: "localhost:8080"',
    seen=None,
    asks=("app", "port", "proxy"),
    never=("127.0.0.11",),
    alive=(Attempt("proxy", "http://app:8000"),),
)
