"""A lab: a topology running. Making one is all there is to setting up, closing it all there is to tearing down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from testbed.containers import AgentContainer, HostContainer, PortainerContainer, SshdContainer
from testbed.errors import UsageError
from testbed.host.links import End, join
from testbed.host.private import PrivateHost
from testbed.host.protocol import Host
from testbed.probe import Vantage
from testbed.topology import ContainerSpec, HostSpec, Topology

T = TypeVar("T")
U = TypeVar("U")

#: Starting a container is a chain of short-lived programs that wait for one another: enough at once that no core idles.
_AT_ONCE: Final = 8


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
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="lab") as pool:
                self._start(pool)
        except BaseException:
            self.close()
            raise

    def _start(self, pool: ThreadPoolExecutor) -> None:
        topology = self.topology
        _all(pool, self._make_host, topology.hosts)
        for cable in topology.cables:
            join(
                End(self.hosts[cable.host], cable.link, cable.address),
                End(self.hosts[cable.to_host], cable.to_link, cable.to_address),
            )
        for network in topology.networks:
            host = self.hosts[network.host]
            host.engine.create_network(
                network.name,
                subnet=network.subnet,
                gateway=network.gateway,
                internal=network.internal,
                labels=host.labels,
            )
        sharing = [c for c in topology.containers if (c.mode or "").startswith("container:")]
        _all(pool, self._make_container, _alternating([c for c in topology.containers if c not in sharing]))
        _all(pool, self._make_container, sharing)
        _all(pool, lambda container: container.await_ready(), self.containers.values())
        # They came up in any order; people read them in the topology's.
        self.hosts = {spec.name: self.hosts[spec.name] for spec in topology.hosts}
        self.containers = {spec.name: self.containers[spec.name] for spec in topology.containers}

    def _make_host(self, spec: HostSpec) -> None:
        made = self._special.get(spec.name)
        self.hosts[spec.name] = (
            made()
            if made
            else PrivateHost(spec.name, image_store=self._image_store, names=spec.names, with_engine=spec.with_engine)
        )

    def _make_container(self, spec: ContainerSpec) -> None:
        container = self._configured(spec)
        self.containers[spec.name] = container
        if spec.command:
            container.with_command(list(spec.command))
        container.start()

    def _configured(self, spec: ContainerSpec) -> HostContainer:
        host, image, by_hand = self.hosts[spec.host], self._images[spec.role], f"{self._call_by} {spec.name} --"
        if spec.role == "portainer":
            assert spec.address, "the server's API is called by its address"
            return PortainerContainer(host, image, spec.name, address=spec.address, by_hand=by_hand)
        if spec.role == "agent":
            (published,) = spec.publish
            return AgentContainer(
                host,
                image,
                spec.name,
                host_address=published.host_address,
                host_port=published.host_port,
                by_hand=by_hand,
            )
        if spec.role == "sshd":
            assert spec.address, "others reach it at an address of its host"
            return SshdContainer(host, image, spec.name, address=spec.address, by_hand=by_hand)
        container = HostContainer(host, image, spec.name, by_hand=by_hand)
        if spec.network:
            container.on(spec.network, spec.address, mac=spec.mac)
        if spec.mode:
            container.in_mode(spec.mode)
        for published in spec.publish:
            container.publish(published.port, host_address=published.host_address, host_port=published.host_port)
        return container

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
        for container in self.containers.values():
            with suppress(OSError):
                container.close()
        self.containers.clear()
        hosts = list(self.hosts.values())
        self.hosts.clear()
        if hosts:
            with ThreadPoolExecutor(len(hosts)) as pool:
                _all(pool, lambda host: host.close(), hosts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _alternating(containers: Iterable[ContainerSpec]) -> list[ContainerSpec]:
    """Containers of each host in turn: one host's Podman sets up one network at a time, two do so side by side."""
    by_host: dict[str, list[ContainerSpec]] = {}
    for container in containers:
        by_host.setdefault(container.host, []).append(container)
    return [container for round_ in zip_longest(*by_host.values()) for container in round_ if container is not None]


def _all(pool: ThreadPoolExecutor, call: Callable[[T], U], things: Iterable[T]) -> list[U]:
    """Call for each, several at once; the first error is raised after all have ended, so that nothing starts unseen."""
    futures = [pool.submit(call, thing) for thing in things]
    try:
        errors = [error for future in futures if (error := future.exception())]
    except BaseException:  # a Ctrl-C while waiting: what has not begun never shall
        for future in futures:
            future.cancel()
        raise
    if errors:
        raise errors[0]
    return [future.result() for future in futures]
