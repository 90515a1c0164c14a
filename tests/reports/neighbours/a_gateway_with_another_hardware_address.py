"""The bridge took another hardware address, and a container still sends to the one that it had."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Call, Listen, Run, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="netavark#833",
    title="a container that reached the host loses it for a minute when another one starts or stops",
    truth="A bridge without an address of its own takes the lowest of its ports': podman0 has another one than the "
    "client's neighbour table says.",
    steps=[
        Start("client"),
        Listen(HOST, "0.0.0.0", 8000),
        Call("client", f"http://{GATEWAY}:8000"),
        Run("ip link set podman0 address 02:00:00:00:00:77"),
        Run(f"ip neighbour replace {GATEWAY} lladdr 02:00:00:00:00:66 dev eth0 nud stale", on="client"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("stale-neighbour",),
    says=(GATEWAY, "02:00:00:00:00:66", "02:00:00:00:00:77"),
    never=("podman run --network podman:ip=10.88.0.1", "ip=10.88.0.1"),
    cures=(
        Cured(
            says=("ip neigh", GATEWAY),
            by=(Run(f"ip neighbour flush to {GATEWAY} dev eth0", on="client"),),
        ),
    ),
)
