"""The machine itself as a host: its own Podman, its own podman0, its own network namespace.

Whatever is made there carries a label and is removed by a process of its own (:mod:`testbed.janitor`) when the lab
is closed or its owner dies, and the machine is put back as it was.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from podman.errors import APIError

from testbed import machine, prerequisites, tools
from testbed.engine import Engine
from testbed.errors import CommandError, HostError, UnfitError
from testbed.host import collisions, local_settings
from testbed.janitor import serve as janitor
from testbed.namespaces import NetworkNamespace, is_root
from testbed.topology import Topology

_CLOSE_SECONDS: Final = 120.0
#: The map of the initial user namespace (user_namespaces(7)).
_WHOLE_MAP: Final = ["0", "0", "4294967295"]
_USE_PRIVATE: Final = "or leave --testbed-host=local out: private hosts need no root and touch nothing"


def fit() -> None:
    """Make sure that this process may use the machine's own Podman.

    :raises UnfitError: it is not root of the machine, or Podman is not what it needs to be
    """
    if not _is_root_of_the_machine():
        raise UnfitError(
            "the machine's own rootless Podman is not supported as a host yet: run this as root, for the rootful one, "
            f"{_USE_PRIVATE}"
        )
    prerequisites.require(prerequisites.engine(machine.read(), machine.podman_version()))


class LocalHost:
    """The machine as one host of a lab. It serves from construction until :meth:`close`, or until this process ends.

    One lab at a time can have it: there is one podman0. Commands started with :meth:`popen` are known by a variable in
    their environment, which all that they start inherits; the janitor ends them by it even after a SIGKILL. A namespace
    of their own would end them too, but then they would not be on the machine.

    :param name: which host of the topology it is
    :param image_store: a store of images, only read; nothing is copied into the machine's own storage
    :param topology: what will be made on it, to see beforehand whether that is taken
    :param ports: TCP ports that will be listened on there beside those that containers publish
    :raises UnfitError: this process or this machine cannot; or what the lab needs is taken, and by what
    :raises HostError: another lab has it
    """

    def __init__(
        self, name: str, *, image_store: Path | None = None, topology: Topology, ports: Collection[int] = ()
    ) -> None:
        fit()
        self.name = name
        self.pid = os.getpid()
        lab = uuid.uuid4().hex[:12]
        self.labels: Mapping[str, str] = {janitor.LABEL: lab}
        self._lab = lab
        self._namespaces: list[NetworkNamespace] = []
        self._engine: Engine | None = None
        self._janitor: _Janitor | None = None
        self.net = self.namespace(Path("/proc/self/ns/net"), name)
        try:
            chosen = local_settings.choose(machine.read(), image_store)
            self._janitor = _Janitor()
            # Only now: the lab before this one is out of the way.
            kernel = collisions.read_kernel(self.net, collisions.wanted_ports(topology, name, ports))
            _refuse(list(collisions.with_kernel(topology, name, ports, kernel)))
            self._janitor.start(_orders(lab, chosen, collisions.links(topology, name)))
            self.scratch = self._janitor.folder
            self._engine = Engine(Path(self.scratch, "podman.sock"), log=Path(self.scratch, "podman.log"))
            _refuse(list(collisions.with_podman(topology, name, _podman_state(self._engine))))
        except BaseException:
            self.close()
            raise

    @property
    def engine(self) -> Engine:
        """The machine's Podman, through a service of ours.

        :raises HostError: the host was closed
        """
        if self._engine is None:
            raise HostError(f"the local host {self.name!r} is closed")
        return self._engine

    def path(self, inside: str) -> Path:
        """A file of the machine."""
        return Path("/", inside.lstrip("/"))

    def process(self, pid: int) -> Path:
        """/proc/PID of a process."""
        return Path(f"/proc/{pid}")

    def namespace(self, path: Path, what: str) -> NetworkNamespace:
        """Open a network namespace; it is let go of when the host is closed.

        :raises HostError: it is gone
        """
        opened = NetworkNamespace(path, what)
        self._namespaces.append(opened)
        return opened

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0) -> str:
        """Run a command on the machine and return what it printed.

        :raises CommandError: it ended with another status than 0
        :raises HostError: it did not end in time
        """
        try:
            done = subprocess.run(
                argv, input=stdin, capture_output=True, env=self._environment(), timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise HostError(f"{argv[0]!r} on {self.name} did not end within {seconds:g} s") from exc
        except OSError as exc:
            raise CommandError(" ".join(argv), 127, str(exc)) from exc
        if done.returncode != 0:
            raise CommandError(" ".join(argv), done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def popen(
        self, argv: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command on the machine; it ends with the host at the latest, however the host ends."""
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=self._environment(),
            start_new_session=True,
        )

    def close(self) -> None:
        """Remove all that is ours and wait until the machine is as it was. Calling it twice does no harm.

        :raises HostError: something is left; the message says what
        """
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        for namespace in self._namespaces:
            with suppress(OSError):
                namespace.close()
        self._namespaces.clear()
        if self._janitor is not None:
            ending, self._janitor = self._janitor, None
            ending.close()

    def _environment(self) -> dict[str, str]:
        known = janitor.environment(self.scratch)
        return {**known, "PATH": tools.search_path(), janitor.MARK: self._lab}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def clean_local() -> list[str]:
    """Remove what labs whose owner and janitor are both gone have left on the machine.

    :returns: what was removed, a line each
    :raises HostError: something could not be removed
    """
    if not _is_root_of_the_machine() or machine.podman_version() is None:
        return []  # nothing can have been left
    orders = _orders("", local_settings.choose(machine.read(), None), [])
    if not Path(orders.places[0]).exists() and not any(Path(janitor.FOLDERS).glob(f"{janitor.PREFIX}*")):
        return []  # asking Podman would make its storage
    if janitor.holder() is not None:
        return []  # that janitor does it
    cleaner = _Janitor()
    cleaner.start(orders)
    return cleaner.close()


