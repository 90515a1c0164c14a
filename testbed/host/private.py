"""A whole machine in namespaces: its own Podman, its own podman0 with 10.88.0.1, its own hosts file and resolver."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from testbed import machine, prerequisites
from testbed.engine import Engine
from testbed.errors import HostError
from testbed.host import settings
from testbed.model import Address
from testbed.names.server import NameServer
from testbed.namespaces import Init, NetworkNamespace, in_initial_namespace
from testbed.topology import RESOLVER_ADDRESS

#: Its interface has a high index, so that the host's first address is not the resolver's but a real link's.
_RESOLVER_LINK: Final = "resolver0"
_IP_BATCH: Final = f"""link set lo up
link add name {_RESOLVER_LINK} index 250 type bridge
addr add {RESOLVER_ADDRESS}/32 dev {_RESOLVER_LINK}
link set {_RESOLVER_LINK} up
"""


class PrivateHost:
    """A private host. It runs from construction until :meth:`close`, or until this process ends in whatever way.

    It has no way out: no link but those made with :func:`testbed.host.links.join`, no default route, a resolver that
    knows only ``zone`` and answers everything else with "no such name".

    :param name: its hostname
    :param image_store: a store of images, only read; None for a host without images
    :param names: further lines of its hosts file: name to address
    :param zone: what its resolver knows: name to addresses
    :param with_engine: False for a machine without Podman, such as a neighbour on the LAN
    :raises UnfitError: the machine lacks something; see 'testbed doctor'
    :raises HostError: it did not start
    """

    def __init__(
        self,
        name: str,
        *,
        image_store: Path | None = None,
        names: Mapping[str, str] = MappingProxyType({}),
        zone: Mapping[str, Sequence[str]] = MappingProxyType({}),
        with_engine: bool = True,
    ) -> None:
        self.name = name
        self.scratch = "/run/testbed"
        self.labels: Mapping[str, str] = {}
        #: What its resolver knows: lower-case names without a last dot, to addresses in the order of its answers.
        self.zone: Mapping[str, tuple[Address, ...]] = {
            known.rstrip(".").lower(): tuple(map(ipaddress.ip_address, addresses)) for known, addresses in zone.items()
        }
        facts = machine.read()
        if with_engine:
            prerequisites.require(prerequisites.private_host(facts, machine.podman_version()))
        self._namespaces: list[NetworkNamespace] = []
        self._engine: Engine | None = None
        self._resolver: NameServer | None = None
        self.init = Init(
            f"private host {name!r}",
            {
                "TESTBED_HOSTNAME": name,
                "TESTBED_CACHE_FOLDER": str(image_store or ""),
                "TESTBED_HOSTS_FILE": settings.hosts_file(name, names),
                "TESTBED_RESOLV_CONF": f"nameserver {RESOLVER_ADDRESS}\n",
                "TESTBED_CONTAINERS_CONF": settings.containers_conf(facts) if with_engine else "",
                "TESTBED_SECCOMP_PROFILE": settings.seccomp_profile(machine.seccomp_profile()) if with_engine else "",
                "TESTBED_STORAGE_CONF": settings.storage_conf(
                    "/run/testbed/storage",
                    [image_store] if image_store else [],
                    user_namespace=not in_initial_namespace(),
                ),
                "TESTBED_IP_BATCH": _IP_BATCH,
                **({"TESTBED_SERVICE": settings.SERVICE} if with_engine else {}),
            },
            private_network=True,
        )
        try:
            self.net = self.namespace(Path(f"/proc/{self.init.pid}/ns/net"), name)
            self._resolver = NameServer(self.net, RESOLVER_ADDRESS, zone)
            if with_engine:
                self._engine = Engine(self.path(settings.SERVICE), log=self.path(settings.SERVICE_LOG))
        except BaseException:
            self.close()
            raise

    @property
    def root(self) -> Path:
        """Its file system, as a path that works outside.

        :raises HostError: the host is gone
        """
        return self.init.root

    @property
    def pid(self) -> int:
        """Its first process, seen from outside."""
        return self.init.pid

    @property
    def engine(self) -> Engine:
        """Its Podman; answers as soon as it is asked for.

        :raises HostError: the host was made without one
        """
        if self._engine is None:
            raise HostError(f"private host {self.name!r} has no Podman: it was made with with_engine=False")
        return self._engine

    def path(self, inside: str) -> Path:
        """A file of this host, as a path that works outside.

        :raises HostError: the host is gone
        """
        return self.init.root / inside.lstrip("/")

    def process(self, pid: int) -> Path:
        """/proc/PID of one of its processes, by the pid that Podman reports, as a path that works outside."""
        return self.path(f"/proc/{pid}")

    def namespace(self, path: Path, what: str) -> NetworkNamespace:
        """Open a network namespace that lives on this host; it is let go of when the host is closed.

        :raises HostError: it is gone
        """
        opened = NetworkNamespace(path, what)
        self._namespaces.append(opened)
        return opened

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0) -> str:
        """Run a command on this host; see :meth:`testbed.namespaces.Init.run`."""
        return self.init.run(argv, stdin=stdin, seconds=seconds)

    def popen(
        self, argv: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command on this host; see :meth:`testbed.namespaces.Init.popen`."""
        return self.init.popen(argv, stdout=stdout, stderr=stderr)

    def stop_resolver(self) -> None:
        """End its resolver, so that port 53 is free on every address. Calling it twice does no harm."""
        if self._resolver is not None:
            self._resolver.close()
            self._resolver = None

    def let_go(self) -> None:
        """Leave the host to whoever else holds its lifeline. Its resolver, which lives in this process, ends."""
        self.init.let_go()
        self._close_ours()

    def close(self) -> None:
        """End the host and everything on it. Calling it twice does no harm."""
        self.init.close()
        self._close_ours()

    def _close_ours(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self.stop_resolver()
        for namespace in self._namespaces:
            with suppress(OSError):
                namespace.close()
        self._namespaces.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
