"""A rule of somebody's rewrites the port to an address that is another container's by now."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start

_RULE: Final = "NETAVARK-HOSTPORT-DNAT -p tcp --dport 8080 -j DNAT --to-destination 10.88.0.99:8000"

REPORT: Final = Report(
    reference="",
    title="a published port is refused since another container has the old one's address",
    truth="A rule before Podman's translates port 8080 to 10.88.0.99, which is other's, and other publishes nothing.",
    steps=[
        Start("web", "-p 8080:8000 --ip 10.88.0.10"),
        Start("other", "--ip 10.88.0.99"),
        Start("client"),
        Listen("web", "0.0.0.0", 8000),
        Run(f"iptables -t nat -I {_RULE}"),
    ],
    attempt=Attempt("client", "http://host.containers.internal:8080"),
    seen=Outcome.REFUSED,
    causes=("stale-translation",),
    says=("10.88.0.99", "other"),
    never=("published to port 8000 of other", "port 8080 of other"),
    cures=(Cured(says=("iptables", "-D NETAVARK-HOSTPORT-DNAT"), by=(Run(f"iptables -t nat -D {_RULE}"),)),),
    alive=(Attempt("client", "http://10.88.0.10:8000"),),
)
