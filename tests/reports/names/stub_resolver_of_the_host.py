"""A container asks 127.0.0.53, which is the host's stub resolver and nobody in the container."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start, StartAnew

REPORT: Final = Report(
    reference="buildah#5033",
    title="nothing resolves in a container whose resolv.conf is the host's 127.0.0.53",
    truth="127.0.0.53 is an address of the container's own loopback, where nobody answers.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "", "shared"),
        Start("client", "--dns 127.0.0.53", "shared"),
        Listen("web", "0.0.0.0", 8000),
        Run(
            "nsenter -t $(podman inspect -f '{{.State.Pid}}' client) -m sh -c 'echo nameserver 127.0.0.53 > "
            "/etc/resolv.conf'"
        ),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("resolver-down",),
    says=("127.0.0.53",),
    never=("podman restart web",),
    cures=(
        Cured(says=("10.89.0.2:8000",), again=Attempt("client", "http://10.89.0.2:8000")),
        Cured(says=("client",), by=(StartAnew("client", "", "shared"),)),
        Cured(says=("10.89.0.1",), by=(StartAnew("client", "--dns 10.89.0.1", "shared"),)),
        Cured(says=("--dns",), by=(StartAnew("client", "", "shared"),)),
    ),
    alive=(Attempt("client", "http://10.89.0.2:8000"),),
)
