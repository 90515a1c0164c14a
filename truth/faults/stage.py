"""Where faults are made: a private host with Podman, a neighbour on its LAN, and real programs that listen."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testbed.diagnose import USUAL, Client, Told, why, why_pasted
from testbed.host import PrivateHost
from testbed.host.links import CableEnd, join
from testbed.host.listeners import listeners
from testbed.model import Observation, Target
from testbed.namespaces import NetworkNamespace
from testbed.processes import end
from testbed.readers.sources import of_host
from testbed.readers.take import Source
from testbed.waiting import wait_for

HOST: Final = "box"
NEIGHBOUR: Final = "neighbour"
HOST_LAN: Final = "203.0.113.10"
NEIGHBOUR_LAN: Final = "203.0.113.20"
GATEWAY: Final = "10.88.0.1"
PORT: Final = 8000
#: A domain of the host's resolver in which every name is the neighbour's.
WILDCARD_DOMAIN: Final = "lab.example"
ZONE: Final = {f"*.{WILDCARD_DOMAIN}": [NEIGHBOUR_LAN]}
#: Listens and does one thing with each connection; argv: family address port deed [backlog].
_SERVER: Final = """
import socket, ssl, sys, time
family, address, port, deed = getattr(socket, sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
kind = socket.SOCK_DGRAM if deed in ("udp", "echo") else socket.SOCK_STREAM
server = socket.socket(family, kind)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family == socket.AF_INET6:
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
server.bind((address, port))
if deed == "udp":
    time.sleep(3600)
while deed == "echo":
    server.sendto(*server.recvfrom(65536))
server.listen(int(sys.argv[5]) if len(sys.argv) > 5 else 128)
if deed == "idle":
    time.sleep(3600)
kept = []
while True:
    connection, _ = server.accept()
    if deed == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
    if deed == "silent":
        kept.append(connection)
        continue
    if deed in ("http", "status", "large", "close"):
        connection.settimeout(5)
        try:
            connection.recv(65536)
            line = b"503 Service Unavailable" if deed == "status" else b"200 OK"
            body = b"x" * (65536 if deed == "large" else 0)
            head = b"\\r\\nServer: there\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
            if deed != "close":
                connection.sendall(b"HTTP/1.1 " + line + head + body)
        except OSError:
            pass
    connection.close()
"""


class Stage:
    """A host ``box`` with Podman and a host ``neighbour`` on its LAN. Closing it ends both, and all on them.

    :param image: an image whose containers only idle
    """

    def __init__(self, *, image: str, image_store: Path) -> None:
        self.image = image
        self.image_store = image_store
        self._closing = ExitStack()
        self._sources: list[Source] = []
        self._pids: dict[str, int] = {}
        try:
            self.host = self._closing.enter_context(PrivateHost(HOST, image_store=image_store, zone=ZONE))
            self.neighbour = self._closing.enter_context(PrivateHost(NEIGHBOUR, with_engine=False))
            join(CableEnd(self.host, "lan0", f"{HOST_LAN}/27"), CableEnd(self.neighbour, "lan0", f"{NEIGHBOUR_LAN}/27"))
            self.neighbour.run(["ip", "route", "add", "default", "via", HOST_LAN])
            self.host.engine.ready()
        except BaseException:
            self.close()
            raise

    # --- making things ------------------------------------------------------------------------------------------------

    def podman(self, *words: str) -> str:
        """Run Podman on the host."""
        return self.host.run(["podman", *words])

    def run(self, command: str, *, on: str = HOST) -> str:
        """Run a shell command on a host, or in a container's network namespace with the host's programs."""
        if on == NEIGHBOUR:
            return self.neighbour.run(["sh", "-ec", command])
        if on == HOST:
            return self.host.run(["sh", "-ec", command])
        return self.host.run(["nsenter", f"--net=/proc/{self.pid(on)}/ns/net", "sh", "-ec", command])

    def container(self, name: str, *options: str, network: str = "podman") -> None:
        """Start a container that idles."""
        self.podman("run", "-d", "--name", name, "--network", network, *options, self.image, "sleep", "infinity")

    def pid(self, name: str) -> int:
        """A container's main process, as the host counts."""
        return self._pids.get(name) or int(self.podman("inspect", "--format", "{{.State.Pid}}", name))

    def net(self, name: str) -> NetworkNamespace:
        """The network namespace of a host or a running container."""
        if name in (HOST, NEIGHBOUR):
            return self.host.net if name == HOST else self.neighbour.net
        return self.host.namespace(self.host.process(self.pid(name)) / "ns/net", name)

    def listen(
        self, place: str, address: str = "0.0.0.0", port: int = PORT, deed: str = "http", *, backlog: int = 128
    ) -> subprocess.Popen[bytes]:
        """Start a program that listens, in a host's or container's network namespace; returns once it does.

        :param deed: ``http`` answers 200, ``large`` too, with 64 KiB, ``status`` 503, ``close`` reads and closes,
            ``reset`` resets, ``silent`` accepts and says nothing, ``idle`` never accepts; of UDP
            ``echo`` sends back what it gets, and ``udp`` says nothing
        """
        family = "AF_INET6" if ":" in address else "AF_INET"
        argv = ["python3", "-c", _SERVER, family, address, str(port), deed, str(backlog)]
        if place not in (HOST, NEIGHBOUR):
            argv = ["nsenter", f"--net=/proc/{self.pid(place)}/ns/net", *argv]
        host = self.neighbour if place == NEIGHBOUR else self.host
        process = host.popen(argv)
        self._closing.callback(end, process)
        net = self.net(place)
        if deed in ("udp", "echo"):
            wait_for(lambda: f":{port} " in self.run("ss -Hlun", on=place), f"{place} to take UDP on {port}")
        else:
            wait_for(lambda: any(x.port == port for x in listeners(net)), f"{place} to listen on {port}")
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a program that :meth:`listen` started."""
        end(process)

    def add(self, *sources: Source) -> None:
        """Further hosts for the picture; one of a name that is there already takes its place."""
        names = {source.name for source in sources}
        self._sources = [*(source for source in self._sources if source.name not in names), *sources]

    def adopt(self, name: str, pid: int) -> None:
        """Know a container of another Podman on the host by its main process."""
        self._pids[name] = pid

    # --- asking -------------------------------------------------------------------------------------------------------

    @property
    def sources(self) -> list[Source]:
        """What a picture is taken of."""
        given = {source.name: source for source in self._sources}
        own = {host.name: given.get(host.name) or of_host(host) for host in (self.host, self.neighbour)}
        return list({**own, **given}.values())

    def why(self, place: str, target: str, *, seconds: float = 1.5, client: Client = USUAL) -> Told:
        """Explain an attempt."""
        return why(self.sources, place, Target.parse(target), seconds=seconds, client=client)

    def why_pasted(self, text: str, place: str | None = None) -> Told:
        """Explain somebody's words."""
        return why_pasted(self.sources, text, place, seconds=1.5)

    def connect(self, place: str, target: str, *, seconds: float = 5.0) -> Observation:
        """Try from a place, as an explanation does."""
        seen = self.why(place, target, seconds=seconds).explanation.observation
        assert seen is not None, f"{place} is not there to be tried from"
        return seen

    def close(self) -> None:
        """End it all."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
