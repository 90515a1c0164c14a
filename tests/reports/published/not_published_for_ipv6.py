"""A program for IPv6 in a container, whose host is called by its IPv6 address."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="the host's IPv6 address refuses port 80, where the container listens",
    truth="web listens on [::]:80 and publishes nothing.",
    steps=[
        Run("ip -6 addr add fd10::10/64 dev lan0 nodad"),
        Run("ip -6 addr add fd10::20/64 dev lan0 nodad", on=NEIGHBOUR),
        Network("duo", "--ipv6 --subnet 10.90.0.0/24 --subnet fd90::/64"),
        Start("web", network="duo"),
        Listen("web", "::", 80),
    ],
    attempt=Attempt(NEIGHBOUR, "http://[fd10::10]:80"),
    seen=Outcome.REFUSED,
    causes=("not-published",),
    says=("not published",),
    cures=(Cured(says=("-p [fd10::10]:80:80",)),),
    alive=(Attempt("web", "http://[::1]:80"),),
)
