"""A rootless container calls the host's own address, and the program is on the host's loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, StartRootless
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="podman#7649",
    title="connect ECONNREFUSED of the host's address from a rootless container, for a database of the host",
    truth="slirp4netns connects to 203.0.113.10 for the container, where nobody listens: the program has 127.0.0.1.",
    steps=[StartRootless("client"), Listen(HOST, "127.0.0.1", 5432)],
    attempt=Attempt("client", f"http://{HOST_LAN}:5432"),
    seen=Outcome.REFUSED,
    causes=("rootless-host-loopback",),
    says=("127.0.0.1:5432",),
    cures=(
        Cured(says=(f"{HOST_LAN}:5432", "listen"), by=(ListenOn(HOST, 5432, HOST_LAN),)),
        Cured(
            says=("allow_host_loopback=true",),
            by=(StartRootless("opened", "--network slirp4netns:allow_host_loopback=true"),),
            again=Attempt("opened", "http://10.0.2.2:5432"),
        ),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:5432"),),
)
