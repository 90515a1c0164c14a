"""A proxy keeps the address that its upstream had, and another container has that address by now."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start

REPORT: Final = Report(
    reference="",
    title="502 after the upstream was made anew: nginx keeps the address that the name had when it started",
    truth="10.89.0.5 was app's, and is other's now, where nobody listens on 8000; app listens at 10.89.0.9.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("proxy", "", "shared"),
        Start("other", "--ip 10.89.0.5", "shared"),
        Start("app", "--ip 10.89.0.9", "shared"),
        Listen("app", "0.0.0.0", 8000),
    ],
    attempt=Attempt("proxy", "http://10.89.0.5:8000"),
    pasted="2026/11/28 03:00:00 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to "
    'upstream, client: 10.89.0.1, server: localhost, request: "GET / HTTP/1.1", upstream: "http://10.89.0.5:8000/", '
    'host: "localhost:8080"',
    seen=Outcome.REFUSED,
    either=("stale-address", "nobody-listens"),
    says=("app", "other", "10.89.0.9"),
    cures=(
        Cured(says=("10.89.0.9:8000",), again=Attempt("proxy", "http://10.89.0.9:8000")),
        Cured(says=("app:8000",), again=Attempt("proxy", "http://app:8000")),
        Cured(says=("restart", "proxy"), again=Attempt("proxy", "http://app:8000")),
    ),
    alive=(Attempt("proxy", "http://app:8000"),),
)
