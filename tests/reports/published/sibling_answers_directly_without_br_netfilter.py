"""A container calls another one's published port, and the answer does not pass the host's translation."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY

REPORT: Final = Report(
    reference="podman#5316",
    title="a container cannot reach another one's published port by the host's address, and everybody else can",
    truth="Without the mark to masquerade it, the answer goes straight over the bridge, from an address that was not "
    "called.",
    steps=[
        Start("client", "--ip 10.88.0.9"),
        Start("web", "-p 8080:80 --ip 10.88.0.10"),
        Listen("web", "0.0.0.0", 80),
        Run("sysctl -qw net.bridge.bridge-nf-call-iptables=0"),
        Run("iptables -t nat -S | grep -e '-j NETAVARK-HOSTPORT-SETMARK' | sed 's/^-A/iptables -t nat -D/' | sh"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("hairpin", "rules-lost"),
    never=("route_localnet",),
    cures=(
        Cured(says=("podman network reload",), by=(Run("podman network reload --all"),)),
        Cured(says=("bridge-nf-call-iptables=1",)),
        Cured(says=("10.88.0.10:80",), again=Attempt("client", "http://10.88.0.10:80")),
    ),
    alive=(Attempt("client", "http://10.88.0.10:80"),),
)
