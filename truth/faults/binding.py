"""Faults of programs that could not listen, by their own words."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.explain.codes import Cause
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"


def _words_of(stage: Stage, command: str) -> str:
    """What a command that fails prints on a host, all of it."""
    return stage.run(f"{command} 2>&1 || true")


def _listening(address: str) -> str:
    """A Python program that tries to listen."""
    program = f"import asyncio; asyncio.run(asyncio.start_server(print, {address!r}, {PORT}))"
    return f'python3 -c "{program}"'


@fault(Cause.NO_SUCH_BIND_ADDRESS)
def a_program_before_the_bridge_is_there(stage: Stage) -> Iterator[Broken]:
    """Python's words where podman0 has not come yet."""

    def cure() -> None:
        stage.container("client")
        stage.listen(HOST, GATEWAY)

    yield Broken("client", _NAME, pasted=_words_of(stage, _listening(GATEWAY)), cure=cure)


@fault(Cause.NO_SUCH_BIND_ADDRESS)
def a_program_on_an_address_of_somebody_else(stage: Stage) -> Iterator[Broken]:
    """An address that the host does not have at all, such as a router's public one."""
    words = _words_of(stage, _listening("192.0.2.1"))
    yield Broken(HOST, f"http://{HOST_LAN}:{PORT}/", pasted=words, cure=lambda: _start(stage))


@fault(Cause.PORT_TAKEN)
def a_port_that_another_program_has(stage: Stage) -> Iterator[Broken]:
    """Python's words where the port is taken."""
    holding = stage.listen(HOST, deed="close")

    def cure() -> None:
        stage.stop(holding)
        stage.listen(HOST)

    yield Broken(HOST, f"http://127.0.0.1:{PORT}/", pasted=_words_of(stage, _listening("127.0.0.1")), cure=cure)


@fault(Cause.PORT_TAKEN)
def a_published_port_that_another_program_has(stage: Stage) -> Iterator[Broken]:
    """Podman's words where a port that it is to publish is taken; the container is made and does not start."""
    holding = stage.listen(HOST, deed="close")
    words = _words_of(stage, f"podman run -d --name web -p {PORT}:{PORT} {stage.image} sleep infinity")

    def cure() -> None:
        stage.stop(holding)
        stage.podman("start", "web")
        stage.listen("web")

    yield Broken(HOST, f"http://127.0.0.1:{PORT}/", pasted=words, cure=cure)


def _start(stage: Stage) -> None:
    stage.listen(HOST)
