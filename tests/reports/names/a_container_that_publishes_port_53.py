"""A container publishes port 53 on all addresses, and with it that of Podman's own resolver."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import AnswerNames, Listen, Network, Run, Start, StartAnew, StopHostsResolver
from truth.faults.stage import HOST_LAN

REPORT: Final = Report(
    reference="podman#23247",
    title="no container's name is found once a container publishes port 53",
    truth="The published port's translation holds for every address of the host, the bridge's 10.89.0.1 included: the "
    "questions go to pihole, and not to aardvark-dns.",
    steps=[
        StopHostsResolver(),
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("pihole", "-p 53:53/udp -p 53:53/tcp --ip 10.88.0.53"),
        AnswerNames("pihole", "0.0.0.0"),
        Start("web", "--stop-timeout 0", "shared"),
        Start("client", "--stop-timeout 0", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("resolver-port-taken",),
    says=("pihole", "53"),
    never=("kill",),
    cures=(
        Cured(
            says=(f"-p {HOST_LAN}:53:53",),
            by=(
                StartAnew("pihole", f"-p {HOST_LAN}:53:53/udp -p {HOST_LAN}:53:53/tcp --ip 10.88.0.54"),
                Run("podman restart --time 0 web client"),
                Listen("web", "0.0.0.0", 8000),
            ),
        ),
    ),
)
