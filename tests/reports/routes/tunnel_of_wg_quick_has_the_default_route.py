"""Containers' packets to the LAN beyond go into the tunnel of wg-quick, where nobody answers."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.routes.policy_rules_of_wg_quick import WG_QUICK
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="with a wg-quick tunnel up, a machine beyond the LAN's router is no longer reached",
    truth="192.0.2.7 has no route of the main table longer than the default one, which suppress_prefixlength 0 passes "
    "over: the packet goes into the tunnel.",
    steps=[
        Start("client"),
        *WG_QUICK,
        Run("ip address add 192.0.2.7/32 dev lo", on=NEIGHBOUR),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://192.0.2.7:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("route-astray",),
    says=("wg0",),
    never=("not modelled",),
    cures=(Cured(says=("ip route add", "192.0.2.7"), by=(Run(f"ip route add 192.0.2.7 via {NEIGHBOUR_LAN}"),)),),
    alive=(Attempt(NEIGHBOUR, "http://192.0.2.7:8000"),),
)
