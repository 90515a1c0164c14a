"""The published port of a network with IPv6 is called by ``::1``."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="podman#26092",
    title="a port of a dual-stack network is published, and http://[::1]:8080 times out",
    truth="netavark rewrites it to the container, which answers, and the kernel takes no answer to ::1 from the "
    "bridge: IPv6 has no route_localnet.",
    steps=[
        Network("dual", "--ipv6 --subnet 10.89.0.0/24 --subnet fd00:89::/64"),
        Start("web", "-p 8080:80", "dual"),
        Listen("web", "0.0.0.0", 80),
        Listen("web", "::", 80),
    ],
    attempt=Attempt(HOST, "http://[::1]:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("published-ipv6-loopback",),
    says=("::1",),
    never=("route_localnet", "= 0"),
    cures=(Cured(says=("127.0.0.1:8080",), again=Attempt(HOST, "http://127.0.0.1:8080")),),
    alive=(Attempt(HOST, "http://127.0.0.1:8080"),),
)
