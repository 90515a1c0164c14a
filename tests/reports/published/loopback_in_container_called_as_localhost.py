"""The program listens on its container's loopback, and the published port is called as ``localhost``."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#17353",
    title="curl localhost:8080 is refused although the port is published",
    truth="The program listens on 127.0.0.1 of its container, where no published port leads; ::1 is refused as well.",
    steps=[Start("web", "-p 8080:80"), Listen("web", "127.0.0.1", 80)],
    attempt=Attempt(HOST, "http://localhost:8080"),
    seen=Outcome.REFUSED,
    causes=("loopback-in-container",),
    says=("127.0.0.1:80", "web"),
    never=("published-ipv6-loopback", "Call it by its IPv4 address"),
    cures=(Cured(says=("listen", "0.0.0.0:80"), by=(ListenOn("web", 80, "0.0.0.0"),)),),
    alive=(Attempt("web", "http://127.0.0.1:80"),),
)
