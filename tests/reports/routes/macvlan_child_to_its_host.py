"""A container on a macvlan network calls the host by the address of the interface that is its parent."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

MACVLAN: Final = Network("lan", "-d macvlan -o parent=lan0 --subnet 203.0.113.0/27 --gateway 203.0.113.20")

REPORT: Final = Report(
    reference="podman#17927",
    title="a container on a macvlan network cannot reach its own host",
    truth="macvlan keeps a child and the interface that is its parent apart: what the child sends leaves by the wire.",
    steps=[MACVLAN, Start("client", "--ip 203.0.113.15", "lan"), Listen(HOST, "0.0.0.0", 8000)],
    attempt=Attempt("client", f"http://{HOST_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("macvlan-apart",),
    says=("macvlan", "lan0"),
    never=("Nobody has", "nobody has"),
    cures=(
        Cured(
            says=("podman network connect podman client",),
            by=(Run("podman network connect podman client"),),
            again=Attempt("client", "http://10.88.0.1:8000"),
        ),
    ),
    alive=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8000"),),
)
