"""A name that stands in the host's hosts file is asked for in a container."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start, StartAnew
from truth.faults.stage import HOST, NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="aardvark-dns#213",
    title="a name of the host's /etc/hosts is not found in containers",
    truth="aardvark-dns asks the host's DNS servers and reads no hosts file; the container's own is without it.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("client", "", "shared"),
        Run(f"echo '{NEIGHBOUR_LAN} intranet' >> /etc/hosts"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://intranet:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("intranet",),
    cures=(
        Cured(
            says=("--add-host", f"intranet:{NEIGHBOUR_LAN}"),
            by=(StartAnew("client", f"--add-host intranet:{NEIGHBOUR_LAN}", "shared"),),
        ),
        Cured(says=(f"{NEIGHBOUR_LAN}:8000",), again=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000")),
    ),
    alive=(Attempt(HOST, "http://intranet:8000"),),
)
