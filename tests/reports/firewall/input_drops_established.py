"""The host's firewall drops what belongs to a connection that is established."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST

_RULE: Final = "INPUT -i podman0 -p tcp --dport 8000 -m conntrack --ctstate ESTABLISHED -j DROP"

REPORT: Final = Report(
    reference="",
    title="TCP connects and nothing is answered: said to be a silent program",
    truth="A rule of INPUT drops every packet of the client's after the first: the program never gets the request.",
    steps=[Start("client"), Listen(HOST, "0.0.0.0", 8000), Run(f"iptables -A {_RULE}")],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("input-dropped",),
    says=("ESTABLISHED",),
    never=("peer-silent", "says nothing", "only its answer"),
    cures=(
        Cured(says=("iptables -I INPUT", "8000"), by=(Run("iptables -I INPUT -p tcp --dport 8000 -j ACCEPT"),)),
        Cured(says=("iptables -D INPUT",), by=(Run(f"iptables -D {_RULE}"),)),
    ),
    alive=(Attempt(HOST, f"http://{GATEWAY}:8000"),),
)
