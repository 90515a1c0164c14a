"""A program of the host is bound to the interface of the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Serve, Start
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="",
    title="the host's ss has 0.0.0.0:8000, and a container is refused there",
    truth="The socket is bound to lan0 (SO_BINDTODEVICE): what comes in by podman0 is not for it.",
    steps=[
        Start("client"),
        Serve(
            HOST,
            8000,
            "python3 -c \"import socket; s = socket.socket(); s.setsockopt(1, socket.SO_BINDTODEVICE, b'lan0'); "
            "s.bind(('0.0.0.0', 8000)); s.listen(5); kept = [s.accept() for _ in range(99)]\"",
        ),
    ],
    attempt=Attempt("client", "tcp://host.containers.internal:8000"),
    seen=Outcome.REFUSED,
    causes=("other-address",),
    says=("0.0.0.0%lan0:8000",),
    never=("another address of the same machine",),
    cures=(Cured(says=("every interface",)),),
    alive=(Attempt(NEIGHBOUR, f"tcp://{HOST_LAN}:8000"),),
)
