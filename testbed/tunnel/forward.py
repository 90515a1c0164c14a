"""What a local forward is: a listener here whose connections come out at the far end of an SSH connection."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from testbed.bind import BindAddress
from testbed.model import Address
from testbed.tunnel.keys import KeyPair


@dataclass(frozen=True, slots=True)
class Server:
    """An SSH server, and how to get in.

    :param host_key: its public key, ``TYPE BASE64`` as in a known_hosts file: any other is refused
    """

    address: str
    port: int
    user: str
    key: KeyPair
    host_key: str


class Forward(Protocol):
    """A forward that listens until it is closed or its SSH connection ends."""

    @property
    def bound(self) -> tuple[Address, ...]:
        """The addresses it listens on now; empty once the connection has ended."""

    @property
    def trouble(self) -> tuple[str, ...]:
        """What went wrong without ending it, in the client's words: addresses not bound, connections not opened."""

    def close(self) -> None:
        """Stop listening and end the connections through it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...


class Tunnel(Protocol):
    """An SSH client that makes forwards."""

    def forward(
        self,
        bind: BindAddress | str,
        port: int,
        to_host: str,
        to_port: int,
        *,
        gateway_ports: bool = False,
        exit_on_failure: bool = True,
    ) -> Forward:
        """Listen on ``bind``:``port`` and carry each connection to ``to_host``:``to_port`` of the far end.

        :param bind: the bind_address of ``ssh -L`` (ssh(1)), or what :func:`testbed.bind.parse` reads as one
        :param gateway_ports: GatewayPorts of ssh_config(5): what an unspecified bind address means
        :param exit_on_failure: ExitOnForwardFailure of ssh_config(5): without it a forward that could not be bound
            is none, and only :attr:`Forward.trouble` says so
        :raises UsageError: the bind address is none, or a name that the hosts file does not have
        :raises BindError: no address could be bound
        :raises HostKeyError: the server is not the one it should be
        :raises TunnelError: no connection, or the key was refused
        """

    def close(self) -> None:
        """End the SSH connection and every forward over it."""
