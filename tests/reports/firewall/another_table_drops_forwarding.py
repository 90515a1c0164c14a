"""A table of nftables beside netavark's drops what it forwards."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="netavark#977",
    title="published ports time out from the LAN although netavark accepts them",
    truth="An accept in one base chain does not end the hook (nft(8)): the chain of 'inet strict' drops.",
    steps=[
        Start("web", "-p 8080:80"),
        Listen("web", "0.0.0.0", 80),
        Run(
            "nft 'table inet strict { chain forward { type filter hook forward priority 10; policy drop; "
            "ct state established,related accept; }; }'"
        ),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8080"),
    seen=Outcome.TIMED_OUT,
    causes=("forward-dropped",),
    says=("strict", "forward"),
    cures=(
        Cured(
            says=("nft insert rule inet strict forward",),
            by=(Run("nft insert rule inet strict forward tcp dport 80 accept"),),
        ),
        Cured(says=("nft", "strict"), by=()),
    ),
    alive=(Attempt(HOST, f"http://{HOST_LAN}:8080"),),
)
