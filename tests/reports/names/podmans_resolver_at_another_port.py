"""Podman's resolver listens on another port, and the lookup's translation is not a published port."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="podman#18463",
    title="with dns_bind_port a refused port of another container is said to be published",
    truth="Nobody listens on port 9001 of web. That the question for the name was translated to port 1053 has nothing "
    "to do with it.",
    steps=[
        Run("sed -i '/^.network./a dns_bind_port = 1053' ${CONTAINERS_CONF:-/etc/containers/containers.conf}"),
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "", "shared"),
        Start("client", "", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:9001"),
    seen=Outcome.REFUSED,
    causes=("nobody-listens",),
    says=("9001", "web"),
    never=("published",),
    cures=(
        Cured(says=("9001",), by=(Listen("web", "0.0.0.0", 9001),)),
        Cured(says=("web:8000",), again=Attempt("client", "http://web:8000")),
    ),
)
