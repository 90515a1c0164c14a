"""An ordinary user of a private host, with a Podman of its own: rootless, as on the user's real machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from testbed import machine, prerequisites, tools
from testbed.engine import Engine
from testbed.host import settings
from testbed.host.private import PrivateHost
from testbed.namespaces import NetworkNamespace
from testbed.namespaces.rootless import owner_namespace, rootless_netns

_SCRIPT: Final = resources.files("testbed.host").joinpath("rootless.sh").read_text(encoding="utf-8")
#: Inside the 65536 ids that an ordinary user's private host has at least.
_UID: Final = 2000
_FIRST_ID: Final = 10_000
_IDS: Final = 50_000


@dataclass(frozen=True, slots=True)
class RootlessContainer:
    """A running container of an ordinary user's."""

    name: str
    pid: int
    """Its main process, as the host counts."""
    net: NetworkNamespace


class RootlessUser:
    """An ordinary user of a private host with a Podman of its own, who goes with the host.

    :param image_store: the images it can run, only read. Inside its containers their files belong to nobody.
    :param name: the user's name on the host
    :param network: the program that is the network of its containers; without it, the one that its Podman would choose
    :raises UnfitError: this machine lacks what rootless Podman's network needs
    :raises HostError: the user could not be made
    """

    def __init__(self, host: PrivateHost, *, image_store: Path | None, name: str = "inner", network: str = "") -> None:
        facts = machine.read()
        usual = prerequisites.rootless_network(machine.podman_version())
        prerequisites.require(prerequisites.rootless(facts, network or usual))
        self.host = host
        self.name = name
        self.uid = _UID
        #: XDG_RUNTIME_DIR, a path on the host.
        self.runtime_dir = f"/run/user/{self.uid}"
        self.home = f"/run/testbed/users/{name}"
        self._engine: Engine | None = None
        store = str(image_store or "")
        ids = (str(self.uid), str(_FIRST_ID), str(_IDS))
        host.run(["sh", "-c", _SCRIPT, "sh", name, *ids, self.home, store])
        chosen = network if network != usual else ""  # Podman 4 does not know the setting
        conf = settings.containers_conf(facts, networks=f"{self.home}/networks", rootless_network=chosen)
        host.path(f"{self.home}/containers.conf").write_text(conf, encoding="utf-8")
        storage = settings.storage_conf(
            f"{self.home}/storage",
            [Path(self.home, "images")] if image_store else [],
            runroot=f"{self.runtime_dir}/containers",
            rootless=True,
        )
        host.path(f"{self.home}/storage.conf").write_text(storage, encoding="utf-8")

    @property
    def engine(self) -> Engine:
        """Its Podman's API service, started when first asked for; let go of it with :meth:`close`."""
        if self._engine is None:
            socket = f"{self.runtime_dir}/podman/podman.sock"  # where systemd's own unit has it (podman.socket)
            log = f"{self.runtime_dir}/podman.log"
            service = f"podman system service --time=0 unix://{socket} </dev/null >{log} 2>&1"
            self.run(["sh", "-c", f"mkdir -p {self.runtime_dir}/podman && {service} &"])
            self._engine = Engine(self.host.path(socket), log=self.host.path(log))
        return self._engine

    def close(self) -> None:
        """Close the connections to the service; what the user runs ends with the host."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command that, run on the host as root, runs ``argv`` as this user."""
        environment = {
            "PATH": f"{self.home}/bin:{tools.SEARCH_PATH}",
            "HOME": self.home,
            "USER": self.name,
            "LOGNAME": self.name,
            "XDG_RUNTIME_DIR": self.runtime_dir,
            "CONTAINERS_CONF": f"{self.home}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self.home}/storage.conf",
        }
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return [*become, "env", "-i", *(f"{key}={value}" for key, value in environment.items()), *argv]

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0) -> str:
        """Run a command as this user; see :meth:`testbed.namespaces.Init.run`."""
        return self.host.run(self.command(argv), stdin=stdin, seconds=seconds)

    def popen(
        self, argv: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command as this user; see :meth:`testbed.namespaces.Init.popen`."""
        return self.host.popen(self.command(argv), stdout=stdout, stderr=stderr)

    def container(self, name: str) -> RootlessContainer:
        """A running container of this user's.

        :raises CommandError: there is none of that name
        :raises HostError: it is not running
        """
        pid = int(self.run(["podman", "inspect", "--type=container", "--format={{.State.Pid}}", name]))
        net = self.host.namespace(self.host.process(pid) / "ns/net", f"{self.name}'s container {name!r}")
        return RootlessContainer(name, pid, net)

    @property
    def pause(self) -> int | None:
        """A process whose user namespace owns the containers, as the host counts; None before Podman first ran."""
        return owner_namespace(Path(self.runtime_dir), self.host.root)

    @property
    def rootless_netns(self) -> Path | None:
        """The file of the network namespace that holds its bridges, usable from outside; None where there is none."""
        return rootless_netns(Path(self.runtime_dir), self.host.root)
