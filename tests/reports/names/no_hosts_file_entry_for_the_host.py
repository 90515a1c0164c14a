"""A container that was started with --no-hosts calls the host by its name."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Start, StartAnew
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="podman#24260",
    title="Could not resolve host: host.containers.internal",
    truth="The name is an entry of the hosts file that Podman writes, and this container has no such file.",
    steps=[Start("client", "--no-hosts"), Listen(HOST, "0.0.0.0", 8000)],
    attempt=Attempt("client", "http://host.containers.internal:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("host.containers.internal",),
    cures=(
        Cured(says=(f"{GATEWAY}:8000",), again=Attempt("client", f"http://{GATEWAY}:8000")),
        Cured(
            says=("--add-host", GATEWAY),
            by=(StartAnew("client", f"--add-host host.containers.internal:{GATEWAY}"),),
        ),
    ),
    alive=(Attempt("client", f"http://{GATEWAY}:8000"),),
)
