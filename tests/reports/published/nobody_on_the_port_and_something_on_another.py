"""A port is published where nobody listens, and the container listens on another one, which is not meant."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Start, StartAnew
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="",
    title="the agent's published port 9001 is refused, while its container listens on 7946",
    truth="The program that is to listen on 9001 does not; 7946 is the cluster port of the same container. Whether a "
    "program is down or the wrong port is published only its owner knows.",
    steps=[Start("agent", "-p 9001:9001"), Listen("agent", "0.0.0.0", 7946)],
    attempt=Attempt(HOST, "http://127.0.0.1:9001"),
    seen=Outcome.REFUSED,
    either=("wrong-container-port", "nobody-listens"),
    says=("9001", "7946"),
    never=("The port that it listens on is 7946",),
    cures=(
        Cured(says=("9001:7946",), by=(StartAnew("agent", "-p 9001:7946", port=7946),)),
        Cured(says=("listen", "0.0.0.0:9001"), by=(ListenOn("agent", 7946, "0.0.0.0", 9001),)),
        Cured(says=("9001", "agent"), by=(Listen("agent", "0.0.0.0", 9001),)),
    ),
    alive=(Attempt("agent", "http://127.0.0.1:7946"),),
)
