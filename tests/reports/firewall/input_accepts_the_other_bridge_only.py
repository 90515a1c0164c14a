"""The host's firewall lets in one bridge, and the container is on another one."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="ufw-docker#105",
    title="host-gateway works on the default network and times out on a compose project's own",
    truth="INPUT accepts what comes in by podman0, and the client's packets come in by podman1.",
    steps=[
        Start("keeps-podman0"),
        Network("project", "--subnet 10.89.0.0/24"),
        Start("client", f"--add-host gateway:{GATEWAY}", "project"),
        Listen(HOST, "0.0.0.0", 5432),
        Run("iptables -A INPUT -i lo -j ACCEPT && iptables -A INPUT -i podman0 -j ACCEPT"),
        Run("iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"),
        Run("iptables -P INPUT DROP"),
    ],
    attempt=Attempt("client", "http://gateway:5432"),
    seen=Outcome.TIMED_OUT,
    causes=("input-dropped",),
    says=("INPUT",),
    cures=(
        Cured(
            says=("iptables -I INPUT", "5432"),
            by=(Run("iptables -I INPUT -i podman1 -p tcp --dport 5432 -j ACCEPT"),),
        ),
    ),
    alive=(Attempt("keeps-podman0", f"http://{GATEWAY}:5432"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:5432"),),
)
