"""Faults of an ordinary user's Podman: programs connect in its containers' place, its bridges are not the host's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from testbed.errors import CommandError
from testbed.evidence.programs import SLIRP
from testbed.explain.codes import Cause
from testbed.host.rootless import RootlessUser
from testbed.readers.sources import of_rootless_user
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

#: slirp4netns's name for the host's loopback (slirp4netns(1)).
_SLIRP_HOST: Final = "10.0.2.2"
BY_NAME: Final = f"http://host.containers.internal:{PORT}/"
OUTSIDE: Final = 8080


@dataclass(frozen=True, slots=True)
class Rootless:
    """An ordinary user of the stage's host, whose containers are the ones in the picture."""

    stage: Stage
    user: RootlessUser

    def podman(self, *words: str) -> str:
        """Run the user's own Podman."""
        return self.user.run(["podman", *words])

    def container(self, name: str, *options: str) -> None:
        """Start a container that idles, with options of ``podman run``."""
        self.podman("run", "-d", "--name", name, *options, self.stage.image, "sleep", "infinity")
        self.stage.adopt(name, self.user.container(name).pid)
        self.look()

    def look(self) -> None:
        """Show the host as this user sees it: with the containers of its own Podman."""
        self.stage.add(of_rootless_user(self.user))


@contextmanager
def rootless(stage: Stage, network: str = SLIRP) -> Iterator[Rootless]:
    """Make an ordinary user on the stage's host, with a program as its network; it ends with the stage."""
    user = RootlessUser(stage.host, image_store=stage.image_store, network=network)
    try:
        yield Rootless(stage, user)
    finally:
        user.close()


@fault(Cause.ROOTLESS_HOST_LOOPBACK)
def the_hosts_loopback_by_name(stage: Stage) -> Iterator[Broken]:
    """The name of the host is its own address, and the listener is on its loopback."""
    with rootless(stage) as mine:
        yield from loopback_by_name(mine)


@fault(Cause.ROOTLESS_HOST_LOOPBACK)
def the_hosts_loopback_from_a_bridge(stage: Stage) -> Iterator[Broken]:
    """The same from a bridge, which slirp4netns connects to the host just as well."""
    with rootless(stage) as mine:
        yield from loopback_by_name(mine, "--network=podman")


def loopback_by_name(mine: Rootless, *options: str) -> Iterator[Broken]:
    """The name of the host is another address than the loopback that its program listens on.

    :param options: the network of the container that calls
    """
    mine.container("client", *options)
    listening = mine.stage.listen(HOST, "127.0.0.1")

    def cure() -> None:
        mine.stage.stop(listening)
        mine.stage.listen(HOST, HOST_LAN)

    yield Broken("client", BY_NAME, cure=cure)


@fault(Cause.ROOTLESS_HOST_LOOPBACK)
def slirps_own_name_for_the_host(stage: Stage) -> Iterator[Broken]:
    """10.0.2.2 is the host's loopback, and closed unless it was opened."""
    with rootless(stage) as mine:
        mine.container("client")
        stage.listen(HOST, "127.0.0.1")

        def cure() -> None:
            mine.container("opened", "--network=slirp4netns:allow_host_loopback=true")

        yield Broken("client", f"http://{_SLIRP_HOST}:{PORT}/", cure=cure, cured_place="opened")


@fault(Cause.ROOTLESS_HOST_LOOPBACK)
def slirps_own_name_for_a_listener_on_all_addresses(stage: Stage) -> Iterator[Broken]:
    """Even what listens everywhere is not reached by 10.0.2.2; by the host's name it is."""
    with rootless(stage) as mine:
        mine.container("client")
        stage.listen(HOST, "0.0.0.0")
        yield Broken("client", f"http://{_SLIRP_HOST}:{PORT}/", cure=lambda: None, cured_target=BY_NAME)


@fault(Cause.ROOTLESS_ADDRESS)
def the_bridges_gateway_for_the_host(stage: Stage) -> Iterator[Broken]:
    """From a container 10.88.0.1 is the rootless-netns, and not the host that listens everywhere."""
    with rootless(stage) as mine:
        mine.container("client", "--network=podman")
        stage.listen(HOST, "0.0.0.0")
        yield Broken("client", f"http://{GATEWAY}:{PORT}/", cure=lambda: None, cured_target=BY_NAME)


@fault(Cause.ROOTLESS_ADDRESS)
def the_bridges_gateway_by_the_hosts_name(stage: Stage) -> Iterator[Broken]:
    """Somebody gave the host's name to the gateway by hand, as is right with root's Podman only."""
    with rootless(stage) as mine:
        mine.container("client", "--network=podman", f"--add-host=host.containers.internal:{GATEWAY}")
        stage.listen(HOST, "0.0.0.0")
        yield Broken("client", BY_NAME, cure=lambda: None, cured_target=f"http://{HOST_LAN}:{PORT}/")


@fault(Cause.ROOTLESS_ADDRESS)
def the_bridges_gateway_from_the_host(stage: Stage) -> Iterator[Broken]:
    """From the host 10.88.0.1 is nowhere."""
    with rootless(stage) as mine:
        mine.container("web", "--network=podman")
        stage.listen(HOST, "0.0.0.0")
        yield Broken(HOST, f"http://{GATEWAY}:{PORT}/", cure=lambda: None, cured_target=f"http://127.0.0.1:{PORT}/")