class _Janitor:
    """The process that serves and cleans up; see :mod:`testbed.janitor.serve`. It has the claim from construction on.

    :raises HostError: another lab has the claim
    """

    def __init__(self) -> None:
        lifeline, self._owner_end = os.pipe2(os.O_CLOEXEC)
        package = str(Path(__file__).parents[2])
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "testbed.janitor", str(os.getpid())],
                stdin=lifeline,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
                },
                start_new_session=True,
                text=True,
            )
        except BaseException:
            os.close(self._owner_end)
            raise
        finally:
            os.close(lifeline)
        self.folder = ""
        try:
            self._expect("claimed")
        except BaseException:
            with suppress(HostError):  # why it did not start is the news
                self.close()
            raise

    def start(self, orders: janitor.Orders) -> None:
        """Have it start the service; :attr:`folder` is there from now on.

        :raises HostError: it could not
        """
        os.write(self._owner_end, json.dumps(asdict(orders)).encode() + b"\n")
        self.folder = str(self._expect("folder"))

    def _expect(self, key: str) -> object:
        assert self._process.stdout
        text = self._process.stdout.readline()
        said = dict(json.loads(text)) if text else {}
        if "error" in said:
            raise HostError(str(said["error"]))
        if key not in said:
            _, errors = self._process.communicate(timeout=_CLOSE_SECONDS)
            last = (errors.strip().splitlines() or ["it ended without a word"])[-1]
            raise HostError(f"the janitor of the local host did not start: {last}")
        return said[key]

    def close(self) -> list[str]:
        """Let go of the lifeline and wait until it has cleaned up.

        :returns: what it removed of labs before this one
        :raises HostError: it could not undo everything, or is not done in time
        """
        os.close(self._owner_end)
        try:
            output, _ = self._process.communicate(timeout=_CLOSE_SECONDS)
        except subprocess.TimeoutExpired as exc:
            raise HostError(
                f"the janitor (process {self._process.pid}) did not put the machine back within {_CLOSE_SECONDS:g} s: "
                "see 'podman ps -a', and run 'testbed clean' when it has ended"
            ) from exc
        said = json.loads(output.splitlines()[-1]) if output.strip() else {}
        if said.get("left"):
            raise HostError(
                f"the machine is not as it was before the lab: {'; '.join(said['left'])}; {janitor.FOLDERS}/"
                f"{janitor.PREFIX}*/janitor.log says more, and 'testbed clean' tries again"
            )
        return list(said.get("removed", ()))


def _is_root_of_the_machine() -> bool:
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() == _WHOLE_MAP and is_root()


def _orders(lab: str, chosen: local_settings.LocalSettings, links: Sequence[str]) -> janitor.Orders:
    places = (chosen.graphroot, chosen.runroot, chosen.network_config_dir)
    return janitor.Orders(lab, bool(lab), chosen.containers_conf, chosen.storage_conf, places, tuple(links))


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise UnfitError(f"on this machine {'; '.join(reasons)}; {_USE_PRIVATE}")


def _addresses(engine: Engine) -> Iterator[tuple[str, str]]:
    for listed in engine.client.containers.list():
        # Ended meanwhile; or its image is in a store that is not among ours: then Podman says it when we start.
        with suppress(APIError):
            found = engine.client.containers.get(listed.id).attrs
            for network in (found["NetworkSettings"].get("Networks") or {}).values():
                if network.get("IPAddress"):
                    yield network["IPAddress"], str(found["Name"])


def _podman_state(engine: Engine) -> collisions.PodmanState:
    info: dict[str, Any] = engine.client.info()  # type: ignore[no-untyped-call]
    return collisions.PodmanState(
        frozenset(
            name.removeprefix("/")
            for found in engine.client.containers.list(all=True)
            for name in (found.attrs.get("Names") or [])
        ),
        tuple(
            collisions.PodmanNetwork(
                str(found.attrs["name"]),
                tuple(ipaddress.ip_network(subnet["subnet"]) for subnet in found.attrs.get("subnets") or ()),
                tuple(str(subnet["gateway"]) for subnet in found.attrs.get("subnets") or () if subnet.get("gateway")),
            )
            for found in engine.client.networks.list()
        ),
        tuple(_addresses(engine)),
        str(info["store"]["graphDriverName"]),
        str(info["host"].get("networkBackend", "netavark")),
    )
