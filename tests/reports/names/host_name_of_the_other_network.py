"""A container on two networks has the host's name as the gateway of one, and the program listens on the other."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Network, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="host.containers.internal is refused from a container on two networks, on some days",
    truth="The name is the gateway of either network; the program listens on 10.89.0.1 alone, the name is 10.88.0.1.",
    steps=[
        Network("other", "--subnet 10.89.0.0/24"),
        Start("client", f"--network other --add-host host.docker.internal:{GATEWAY}"),
        Listen(HOST, "10.89.0.1", 8000),
    ],
    attempt=Attempt("client", "http://host.docker.internal:8000"),
    seen=Outcome.REFUSED,
    causes=("name-of-other-gateway", "other-address"),
    says=("10.88.0.1", "10.89.0.1"),
    cures=(
        Cured(says=("listen", "10.88.0.1"), by=(ListenOn(HOST, 8000, GATEWAY),)),
        Cured(says=("10.89.0.1:8000",), again=Attempt("client", "http://10.89.0.1:8000")),
    ),
    alive=(Attempt("client", "http://10.89.0.1:8000"),),
)
