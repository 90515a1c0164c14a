"""The host's proxy variables were copied into a container, which then asks the proxy for its neighbour."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start, StartAnew
from truth.faults.stage import NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="foreman-documentation#4679",
    title="inter-container calls go to the company's proxy",
    truth="Podman copies http_proxy into containers (podman-run(1), --http-proxy), and no_proxy has no name of theirs.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "", "shared"),
        Start("client", f"-e http_proxy=http://{NEIGHBOUR_LAN}:3128", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.CONNECTED,
    causes=("proxy",),
    says=(f"{NEIGHBOUR_LAN}:3128",),
    cures=(
        Cured(says=("no_proxy",), by=(StartAnew("client", "-e no_proxy=web", "shared"),)),
        Cured(says=("NO_PROXY",), by=(StartAnew("client", "-e no_proxy=web", "shared"),)),
        Cured(says=("--http-proxy=false",), by=(StartAnew("client", "", "shared"),)),
    ),
    alive=(Attempt("client", "http://web:8000"),),
)
