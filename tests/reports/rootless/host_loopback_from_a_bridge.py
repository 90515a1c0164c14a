"""A rootless container on a bridge calls the host's name, and the program is on the host's loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, StartRootless
from truth.faults.stage import HOST, HOST_LAN

REPORT: Final = Report(
    reference="podman#28718",
    title="host.containers.internal does not reach node_exporter, which listens on localhost:9100",
    truth="The name is the host's own address, and the program has 127.0.0.1 alone.",
    steps=[StartRootless("client", "--network podman"), Listen(HOST, "127.0.0.1", 9100)],
    attempt=Attempt("client", "http://host.containers.internal:9100"),
    seen=Outcome.REFUSED,
    causes=("rootless-host-loopback",),
    says=("127.0.0.1:9100",),
    cures=(
        Cured(says=(f"{HOST_LAN}:9100", "listen"), by=(ListenOn(HOST, 9100, HOST_LAN),)),
        Cured(
            says=("allow_host_loopback=true",),
            by=(StartRootless("opened", "--network slirp4netns:allow_host_loopback=true"),),
            again=Attempt("opened", "http://10.0.2.2:9100"),
        ),
    ),
    alive=(Attempt(HOST, "http://127.0.0.1:9100"),),
)
