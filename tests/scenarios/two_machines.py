"""The tunnel without the scenario: a laptop with nothing on it, a remote machine with only sshd."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType, TracebackType
from typing import Final, Self

from testbed.containers.roles.sshd import SshdContainer
from testbed.host import Host, listeners
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.model import bracketed
from testbed.processes import end
from testbed.topology import CableEndSpec, CableSpec, ContainerSpec, HostSpec, Topology
from testbed.tunnel import Forward, OpenSSHTunnel, ParamikoTunnel, Tunnel
from testbed.tunnel.forward import Server
from testbed.waiting import wait_for

#: What sshd lets through (images/sshd/sshd_config, PermitOpen), and the port that the laptop listens on.
PORT: Final = 19001
FAR_END: Final = ("127.0.0.1", PORT)
REMOTE: Final = "198.51.100.2"
VIAS: Final = ("paramiko", "openssh")
TUNNELS: Final[Mapping[str, Callable[..., Tunnel]]] = MappingProxyType(
    {"paramiko": ParamikoTunnel, "openssh": OpenSSHTunnel}
)
#: How long a read or an accept waits at most, in seconds.
_PATIENCE: Final = 20.0

_TOPOLOGY: Final = Topology(
    hosts=(HostSpec("laptop"), HostSpec("remote")),
    cables=(
        CableSpec(CableEndSpec("laptop", "wan0", "198.51.100.1/24"), CableEndSpec("remote", "wan0", f"{REMOTE}/24")),
    ),
    containers=(ContainerSpec("remote", "sshd", "sshd", mode="host"),),
)


class TwoMachines(Lab):
    """A laptop and a remote machine that runs sshd; the agent's place at its far end is free.

    :param tag: the tag of an image by its role
    """

    def __init__(self, store: ImageStore, tag: Callable[[str], str]) -> None:
        super().__init__(_TOPOLOGY, images={"sshd": tag("sshd")}, image_store=store.storage)

    @property
    def laptop(self) -> Host:
        """Where forwards listen."""
        return self.hosts["laptop"]

    @property
    def remote(self) -> Host:
        """Where they come out."""
        return self.hosts["remote"]

    @property
    def sshd(self) -> SshdContainer:
        """What lets them through."""
        container = self.containers["sshd"]
        assert isinstance(container, SshdContainer)
        return container

    @property
    def server(self) -> Server:
        """The remote machine's sshd, as the laptop reaches it."""
        return self.sshd.server(REMOTE)

    @contextmanager
    def tunnel(self, via: str) -> Iterator[Tunnel]:
        """An SSH connection of one kind, ended with the block."""
        tunnel = TUNNELS[via](self.laptop, self.server)
        try:
            yield tunnel
        finally:
            tunnel.close()

    @contextmanager
    def forward(self, via: str, bind: str = "127.0.0.1", *, exit_on_failure: bool = True) -> Iterator[Forward]:
        """A forward to the far end, over a connection of its own."""
        with (
            self.tunnel(via) as tunnel,
            tunnel.forward(bind, PORT, *FAR_END, exit_on_failure=exit_on_failure) as forward,
        ):
            yield forward

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        """A connection of the laptop to its own port."""
        return _connected(self.laptop, address)

    @contextmanager
    def through(self, via: str) -> Iterator[tuple[socket.socket, socket.socket]]:
        """Both ends of one connection through a forward: the laptop's, and the one in the agent's place."""
        with self.far_end() as server, self.forward(via), self.connect() as near, server.accept() as far:
            yield near, far

    def far_end(self) -> FarEnd:
        """A server in the agent's place, whose ends of connections are the test's to read and write."""
        return FarEnd(self.remote)


class FarEnd:
    """A listener on the remote machine's 127.0.0.1:19001."""

    def __init__(self, host: Host) -> None:
        self._listener = host.net.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.settimeout(_PATIENCE)
        self._listener.bind(FAR_END)
        self._listener.listen()

    def accept(self) -> socket.socket:
        """The next connection that came through."""
        connection, _ = self._listener.accept()
        connection.settimeout(_PATIENCE)
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.close()


def heard(host: Host, port: int = PORT) -> set[str]:
    """The addresses that a host really listens on at a port, as its kernel says."""
    return {str(listener.address) for listener in listeners(host.net) if listener.port == port}


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the other end says that no more does."""
    blocks = []
    while block := connection.recv(1 << 16):
        blocks.append(block)
    return b"".join(blocks)


def sending(connection: socket.socket, data: bytes) -> threading.Thread:
    """A thread that sends more than buffers hold, and then says that no more comes."""

    def send() -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


@contextmanager
def occupied(host: Host, address: str, port: int = PORT) -> Iterator[int]:
    """A process of a host that holds a port, by its pid there."""
    family = "AF_INET6" if ipaddress.ip_address(address).version == 6 else "AF_INET"
    listen = f"s = socket.create_server(({address!r}, {port}), family=socket.{family})"
    process = host.popen(["python3", "-c", f"import socket, time; {listen}; time.sleep(600)"])
    try:
        wait_for(lambda: address in heard(host, port), f"{address} port {port} of {host.name} to be taken")
        yield pid_of_listener(host, address, port)
    finally:
        end(process)


def pid_of_listener(host: Host, address: str = "127.0.0.1", port: int = PORT) -> int:
    """The process of a host that listens on an address and port, by that host's own ``ss``."""
    text = host.run(["ss", "-Hltnp", "src", f"{bracketed(address)}:{port}"])
    found = re.search(r"pid=(\d+)", text)
    assert found, f"nobody listens on {address} port {port} of {host.name}: {text!r}"
    return int(found[1])


def _connected(host: Host, address: str) -> socket.socket:
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    connection = host.net.socket(family)
    connection.settimeout(_PATIENCE)
    try:
        connection.connect((address, PORT))
    except BaseException:
        connection.close()
        raise
    return connection
