"""pasta copies the host's address into the container, which calls that address; the host's program is on loopback."""

from __future__ import annotations

from typing import Final

from testbed.evidence.programs import PASTA
from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Run, StartRootless
from truth.faults.pasta import SHOWN
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#22771",
    title="rootless with pasta, the host's own address is refused at once: told to start the program in the container",
    truth="The address is the container's own too, so that nothing leaves it; the program listens on the host's "
    "loopback, where pasta's address for the host does not lead.",
    steps=[
        Run(f"ip route add default via {NEIGHBOUR_LAN}"),
        StartRootless("client", "", PASTA),
        Listen(HOST, "127.0.0.1", 8000),
    ],
    attempt=Attempt("client", f"http://{HOST_LAN}:8000"),
    seen=Outcome.REFUSED,
    causes=("rootless-address", "rootless-host-loopback"),
    says=(HOST_LAN, "127.0.0.1"),
    never=("in the container", "podman logs client"),
    cures=(
        Cured(
            says=("listen", HOST_LAN),
            by=(ListenOn(HOST, 8000, HOST_LAN),),
            again=Attempt("client", "http://host.containers.internal:8000"),
        ),
    ),
    shown=SHOWN,
)
