"""A container calls its own published port, whose masquerade is gone, on a host that filters no bridged frames."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY

REPORT: Final = Report(
    reference="",
    title="a container that calls its own published port times out; route_localnet=1 does not help",
    truth="Without the rules that mark it for masquerading it comes back to the container from its own address, which "
    "the container's kernel takes from nobody (accept_local); the bridge has to send it back by the port it came from.",
    steps=[
        Start("web", "-p 8080:8000 --ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 8000),
        Run("sysctl -qw net.bridge.bridge-nf-call-iptables=0"),
        Run("iptables -t nat -S | grep -e '-j NETAVARK-HOSTPORT-SETMARK' | sed 's/^-A/iptables -t nat -D/' | sh"),
    ],
    attempt=Attempt("web", f"http://{GATEWAY}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("hairpin", "rules-lost"),
    never=("route_localnet",),
    cures=(
        Cured(says=("127.0.0.1:8000",), again=Attempt("web", "http://127.0.0.1:8000")),
        Cured(says=("podman network reload",)),
    ),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
