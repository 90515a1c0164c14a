"""Faults of an ordinary user's Podman whose network is pasta: on no list where the installed Podman has another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from testbed import machine
from testbed.evidence.programs import PASTA
from testbed.explain.codes import Cause
from testbed.prerequisites import rootless_network
from truth.faults.fault import Broken, Maker, fault
from truth.faults.rootless import (
    BY_NAME,
    OUTSIDE,
    Rootless,
    behind_loopback,
    containers_address,
    loopback_by_name,
    nobody_behind,
    privileged_port,
    rootless,
)
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

#: Whether the installed Podman's rootless containers have pasta.
SHOWN: Final = rootless_network(machine.podman_version()) == PASTA


@contextmanager
def with_pasta(stage: Stage) -> Iterator[Rootless]:
    """An ordinary user whose network is pasta, on a host with a default route: its interface is the one it copies."""
    stage.run(f"ip route add default via {NEIGHBOUR_LAN}")
    with rootless(stage, PASTA) as mine:
        yield mine


def _fault(cause: Cause) -> Callable[[Maker], Maker]:
    return fault(cause, shown=SHOWN)


@_fault(Cause.ROOTLESS_HOST_LOOPBACK)
def the_hosts_loopback_by_pastas_name(stage: Stage) -> Iterator[Broken]:
    """169.254.1.2 is the host's own address to pasta, and the listener is on its loopback."""
    with with_pasta(stage) as mine:
        yield from loopback_by_name(mine)


@_fault(Cause.ROOTLESS_HOST_LOOPBACK)
def the_hosts_loopback_from_a_bridge_of_pastas(stage: Stage) -> Iterator[Broken]:
    """The same from a bridge, whose namespace pasta connects to the host."""
    with with_pasta(stage) as mine:
        yield from loopback_by_name(mine, "--network=podman")


@_fault(Cause.ROOTLESS_ADDRESS)
def the_hosts_address_that_pasta_copied(stage: Stage) -> Iterator[Broken]:
    """The container has the host's own address, and its packets to it stay inside."""
    yield from _copied(stage)


@_fault(Cause.ROOTLESS_ADDRESS)
def the_hosts_address_that_the_bridges_have_too(stage: Stage) -> Iterator[Broken]:
    """From a bridge they get as far as the namespace that the bridge is in."""
    yield from _copied(stage, "--network=podman")


def _copied(stage: Stage, *options: str) -> Iterator[Broken]:
    with with_pasta(stage) as mine:
        mine.container("client", *options)
        stage.listen(HOST)
        yield Broken("client", f"http://{HOST_LAN}:{PORT}/", cure=lambda: None, cured_target=BY_NAME)


@_fault(Cause.ROOTLESS_ADDRESS)
def a_containers_address_from_pastas_default_network(stage: Stage) -> Iterator[Broken]:
    """What is called for a bridge's address leaves the host by its default route."""
    with with_pasta(stage) as mine:
        yield from containers_address(mine)


@_fault(Cause.ROOTLESS_PORT_LOOPBACK)
def pastas_port_of_a_program_on_its_loopback(stage: Stage) -> Iterator[Broken]:
    """pasta accepts on the host, and the program in the container listens on the container's loopback."""
    with with_pasta(stage) as mine:
        yield from behind_loopback(mine, "http", HOST, "127.0.0.1")


@_fault(Cause.ROOTLESS_PORT_LOOPBACK)
def pastas_port_from_another_machine_over_tls(stage: Stage) -> Iterator[Broken]:
    """A neighbour who speaks TLS to it sees it closed as well."""
    with with_pasta(stage) as mine:
        yield from behind_loopback(mine, "https", NEIGHBOUR, HOST_LAN)


@_fault(Cause.ROOTLESS_PORT_LOOPBACK)
def pastas_port_from_a_container_of_a_bridge(stage: Stage) -> Iterator[Broken]:
    """From a container two pastas take the connection over, one after the other."""
    with with_pasta(stage) as mine:
        yield from behind_loopback(mine, "http", "client", "host.containers.internal")


@_fault(Cause.OTHER_FAMILY)
def pastas_port_of_a_program_with_ipv6_only(stage: Stage) -> Iterator[Broken]:
    """pasta calls by the IP version that it was called by."""
    with with_pasta(stage) as mine:
        yield from behind_loopback(mine, "http", HOST, "127.0.0.1", bound="::")


@_fault(Cause.NOBODY_LISTENS)
def nobody_behind_pasta(stage: Stage) -> Iterator[Broken]:
    """pasta accepts on the host, and in the container there is nobody."""
    with with_pasta(stage) as mine:
        yield from nobody_behind(mine)


@_fault(Cause.NOBODY_LISTENS)
def nobody_on_pastas_host(stage: Stage) -> Iterator[Broken]:
    """The host refuses, and pasta says so."""
    with with_pasta(stage) as mine:
        mine.container("client")

        def cure() -> None:
            stage.listen(HOST)

        yield Broken("client", BY_NAME, cure=cure)


@_fault(Cause.WRONG_CONTAINER_PORT)
def pastas_port_to_another_port(stage: Stage) -> Iterator[Broken]:
    """The port leads to one where nobody listens; the program has another."""
    with with_pasta(stage) as mine:
        mine.container("web", f"--publish={OUTSIDE}:{PORT + 1}")
        stage.listen("web")

        def cure() -> None:
            mine.podman("rm", "-f", "-t", "0", "web")
            mine.container("web2", f"--publish={OUTSIDE}:{PORT}")
            stage.listen("web2")

        yield Broken(HOST, f"http://127.0.0.1:{OUTSIDE}/", cure=cure)


@_fault(Cause.PRIVILEGED_PORT)
def a_port_that_pasta_may_not_have(stage: Stage) -> Iterator[Broken]:
    """An ordinary user's pasta may not listen on port 80; the words are its own."""
    with with_pasta(stage) as mine:
        yield from privileged_port(mine)
