"""The host calls a rootless container by the address that Podman shows for it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, StartRootless
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#4455",
    title="a rootless container's own address is unreachable from the host",
    truth="10.88.0.2 is in a network namespace of the user's; the host reaches the published port only.",
    steps=[StartRootless("web", "--network podman -p 8080:8000"), Listen("web", "0.0.0.0", 8000)],
    attempt=Attempt(HOST, "http://10.88.0.2:8000"),
    seen=Outcome.NETWORK_UNREACHABLE,
    causes=("rootless-address",),
    says=("10.88.0.2",),
    cures=(Cured(says=("127.0.0.1:8080",), again=Attempt(HOST, "http://127.0.0.1:8080")),),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
)
