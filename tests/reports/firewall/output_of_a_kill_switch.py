"""A VPN's firewall lets nothing out of the host that is not for the tunnel."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="",
    title="the host reaches nothing of the LAN while the VPN is down",
    truth="The chain output of 'inet mullvad' drops what does not leave by the tunnel: connect(2) does not hear of it.",
    steps=[
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
        Run(
            "nft 'table inet mullvad { chain output { type filter hook output priority 0; policy drop; "
            "oif lo accept; oifname wg-mullvad accept; ct state established accept; }; }'"
        ),
    ],
    attempt=Attempt(HOST, f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("output-blocked",),
    says=("mullvad", "output"),
    cures=(
        Cured(
            says=("nft insert rule inet mullvad output",),
            by=(Run(f"nft insert rule inet mullvad output ip daddr {NEIGHBOUR_LAN} accept"),),
        ),
        Cured(says=("nft",)),
    ),
    alive=(Attempt(NEIGHBOUR, "http://127.0.0.1:8000"),),
)
