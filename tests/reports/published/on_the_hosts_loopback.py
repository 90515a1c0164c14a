"""A port is published on the host's loopback, and another container calls the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start, StartAnew
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#5740",
    title="-p 127.0.0.1:8080:80 works on the host and is refused from the container beside it",
    truth="The port is published on 127.0.0.1 only; the client calls the bridge's address.",
    steps=[Start("client"), Start("web", "-p 127.0.0.1:8080:80"), Listen("web", "0.0.0.0", 80)],
    attempt=Attempt("client", "http://host.containers.internal:8080"),
    seen=Outcome.REFUSED,
    causes=("published-on-loopback",),
    says=("127.0.0.1", "8080", "web"),
    cures=(
        Cured(says=("10.88.0.3:80",), again=Attempt("client", "http://10.88.0.3:80")),
        Cured(says=(f"-p {GATEWAY}:8080:80",), by=(StartAnew("web", f"-p {GATEWAY}:8080:80", port=80),)),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),),
)
