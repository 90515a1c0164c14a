"""A lab: a topology running. Making one is all there is to setting up, closing it all there is to tearing down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from secrets import token_urlsafe
from types import TracebackType
from typing import Final, Self

from testbed.at_once import AtOnce
from testbed.cabling import CableSite, Cabling
from testbed.containers import HostContainer, configured, roles, secret_file
from testbed.errors import UsageError
from testbed.host.links import set_sysctls
from testbed.host.private import PrivateHost
from testbed.host.protocol import Host
from testbed.probe import Vantage
from testbed.topology import ContainerSpec, HostSpec, Topology
from testbed.topology.checks import refuse
from testbed.topology.interfaces import ends_at, sysctls_but

#: Starting a container is a chain of short-lived programs that wait for one another: enough at once that no core idles.
_WIDTH: Final = 8


class Lab:
    """Hosts, cables, networks and containers of a topology, up and running.

    :param images: the tag of each image that the topology names, by role
    :param image_store: where those images are
    :param special: makes a host otherwise than as a private one, by its name
    :param call_by: what :attr:`Vantage.by_hand` commands start with
    :raises UsageError: it cannot honour something of the topology; nothing was started
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
        self._cabling = Cabling(topology, self._find)
        roles.check(topology.containers)
        refuse(_refusals(topology, images, self._special))
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
        """Hosts, with their sysctls and secrets, and the cables and routes between them."""
        at_once.all(self._make_host, self.topology.hosts)
        for spec in self.topology.hosts:
            _prepare(self.hosts[spec.name], spec, [end.link for end in self._cabling.ends(spec.name)])
        self._cabling.lay(self._cabling.between_hosts())

    def _fill_hosts(self, at_once: AtOnce) -> None:
        """Podman's networks and containers; those that share a namespace after those that have one.

        A container whose namespace others complete begins when all cables are laid.
        """
        for network in self.topology.networks:
            host = self.hosts[network.host]
            host.engine.create_network(
                network.name,
                subnet=network.subnet,
                gateway=network.gateway,
                ipv6_subnet=network.ipv6_subnet,
                ipv6_gateway=network.ipv6_gateway,
                internal=network.internal,
                labels=host.labels,
            )
        containers = self.topology.containers
        sharing = [c for c in containers if (c.mode or "").startswith("container:")]
        waiting = [c for c in containers if self._cabling.waits_for(c)]
        at_once.all(self._make_container, _alternating([c for c in containers if c not in sharing]))
        self._cabling.lay(self._cabling.to_containers())
        at_once.all(lambda spec: self.containers[spec.name].start(), waiting)
        at_once.all(self._make_container, sharing)

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
        if self._cabling.waits_for(spec):
            container.create()
            self._cabling.add_routes(spec.name)
        else:
            container.start()

    def _configured(self, spec: ContainerSpec) -> HostContainer:
        return configured(
            self.hosts[spec.host],
            self._images[spec.role],
            spec,
            by_hand=f"{self._call_by} {spec.name} --",
            cable_links=[end.link for end in self._cabling.ends(spec.name)],
        )

    def _find(self, name: str) -> CableSite | None:
        if name in self.hosts:
            return CableSite(self.hosts[name], self.hosts[name].net)
        container = self.containers[name]
        net = container.find_net()
        return CableSite(container.host, net) if net else None

    def restart(self, name: str, *, seconds: int = 10) -> None:
        """End a container and start it again, and wait until it is ready.

        It keeps its file system, its volumes and files, its addresses and those MAC addresses that were given; its
        network namespace is another one. Its cables are laid again before its first process runs, with what they had at
        either end: addresses, sysctls and routes. Containers that share its namespace are restarted with it.

        :param seconds: between the stop signal and SIGKILL (podman-stop(1), ``--time``)
        :raises UsageError: the lab has no container of that name
        :raises EngineError: Podman refused
        :raises DeadlineError: it did not get ready
        """
        if name not in self.containers:
            what = "is a host, and only containers are restarted" if name in self.hosts else "is no container"
            raise UsageError(f"{name!r} {what}: there are {', '.join(self.containers) or 'none'}")
        container = self.containers[name]
        sharing = [self.containers[c.name] for c in self.topology.containers if c.mode == f"container:{name}"]
        for one in (*sharing, container):
            one.halt(seconds=seconds)
        (spec,) = (spec for spec in self.topology.containers if spec.name == name)
        if self._cabling.waits_for(spec):
            container.init()
            self._cabling.add_routes(name)
            self._cabling.lay(self._cabling.of(name), again=True)
        for one in (container, *sharing):
            one.start()
            one.await_ready()

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


def _prepare(host: Host, spec: HostSpec, cable_links: Sequence[str]) -> None:
    """Give a host its sysctls, but those of its cables' interfaces, and its secrets."""
    set_sysctls(host, host.net, sysctls_but(cable_links, spec.sysctls))
    for name in spec.secrets:
        file = host.path(secret_file(host, name))
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(token_urlsafe(), encoding="ascii")
        file.chmod(0o444)  # in the container, where it is mounted, its own user is another one


def _refusals(topology: Topology, images: Mapping[str, str], special: Iterable[str]) -> Iterator[str]:
    """One sentence for each thing that a lab could not honour of a topology that is sound in itself."""
    for role in topology.roles:
        if role not in images:
            (first, *_) = (spec.name for spec in topology.containers if spec.role == role)
            known = ", ".join(sorted(images)) or "none"
            yield f"container {first!r}: there is no image for the role {role!r}: there are those of {known}"
    hosts = {host.name: host for host in topology.hosts}
    for name in special:
        if name not in hosts:
            yield f"there is no host {name!r} to be made otherwise: there are {', '.join(hosts) or 'none'}"
        elif hosts[name].names:
            yield f"host {name!r}: names {dict(hosts[name].names)!r}: it is no private host, and its hosts file its own"
        elif not hosts[name].with_engine:
            yield f"host {name!r}: with_engine=False: it is no private host, and has an engine"
        elif others := sysctls_but([end.link for end in ends_at(topology.cables, name)], hosts[name].sysctls):
            yield f"host {name!r}: sysctls {others!r}: it is no private host, and outlives the lab with them"


def _alternating(containers: Iterable[ContainerSpec]) -> list[ContainerSpec]:
    """Containers of each host in turn: one host's Podman sets up one network at a time, two do so side by side."""
    by_host: dict[str, list[ContainerSpec]] = {}
    for container in containers:
        by_host.setdefault(container.host, []).append(container)
    return [container for round_ in zip_longest(*by_host.values()) for container in round_ if container is not None]
