"""A rule of somebody's rewrites the port to an address that nobody has."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start

_RULE: Final = "NETAVARK-HOSTPORT-DNAT -p tcp --dport 8080 -j DNAT --to-destination 10.88.0.99:8000"

REPORT: Final = Report(
    reference="",
    title="a published port ends in 'no route to host' since its container was made anew",
    truth="A rule before Podman's translates port 8080 to 10.88.0.99, which nobody has; web publishes 8080 itself.",
    steps=[
        Start("web", "-p 8080:8000 --ip 10.88.0.10"),
        Start("client"),
        Listen("web", "0.0.0.0", 8000),
        Run(f"iptables -t nat -I {_RULE}"),
    ],
    attempt=Attempt("client", "http://host.containers.internal:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("stale-translation",),
    says=("10.88.0.99", "8080"),
    cures=(Cured(says=("iptables", "-D NETAVARK-HOSTPORT-DNAT"), by=(Run(f"iptables -t nat -D {_RULE}"),)),),
    alive=(Attempt("client", "http://10.88.0.10:8000"),),
)
