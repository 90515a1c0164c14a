"""An ordinary user's container has host.containers.internal in its hosts file as the gateway of its bridge."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, StartRootless
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="",
    title="rootless, --add-host host.containers.internal:10.89.0.1: told to call host.containers.internal",
    truth="In the user's network namespace 10.88.0.1 is the bridge there, and not the host; the host's own address is "
    "reached.",
    steps=[
        StartRootless("client", "--network podman --add-host host.containers.internal:10.88.0.1"),
        Listen(HOST, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://host.containers.internal:8000"),
    seen=Outcome.REFUSED,
    causes=("rootless-address",),
    says=("10.88.0.1",),
    never=("Call host.containers.internal",),
    cures=(
        Cured(says=(f"{HOST_LAN}:8000",), again=Attempt("client", f"http://{HOST_LAN}:8000")),
        Cured(
            says=("--add-host",),
            by=(StartRootless("anew", "--network podman"),),
            again=Attempt("anew", "http://host.containers.internal:8000"),
        ),
    ),
    alive=(Attempt("client", f"http://{HOST_LAN}:8000"),),
)
