"""Ports are published of a container on the host's network, where nothing is published."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#8230",
    title="-p 8080:80 with --network host: 8080 is refused",
    truth="On the host's network Podman discards -p: the program has port 80 of the host itself.",
    steps=[Start("web", "-p 8080:80", "host"), Listen(HOST, "0.0.0.0", 80)],
    attempt=Attempt(HOST, "http://127.0.0.1:8080"),
    seen=Outcome.REFUSED,
    causes=("not-published", "nobody-listens"),
    says=("8080", ":80"),
    never=("rules-lost",),
    cures=(
        Cured(says=("127.0.0.1:80",), again=Attempt(HOST, "http://127.0.0.1:80")),
        Cured(says=("8080",), by=(Listen(HOST, "0.0.0.0", 8080),)),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:80"),),
)
