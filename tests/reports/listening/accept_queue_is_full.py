"""The program has stopped accepting, and its queue is full."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Call, ListenOn, Serve, Start
from truth.faults.stage import GATEWAY, HOST

REPORT: Final = Report(
    reference="",
    title="connections to a server that has hung time out, and ss shows it listening",
    truth="The accept queue of the listener is full (listen(2), backlog): the kernel drops the SYN.",
    steps=[
        Start("client"),
        Serve(
            HOST,
            8000,
            'python3 -c \'import socket, time; s = socket.create_server(("0.0.0.0", 8000), backlog=0); '
            'c = [socket.create_connection(("127.0.0.1", 8000)) for _ in range(1)]; time.sleep(3600)\'',
        ),
        Call("client", f"tcp://{GATEWAY}:8000"),
        Call("client", f"tcp://{GATEWAY}:8000"),
    ],
    attempt=Attempt("client", f"http://{GATEWAY}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("accept-queue-full",),
    says=("8000",),
    cures=(Cured(says=(), by=(ListenOn(HOST, 8000, "0.0.0.0"),)),),
)
