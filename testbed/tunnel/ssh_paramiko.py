"""A tunnel in this process: paramiko's SSH, with listeners born in the host's namespace."""

from __future__ import annotations

import base64
import io
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Final, Self

import paramiko

from testbed import bind as binding
from testbed.bind import BindAddress
from testbed.errors import BindError, HostKeyError, TunnelError
from testbed.host.protocol import Host
from testbed.hosts_file import HostsFile
from testbed.model import Address, family
from testbed.tunnel.failure import bind_failure
from testbed.tunnel.forward import Server

_TIMEOUT: Final = 10.0
_BLOCK: Final = 65536
_BACKLOG: Final = 128
#: As the OpenSSH tunnel has it: a question every 5 s, and the end after 10 s without a sign of life.
_ALIVE_SECONDS: Final = 5
_DEAD_SECONDS: Final = 10

# paramiko logs every refused channel with a traceback; what went wrong is in Forward.trouble.
logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)


class ParamikoTunnel:
    """An SSH connection from a host, made in its network namespace.

    What OpenSSH does with ``localhost``, ``*``, an empty bind address, GatewayPorts and ExitOnForwardFailure, this
    does too. It does not reconnect, compress, or multiplex other things than forwards.

    :raises HostKeyError: the server showed another key than ``server.host_key``
    :raises TunnelError: nobody answers there, or the key was refused
    """

    def __init__(self, host: Host, server: Server) -> None:
        self._host = host
        self._forwards: list[ParamikoForward] = []
        self._closing = False
        self._address = server.address
        where = f"{server.user}@{server.address}:{server.port}"
        with ExitStack() as on_failure:
            self._sock = on_failure.enter_context(host.net.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                self._sock.settimeout(_TIMEOUT)
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else small packets wait for an ACK
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_SECONDS * 1000)  # tcp(7)
                self._sock.connect((server.address, server.port))
            except OSError as exc:
                raise TunnelError(f"ssh to {where} from {host.name}: {exc.strerror or exc}: is its sshd up?") from exc
            self._transport = paramiko.Transport(self._sock)
            on_failure.callback(self._transport.close)
            try:
                self._transport.start_client(timeout=_TIMEOUT)
                self._check(server, where)
                key = paramiko.Ed25519Key.from_private_key(io.StringIO(server.key.private))
                self._transport.auth_publickey(server.user, key)
            except paramiko.AuthenticationException as exc:
                refused = "Permission denied (publickey): the server does not know this key"
                raise TunnelError(f"ssh to {where}: {refused}") from exc
            except (paramiko.SSHException, EOFError, OSError) as exc:
                raise TunnelError(f"ssh to {where}: {exc or 'it hung up'}") from exc
            self._transport.set_keepalive(_ALIVE_SECONDS)
            on_failure.pop_all()
        threading.Thread(target=self._watch, name=f"ssh-{host.name}", daemon=True).start()

    def _check(self, server: Server, where: str) -> None:
        shown = self._transport.get_remote_server_key()
        kind, known = server.host_key.split()[:2]
        if (shown.get_name(), shown.asbytes()) != (kind, base64.b64decode(known)):
            raise HostKeyError(
                f"ssh to {where}: Host key verification failed: it shows {shown.get_name()} {shown.fingerprint}, "
                "which is not the known one: this is another machine, or its keys were made anew"
            )

    def forward(
        self,
        bind: BindAddress | str,
        port: int,
        to_host: str,
        to_port: int,
        *,
        gateway_ports: bool = False,
        exit_on_failure: bool = True,
    ) -> ParamikoForward:
        """See :meth:`testbed.tunnel.Tunnel.forward`."""
        if not self._transport.is_active():
            raise TunnelError(f"the ssh connection from {self._host.name} has ended: make a new tunnel")
        hosts = HostsFile.parse(self._host.path("/etc/hosts").read_text(encoding="utf-8", errors="replace"))
        sockets: list[socket.socket] = []
        failures: list[str] = []
        for address in binding.addresses(binding.address(bind), hosts, gateway_ports=gateway_ports):
            try:
                sockets.append(_listen(self._host, address, port))
            except OSError as exc:
                failures.append(bind_failure(self._host, address, port, exc.errno or 0))
        if not sockets and exit_on_failure:
            raise BindError("; ".join(failures))
        forward = ParamikoForward(
            sockets,
            failures,
            lambda peer: self._open(peer, (to_host, to_port)),
            name=f"forward-{self._host.name}-{port}",
        )
        self._forwards.append(forward)
        if not self._transport.is_active():  # it ended meanwhile, and _watch may not have seen this one
            forward.close()
            raise TunnelError(f"the ssh connection from {self._host.name} has ended: make a new tunnel")
        return forward

    def close(self) -> None:
        """End the SSH connection and every forward over it."""
        self._closing = True
        self._transport.close()
        self._sock.close()  # a transport that ended by itself leaves it open
        for forward in self._forwards:
            forward.close()
        self._forwards.clear()

    def _open(self, peer: tuple[str, int], target: tuple[str, int]) -> paramiko.Channel:
        return self._transport.open_channel("direct-tcpip", target, peer, timeout=_TIMEOUT)

    def _watch(self) -> None:
        """ssh(1) exits when its connection ends, and its listeners with it; so do ours."""
        self._transport.join()
        for forward in list(self._forwards):
            if not self._closing:
                forward.complain(f"Connection to {self._address} closed")
            forward.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class ParamikoForward:
    """Listeners whose connections go through channels of one SSH connection."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        failures: Sequence[str],
        open_channel: Callable[[tuple[str, int]], paramiko.Channel],
        *,
        name: str,
    ) -> None:
        self._name = name
        self._open_channel = open_channel
        self._listeners = list(sockets)
        self._addresses = tuple(ipaddress.ip_address(sock.getsockname()[0]) for sock in sockets)
        self._connections: set[socket.socket] = set()
        self._trouble = list(failures)
        self._lock = threading.Lock()
        self._one_closes = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._accept, args=(sock,), name=name, daemon=True) for sock in self._listeners
        ]
        for thread in self._threads:
            thread.start()

    @property
    def bound(self) -> tuple[Address, ...]:
        """The addresses it listens on now."""
        return () if self._closed else self._addresses

    @property
    def trouble(self) -> tuple[str, ...]:
        """What went wrong without ending it."""
        return tuple(self._trouble)

    def complain(self, words: str) -> None:
        """Add to what went wrong."""
        self._trouble.append(words)

    def close(self) -> None:
        """Stop listening and end the connections through it. Calling it twice does no harm."""
        with self._one_closes:  # and whoever comes second returns when nothing listens any more
            self._close()

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            connections = list(self._connections)
        for sock in (*self._listeners, *connections):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in it
        for thread in self._threads:
            thread.join()
        for sock in self._listeners:
            sock.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._carry, args=(sock, peer[:2]), name=self._name, daemon=True).start()

    def _carry(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        with self._lock:
            if self._closed:
                sock.close()
                return
            self._connections.add(sock)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._open_channel(peer) as channel:
                back = threading.Thread(target=_copy, args=(channel, sock), name=self._name, daemon=True)
                back.start()
                _copy(sock, channel)
                back.join()
        except (paramiko.SSHException, EOFError, OSError) as exc:
            # As with ssh(1), whoever connected sees the connection close, never a refusal.
            self.complain(f"open failed: {exc}")
        finally:
            with self._lock:
                self._connections.discard(sock)
            sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _listen(host: Host, address: Address, port: int) -> socket.socket:
    sock = host.net.socket(family(address), socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((str(address), port))
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _copy(source: socket.socket | paramiko.Channel, sink: socket.socket | paramiko.Channel) -> None:
    """Carry one direction to its end, then close that direction only (RFC 9293, 3.6: half-closed)."""
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            sink.sendall(block)
    with suppress(OSError, EOFError):
        if isinstance(sink, paramiko.Channel):
            sink.shutdown_write()
        else:
            sink.shutdown(socket.SHUT_WR)
