"""A machine of the LAN keeps the hardware address of a macvlan container that was made anew."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import NEIGHBOUR

REPORT: Final = Report(
    reference="netavark#1114",
    title="redeploying a macvlan container with a static address leaves it unreachable from the LAN",
    truth="The neighbour's entry of 203.0.113.15 is that of the container before: nobody announced the new one.",
    steps=[
        Network("lan", "-d macvlan -o parent=lan0 --subnet 203.0.113.0/27 --gateway 203.0.113.20"),
        Start("web", "--ip 203.0.113.15", "lan"),
        Listen("web", "0.0.0.0", 8000),
        Run("ip neighbour replace 203.0.113.15 lladdr 02:52:1a:16:9f:75 dev lan0 nud reachable", on=NEIGHBOUR),
    ],
    attempt=Attempt(NEIGHBOUR, "http://203.0.113.15:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("stale-neighbour",),
    says=("203.0.113.15", "02:52:1a:16:9f:75"),
    cures=(
        Cured(
            says=("ip neigh", "203.0.113.15"),
            by=(Run("ip neighbour flush to 203.0.113.15", on=NEIGHBOUR),),
        ),
    ),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
