"""The host's firewall drops what no rule of it accepts, and no rule is about DNS of containers."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="netavark#742",
    title="name resolution in containers fails with the default policy DROP on INPUT",
    truth="The question to 10.89.0.1 ends at the policy of INPUT.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "", "shared"),
        Start("client", "", "shared"),
        Listen("web", "0.0.0.0", 8000),
        Run("iptables -A INPUT -i lo -j ACCEPT"),
        Run("iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
        Run("iptables -P INPUT DROP"),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("resolver-blocked",),
    says=("10.89.0.1", "INPUT"),
    cures=(
        Cured(
            says=("iptables -I INPUT", "53"),
            by=(Run("iptables -I INPUT -i podman1 -p udp --dport 53 -j ACCEPT"),),
        ),
    ),
    alive=(Attempt("client", "http://10.89.0.2:8000"),),
)
