"""Faults of listeners: somebody listens, but not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

from testbed.explain.codes import Cause
from testbed.waiting import wait_for
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"
_LOOPBACK = f"http://127.0.0.1:{PORT}/"
_BACKLOG = 2


def _listener_moves(stage: Stage, place: str, target: str, bound: str, right: str, *, on: str = HOST) -> Broken:
    """A listener on one address, which the cure puts on another one."""
    listening = stage.listen(on, bound)

    def cure() -> None:
        stage.stop(listening)
        stage.listen(on, right)

    return Broken(place, target, cure=cure)


@fault(Cause.LOOPBACK_ONLY)
def a_listener_on_the_hosts_loopback(stage: Stage) -> Iterator[Broken]:
    """The seed's own: the container knocks at the bridge, the listener is on 127.0.0.1."""
    stage.container("client")
    yield _listener_moves(stage, "client", _NAME, "127.0.0.1", GATEWAY)


@fault(Cause.LOOPBACK_ONLY)
def a_listener_on_the_neighbours_loopback(stage: Stage) -> Iterator[Broken]:
    """The same without containers: a host knocks at another one's LAN address."""
    yield _listener_moves(stage, NEIGHBOUR, f"http://{HOST_LAN}:{PORT}/", "127.0.0.1", HOST_LAN)


@fault(Cause.OTHER_ADDRESS)
def a_listener_on_the_lan_address_only(stage: Stage) -> Iterator[Broken]:
    """The listener is on the host's LAN address, and the container knocks at the bridge's."""
    stage.container("client")
    yield _listener_moves(stage, "client", _NAME, HOST_LAN, GATEWAY)


@fault(Cause.OTHER_ADDRESS)
def a_listener_on_the_bridge_only(stage: Stage) -> Iterator[Broken]:
    """The cure of the seed, seen from the host's own terminal: 127.0.0.1 is refused then."""
    stage.container("client")
    yield _listener_moves(stage, HOST, _LOOPBACK, GATEWAY, "0.0.0.0")


@fault(Cause.OTHER_NAMESPACE)
def a_listener_on_the_host_called_by_the_containers_loopback(stage: Stage) -> Iterator[Broken]:
    """127.0.0.1 in a container is the container."""
    stage.container("client")
    stage.listen(HOST)
    yield Broken("client", _LOOPBACK, cure=lambda: None, cured_target=_NAME)


@fault(Cause.OTHER_NAMESPACE)
def a_listener_in_another_container(stage: Stage) -> Iterator[Broken]:
    """Two containers do not share a 127.0.0.1, as two processes of one machine would."""
    stage.container("client")
    stage.container("web", "--ip", "10.88.0.80")
    stage.listen("web")
    yield Broken("client", _LOOPBACK, cure=lambda: None, cured_target=f"http://10.88.0.80:{PORT}/")


@fault(Cause.OTHER_FAMILY)
def a_listener_for_ipv6_only(stage: Stage) -> Iterator[Broken]:
    """The wildcard of IPv6 with IPV6_V6ONLY takes nothing of IPv4."""
    stage.container("client")
    yield _listener_moves(stage, "client", _NAME, "::", "0.0.0.0")


@fault(Cause.OTHER_FAMILY)
def a_listener_for_ipv4_only(stage: Stage) -> Iterator[Broken]:
    """``[::1]`` where only IPv4 is listened on."""
    yield _listener_moves(stage, HOST, f"http://[::1]:{PORT}/", "0.0.0.0", "::")


@fault(Cause.UDP_NOT_TCP)
def a_listener_for_udp(stage: Stage) -> Iterator[Broken]:
    """The right port of the wrong protocol."""
    stage.container("client")
    stage.listen(HOST, deed="udp")
    yield Broken("client", _NAME, cure=lambda: _start(stage, HOST))


@fault(Cause.NOBODY_LISTENS)
def nobody_on_the_host(stage: Stage) -> Iterator[Broken]:
    """The program was never started."""
    stage.container("client")
    yield Broken("client", _NAME, cure=lambda: _start(stage, HOST))


@fault(Cause.NOBODY_LISTENS)
def nobody_in_a_container(stage: Stage) -> Iterator[Broken]:
    """The container runs, and no program in it listens."""
    stage.container("client")
    stage.container("web", "--ip", "10.88.0.80")
    yield Broken("client", f"http://10.88.0.80:{PORT}/", cure=lambda: _start(stage, "web"))


@fault(Cause.NOBODY_LISTENS)
def nobody_behind_a_published_port(stage: Stage) -> Iterator[Broken]:
    """The same behind a published port, which the host's ss shows as listened on."""
    stage.container("client")
    stage.container("web", "-p", f"8080:{PORT}")
    yield Broken("client", "http://host.containers.internal:8080/", cure=lambda: _start(stage, "web"))


@fault(Cause.QUEUE_FULL)
def a_listener_that_accepts_nothing(stage: Stage) -> Iterator[Broken]:
    """It is stuck, and others have filled its queue."""
    stage.container("client")
    listening = stage.listen(HOST, deed="idle", backlog=_BACKLOG)
    with ExitStack() as waiting:

        def cure() -> None:
            waiting.close()
            stage.stop(listening)
            stage.listen(HOST)

        _fill(stage, waiting, f"{HOST_LAN}", _BACKLOG)
        yield Broken("client", _NAME, cure=cure)


@fault(Cause.QUEUE_FULL)
def a_queue_that_the_kernel_has_cut(stage: Stage) -> Iterator[Broken]:
    """A program asks for a long queue, and net.core.somaxconn allows a short one."""
    stage.container("client")
    stage.run(f"sysctl -qw net.core.somaxconn={_BACKLOG}")
    listening = stage.listen(HOST, deed="idle", backlog=128)
    with ExitStack() as waiting:

        def cure() -> None:
            waiting.close()
            stage.stop(listening)
            stage.listen(HOST)

        _fill(stage, waiting, f"{HOST_LAN}", _BACKLOG)
        yield Broken("client", _NAME, cure=cure)


def _start(stage: Stage, place: str) -> None:
    stage.listen(place)


def _fill(stage: Stage, waiting: ExitStack, address: str, backlog: int) -> None:
    """Connect from the neighbour until the queue takes no more: that is one more than its backlog (listen(2))."""
    for _ in range(backlog + 1):
        connection = waiting.enter_context(stage.net(NEIGHBOUR).socket(socket.AF_INET, socket.SOCK_STREAM))
        connection.settimeout(5)
        connection.connect((address, PORT))
    # A connection is in the queue once the last part of its handshake has arrived.
    wait_for(
        lambda: f"{backlog + 1} " in stage.run(f"ss -Hltn 'sport = :{PORT}' | awk '{{ print $2 \" \" }}'"),
        f"the queue of port {PORT} to be full",
    )
