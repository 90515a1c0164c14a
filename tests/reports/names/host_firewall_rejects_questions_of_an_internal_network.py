"""The host's firewall rejects the questions that containers of an internal network ask."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="podman#22807",
    title="communications error to 10.89.2.1#53: host unreachable, on an internal network",
    truth="netavark 1.4 makes no rule for an internal network's questions, and the host's INPUT ends in a reject.",
    steps=[
        Network("inner", "--internal --subnet 10.89.0.0/24"),
        Start("web", "", "inner"),
        Start("client", "", "inner"),
        Listen("web", "0.0.0.0", 8000),
        Run("iptables -A INPUT -i lo -j ACCEPT"),
        Run("iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
        Run("iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited"),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("resolver-blocked",),
    says=("10.89.0.1", "icmp-host-prohibited"),
    cures=(
        Cured(
            says=("iptables -I INPUT", "53"),
            by=(Run("iptables -I INPUT -s 10.89.0.0/24 -p udp --dport 53 -j ACCEPT"),),
        ),
    ),
    alive=(Attempt("client", "http://10.89.0.2:8000"),),
)
