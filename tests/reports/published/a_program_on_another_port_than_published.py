"""The image's program listens on another port than the one that is published."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start, StartAnew
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="-p 8080:80 of nginx-unprivileged is refused: it listens on 8080",
    truth="The container listens on 8080, and 80 of it is published.",
    steps=[Start("web", "-p 8081:80"), Listen("web", "0.0.0.0", 8080)],
    attempt=Attempt(HOST, "http://127.0.0.1:8081"),
    seen=Outcome.REFUSED,
    either=("wrong-container-port", "nobody-listens"),
    says=("80", "8080", "web"),
    cures=(
        Cured(says=("-p 8081:8080",), by=(StartAnew("web", "-p 8081:8080", port=8080),)),
        Cured(says=("listen", "0.0.0.0:80"), by=(ListenOn("web", 8080, "0.0.0.0", 80),)),
        Cured(says=("80", "web"), by=(Listen("web", "0.0.0.0", 80),)),
    ),
    alive=(Attempt("web", "http://127.0.0.1:8080"),),
)
