"""The host keeps the hardware address of a container that had the address before."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="moby#36069",
    title="a new container is unreachable by the host for a minute, and everything else reaches it",
    truth="The host's neighbour entry of 10.88.0.10 is that of the container before.",
    steps=[
        Start("web", "--ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 8000),
        Run("ip neighbour replace 10.88.0.10 lladdr 02:52:1a:16:9f:75 dev podman0 nud reachable"),
    ],
    attempt=Attempt(HOST, "http://10.88.0.10:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("stale-neighbour",),
    says=("10.88.0.10", "02:52:1a:16:9f:75"),
    cures=(Cured(says=("ip neigh", "10.88.0.10"), by=(Run("ip neighbour flush to 10.88.0.10"),)),),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
