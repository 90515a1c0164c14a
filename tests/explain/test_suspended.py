"""What is predicted of a program that is stopped is what the kernel does for it."""

from __future__ import annotations

import os
import signal

import pytest

from testbed.explain.codes import Cause
from testbed.model import Outcome
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, PORT, Stage


@pytest.mark.parametrize("deed", ["http", "echo"])
@pytest.mark.parametrize("place", [HOST, NEIGHBOUR])
def test_a_program_that_is_stopped_is_connected_to_and_silent(stage: Stage, deed: str, place: str) -> None:
    """It answers while it runs; stopped by a signal it is found out, over TCP and UDP, by a published port."""
    stage.container("web", f"--publish=8080:{PORT}", f"--publish=8080:{PORT}/udp")
    stage.listen("web", deed=deed)
    target = f"{'udp' if deed == 'echo' else 'http'}://{HOST_LAN}:8080"
    running = stage.why(place, target).explanation
    listener = running.prediction.listener if running.prediction else None
    assert running.cause is None
    assert listener is not None
    assert listener.process is not None
    os.kill(listener.process.pid, signal.SIGSTOP)
    try:
        told = stage.why(place, target).explanation
    finally:
        os.kill(listener.process.pid, signal.SIGCONT)
    assert told.prediction is not None
    assert told.observation is not None
    silent = Outcome.NO_ANSWER if deed == "echo" else Outcome.TIMED_OUT
    assert (told.prediction.outcome, told.observation.outcome, told.cause) == (silent, silent, Cause.PEER_SILENT)
