"""A rootless container calls 10.0.2.2, slirp4netns's address for the host, which is closed."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, StartRootless
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="podman#12000",
    title="curl http://10.0.2.2:8000 from a rootless container: Network is unreachable",
    truth="10.0.2.2 stands for the host's loopback, and Podman starts slirp4netns with --disable-host-loopback.",
    steps=[StartRootless("client"), Listen(HOST, "0.0.0.0", 8000)],
    attempt=Attempt("client", "http://10.0.2.2:8000"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("rootless-host-loopback",),
    says=("10.0.2.2",),
    cures=(
        Cured(
            says=("host.containers.internal:8000",),
            again=Attempt("client", "http://host.containers.internal:8000"),
        ),
        Cured(says=(f"{HOST_LAN}:8000",), again=Attempt("client", f"http://{HOST_LAN}:8000")),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:8000"),),
)
