"""A container calls itself by the address and port that the world calls it by."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a container times out when it calls its own public URL",
    truth="The packet would have to go back by the port of the bridge that it came in by, and hairpin is off there.",
    steps=[Start("cloud", "-p 8080:80 --ip 10.88.0.10"), Listen("cloud", "0.0.0.0", 80)],
    attempt=Attempt("cloud", f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("hairpin",),
    says=("cloud", "podman0"),
    cures=(
        Cured(says=("127.0.0.1:80",), again=Attempt("cloud", "http://127.0.0.1:80")),
        Cured(says=("hairpin on",)),
    ),
    alive=(Attempt("cloud", "http://127.0.0.1:80"), Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080")),
)
