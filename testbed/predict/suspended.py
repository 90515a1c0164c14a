"""The listeners whose program does not run at the moment, so that the kernel alone accepts for it. Pure."""

from __future__ import annotations

from typing import Final

from testbed.evidence import Container, Evidence
from testbed.predict.ending import Accepted, Suspended

_PAUSED: Final = "paused"


def suspended(evidence: Evidence, ending: Accepted) -> Suspended | None:
    """Return the ending of a connection whose listener's program is stopped or frozen; None where it runs.

    The kernel completes the handshake whoever waits for it (listen(2)), and queues datagrams (udp(7)). Podman pauses a
    container by the freezer of its control group (podman-pause(1)).
    """
    process = ending.listener.process
    paused = _paused(evidence, ending)
    if paused is None and (process is None or not process.stopped):
        return None
    return Suspended(ending.trail, ending.listener, paused, there=ending.there)


def _paused(evidence: Evidence, ending: Accepted) -> Container | None:
    """The paused container that the listener's program is in; where that is not known, the only one there."""
    inside = [one for one in evidence.containers if one.namespace == ending.namespace.key]
    process = ending.listener.process
    if process is not None:
        inside = [one for one in inside if one.name == process.container]
    return inside[0] if inside and all(one.state == _PAUSED for one in inside) else None
