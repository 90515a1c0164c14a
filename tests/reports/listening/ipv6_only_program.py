"""The program listens on IPv6 only, and the container's name is an IPv4 address."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="node#40537",
    title="a server that listens on ::1 is refused at 127.0.0.1",
    truth="The program has the IPv6 loopback alone; 127.0.0.1 is another address.",
    steps=[Listen(HOST, "::1", 3000)],
    attempt=Attempt(HOST, "http://127.0.0.1:3000"),
    seen=Outcome.REFUSED,
    causes=("other-family", "other-address"),
    says=("[::1]:3000",),
    cures=(
        Cured(says=("[::1]:3000",), again=Attempt(HOST, "http://[::1]:3000")),
        Cured(says=("localhost:3000",), again=Attempt(HOST, "http://localhost:3000")),
        Cured(says=("listen", "127.0.0.1:3000"), by=(ListenOn(HOST, 3000, "127.0.0.1"),)),
    ),
    alive=(Attempt(HOST, "http://[::1]:3000"),),
)