@fault(Cause.ROOTLESS_ADDRESS)
def a_containers_address_from_the_host(stage: Stage) -> Iterator[Broken]:
    """A container's own address is in the rootless-netns; its published port is on the host."""
    with rootless(stage) as mine:
        mine.container("web", "--network=podman", f"--publish={OUTSIDE}:{PORT}")
        stage.listen("web")
        address = mine.podman("inspect", "--format={{.NetworkSettings.Networks.podman.IPAddress}}", "web").strip()
        cured = f"http://127.0.0.1:{OUTSIDE}/"
        yield Broken(HOST, f"http://{address}:{PORT}/", cure=lambda: None, cured_target=cured)


@fault(Cause.ROOTLESS_ADDRESS)
def a_containers_address_from_the_default_network(stage: Stage) -> Iterator[Broken]:
    """What is on no bridge gets to a bridge no more than the host does."""
    with rootless(stage) as mine:
        yield from containers_address(mine)


def containers_address(mine: Rootless) -> Iterator[Broken]:
    """A container on the default network calls one on a bridge by its own address; its published port is reached."""
    mine.container("web", "--network=podman", f"--publish={OUTSIDE}:{PORT}")
    mine.container("client")
    mine.stage.listen("web")
    address = mine.podman("inspect", "--format={{.NetworkSettings.Networks.podman.IPAddress}}", "web").strip()
    cured = f"http://host.containers.internal:{OUTSIDE}/"
    yield Broken("client", f"http://{address}:{PORT}/", cure=lambda: None, cured_target=cured)


@fault(Cause.ROOTLESS_PORT_LOOPBACK)
def a_published_port_of_a_program_on_its_loopback(stage: Stage) -> Iterator[Broken]:
    """rootlessport accepts on the host, and the program in the container listens on the container's loopback."""
    with rootless(stage) as mine:
        yield from behind_loopback(mine, "http", HOST, "127.0.0.1")


@fault(Cause.ROOTLESS_PORT_LOOPBACK)
def the_same_from_another_machine_over_tls(stage: Stage) -> Iterator[Broken]:
    """A neighbour who speaks TLS to it sees it closed as well."""
    with rootless(stage) as mine:
        yield from behind_loopback(mine, "https", NEIGHBOUR, HOST_LAN)


@fault(Cause.ROOTLESS_PORT_LOOPBACK)
def the_same_from_a_container_of_a_bridge(stage: Stage) -> Iterator[Broken]:
    """From a container two processes take the connection over, one after the other."""
    with rootless(stage) as mine:
        yield from behind_loopback(mine, "http", "client", "host.containers.internal")


def behind_loopback(
    mine: Rootless, scheme: str, place: str, host: str, *, bound: str = "127.0.0.1"
) -> Iterator[Broken]:
    """A published port is called whose program listens where nobody from outside gets to.

    :param place: who calls; ``client`` is a container on a bridge
    :param host: what it calls the host
    :param bound: the address that the program listens on
    """
    mine.container("web", f"--publish={OUTSIDE}:{PORT}")
    mine.container("client", "--network=podman")
    listening = mine.stage.listen("web", bound)

    def cure() -> None:
        mine.stage.stop(listening)
        mine.stage.listen("web", "0.0.0.0")

    yield Broken(place, f"{scheme}://{host}:{OUTSIDE}/", cure=cure, cured_target=f"http://{host}:{OUTSIDE}/")


@fault(Cause.NOBODY_LISTENS)
def nobody_behind_rootlessport(stage: Stage) -> Iterator[Broken]:
    """rootlessport accepts on the host, and in the container there is nobody."""
    with rootless(stage) as mine:
        yield from nobody_behind(mine)


def nobody_behind(mine: Rootless) -> Iterator[Broken]:
    """A port is published of a container where nobody listens."""
    mine.container("web", f"--publish={OUTSIDE}:{PORT}")

    def cure() -> None:
        mine.stage.listen("web", "0.0.0.0")

    yield Broken(HOST, f"http://127.0.0.1:{OUTSIDE}/", cure=cure)


@fault(Cause.PRIVILEGED_PORT)
def a_port_that_only_root_may_have(stage: Stage) -> Iterator[Broken]:
    """An ordinary user's Podman may not publish port 80; the words are Podman's own."""
    with rootless(stage) as mine:
        yield from privileged_port(mine)


def privileged_port(mine: Rootless) -> Iterator[Broken]:
    """Port 80 is published, and what Podman says to that is pasted."""
    mine.look()
    try:
        mine.container("web", "--publish=80:80")
    except CommandError as exc:
        words = exc.stderr.strip()
    else:
        raise AssertionError("an ordinary user has published port 80")

    def cure() -> None:
        mine.container("web2", f"--publish={OUTSIDE}:80")
        mine.stage.listen("web2", port=80)

    yield Broken(HOST, "", pasted=words, cure=cure, cured_target=f"http://127.0.0.1:{OUTSIDE}/")
