"""IPv6 is not forwarded, and each interface says that it is."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="a published port times out over IPv6 from the LAN",
    truth="net.ipv6.conf.all.forwarding is 0: the kernel asks that one, and not that of the interface.",
    steps=[
        Run("ip -6 addr add fd10::10/64 dev lan0 nodad"),
        Run("ip -6 addr add fd10::20/64 dev lan0 nodad", on=NEIGHBOUR),
        Network("duo", "--ipv6 --subnet 10.90.0.0/24 --subnet fd90::/64"),
        Start("web", "-p 8080:80", network="duo"),
        Listen("web", "::", 80),
        Run("sysctl -w net.ipv6.conf.all.forwarding=0; sysctl -w net.ipv6.conf.lan0.forwarding=1"),
    ],
    attempt=Attempt(NEIGHBOUR, "http://[fd10::10]:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("forwarding-off",),
    says=("net.ipv6.conf.all.forwarding is 0",),
    cures=(Cured(says=("net.ipv6.conf.all.forwarding=1",)),),
    alive=(Attempt(HOST, "http://[fd10::10]:8080"),),
)
