"""ufw's policy keeps out what containers send to the host."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="ufw-docker#53",
    title="a container times out at a service of the host only while ufw is on",
    truth="INPUT's policy is DROP, and no rule accepts port 5432 from the bridge.",
    steps=[
        Start("client"),
        Listen(HOST, "0.0.0.0", 5432),
        Run("iptables -A INPUT -i lo -j ACCEPT"),
        Run("iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
        Run("iptables -P INPUT DROP"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:5432"),
    seen=Outcome.TIMED_OUT,
    causes=("input-dropped",),
    says=("INPUT",),
    cures=(
        Cured(
            says=("iptables -I INPUT", "5432"),
            by=(Run("iptables -I INPUT -i podman0 -p tcp --dport 5432 -j ACCEPT"),),
        ),
    ),
    alive=(Attempt(HOST, f"http://{GATEWAY}:5432"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:5432"),),
)
