"""Faults of listeners: somebody listens, but not there."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.explain.codes import Cause
from truth.faults.fault import Broken, fault
from truth.faults.stage import HOST, HOST_LAN, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"


@fault(Cause.LOOPBACK_ONLY)
def a_listener_on_the_hosts_loopback(stage: Stage) -> Iterator[Broken]:
    """The seed's own: the container knocks at the bridge, the listener is on 127.0.0.1."""
    stage.container("client")
    listening = stage.listen(HOST, "127.0.0.1")

    def cure() -> None:
        stage.stop(listening)
        stage.listen(HOST, "10.88.0.1")

    yield Broken("client", _NAME, cure=cure)


@fault(Cause.OTHER_ADDRESS)
def a_listener_on_the_lan_address_only(stage: Stage) -> Iterator[Broken]:
    """The listener is on the host's LAN address, and the container knocks at the bridge's."""
    stage.container("client")
    listening = stage.listen(HOST, HOST_LAN)

    def cure() -> None:
        stage.stop(listening)
        stage.listen(HOST, "10.88.0.1")

    yield Broken("client", _NAME, cure=cure)
