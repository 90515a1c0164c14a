"""A lab: a topology running. Making one is all there is to setting up, closing it all there is to tearing down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType
from typing import Final, Self

from testbed.at_once import AtOnce
from testbed.containers import HostContainer, configured, secret_file
from testbed.errors import UsageError
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.host.protocol import Host
from testbed.probe import Vantage
from testbed.topology import ContainerSpec, HostSpec, Topology

#: Starting a container is a chain of short-lived programs that wait for one another: enough at once that no core idles.
_WIDTH: Final = 8


class Lab:
    """Hosts, cables, networks and containers of a topology, up and running.

    :param images: the tag of each image that the topology names, by role
    :param image_store: where those images are
    :param special: makes a host otherwise than as a private one, by its name
    :param call_by: what :attr:`Vantage.by_hand` commands start with
    :raises Error: something did not start; what did was ended again
    """

    def __init__(
        self,
        topology: Topology,
        *,
        images: Mapping[str, str],
        image_store: Path,
        special: Mapping[str, Callable[[], Host]] | None = None,
        call_by: str = "testbed exec",
    ) -> None:
        self.topology = topology
        self.hosts: dict[str, Host] = {}
        self.containers: dict[str, HostContainer] = {}
        self._images = images
        self._image_store = image_store
        self._special = special or {}
        self._call_by = call_by
        try:
            with AtOnce(_WIDTH, "lab") as at_once:
                self._start(at_once)
            self._settle()
        except BaseException:
            self.close()
            raise

    def _start(self, at_once: AtOnce) -> None:
        topology = self.topology
        self._make_hosts(at_once)
        self._fill_hosts(at_once)
        at_once.all(lambda container: container.await_ready(), self.containers.values())
        # They came up in any order; people read them in the topology's.
        self.hosts = {spec.name: self.hosts[spec.name] for spec in topology.hosts}
        self.containers = {spec.name: self.containers[spec.name] for spec in topology.containers}

    def _settle(self) -> None:
        """What else has to be done before the lab is ready; whatever that raises ends it all."""

    def _make_hosts(self, at_once: AtOnce) -> None:
        """Hosts, cables, routes and secrets."""
        at_once.all(self._make_host, self.topology.hosts)
        for cable in self.topology.cables:
            join(
                CableEnd(self.hosts[cable.host], cable.link, cable.address),
                CableEnd(self.hosts[cable.to_host], cable.to_link, cable.to_address),
            )
        for spec in self.topology.hosts:
            _prepare(self.hosts[spec.name], spec)

    def _fill_hosts(self, at_once: AtOnce) -> None:
        """Podman's networks and containers; those that share a namespace after those that have one."""
        for network in self.topology.networks:
            host = self.hosts[network.host]
            host.engine.create_network(
                network.name,
                subnet=network.subnet,
                gateway=network.gateway,
                internal=network.internal,
                labels=host.labels,
            )
        containers = self.topology.containers
        sharing = [c for c in containers if (c.mode or "").startswith("container:")]
        at_once.all(self._make_container, _alternating([c for c in containers if c not in sharing]))
        at_once.all(self._make_container, sharing)

    def _make_host(self, spec: HostSpec) -> None:
        made = self._special.get(spec.name)
        self.hosts[spec.name] = (
            made()
            if made
            else PrivateHost(spec.name, image_store=self._image_store, names=spec.names, with_engine=spec.with_engine)
        )

    def _make_container(self, spec: ContainerSpec) -> None:
        by_hand = f"{self._call_by} {spec.name} --"
        container = configured(self.hosts[spec.host], self._images[spec.role], spec, by_hand=by_hand)
        self.containers[spec.name] = container
        container.start()

    def vantage(self, name: str) -> Vantage:
        """A place to try from: a host's own terminal, or a container.

        :raises UsageError: the lab has none of that name
        """
        if name in self.containers:
            return self.containers[name].vantage()
        if name in self.hosts:
            return Vantage.on(self.hosts[name], f"{self._call_by} {name} --")
        raise UsageError(f"the lab has no {name!r}: there are {', '.join([*self.hosts, *self.containers])}")

    def command(self, name: str, argv: Sequence[str]) -> str:
        """Run a program of a host's there, or in the network namespace of a container of its; what it printed.

        :raises CommandError: it ended with another status than 0
        """
        if name in self.hosts:
            return self.hosts[name].run(argv)
        container = self.containers[name]
        return container.host.run(["nsenter", f"--net=/proc/{container.pid}/ns/net", *argv])

    def let_go(self) -> None:
        """Forget the hosts without ending them: somebody else holds their lifelines now."""
        self.hosts.clear()

    def close(self) -> None:
        """End every host, and with it all that runs there. Calling it twice does no harm."""
        hosts, containers = list(self.hosts.values()), list(self.containers.values())
        self.hosts.clear()
        self.containers.clear()
        try:
            if hosts:
                with AtOnce(len(hosts), "lab") as at_once:
                    at_once.all(lambda host: host.close(), hosts)
        finally:
            for container in containers:  # after the hosts: nobody is left there to take notice of each
                with suppress(OSError):
                    container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _prepare(host: Host, spec: HostSpec) -> None:
    """Give a host its routes and its secrets, before anything runs there that needs them."""
    for destination, gateway in spec.routes.items():
        host.run(["ip", "route", "add", destination, "via", gateway])
    for name in spec.secrets:
        file = host.path(secret_file(host, name))
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(token_urlsafe(), encoding="ascii")
        file.chmod(0o444)  # in the container, where it is mounted, its own user is another one


def _alternating(containers: Iterable[ContainerSpec]) -> list[ContainerSpec]:
    """Containers of each host in turn: one host's Podman sets up one network at a time, two do so side by side."""
    by_host: dict[str, list[ContainerSpec]] = {}
    for container in containers:
        by_host.setdefault(container.host, []).append(container)
    return [container for round_ in zip_longest(*by_host.values()) for container in round_ if container is not None]
