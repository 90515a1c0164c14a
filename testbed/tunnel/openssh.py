"""A tunnel by OpenSSH's own client: ``ssh -N -L``, run on the host."""

from __future__ import annotations

import errno
import ipaddress
import itertools
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testbed import bind as binding
from testbed import processes, tools
from testbed.bind import BindAddress, Unspecified
from testbed.errors import BindError, HostKeyError, TunnelError
from testbed.host.listeners import listeners
from testbed.host.protocol import Host
from testbed.hosts_file import HostsFile
from testbed.model import Address, bracketed
from testbed.tunnel.failure import bind_failure
from testbed.tunnel.forward import Server
from testbed.waiting import wait_for

_START_SECONDS: Final = 15.0
_SSH_PORT: Final = 22
_NOT_BOUND: Final = re.compile(r"bind \[(?P<address>[^\]]+)\]:(?P<port>\d+): (?P<reason>.*)")
#: Lines of ``ssh -v`` that tell what goes on or how much went through.
_NO_COMPLAINTS: Final = ("debug1:", "OpenSSH_", "Authenticated to", "Transferred: ", "Bytes per second: ")
_numbers = itertools.count(1)


class OpenSSHTunnel:
    """OpenSSH's client on a host, a process for each forward.

    :raises UnfitError: ssh is not installed
    """

    def __init__(self, host: Host, server: Server) -> None:
        self._ssh = tools.need("ssh", "openssh-client")
        self._host = host
        self._server = server
        self._forwards: list[OpenSSHForward] = []
        folder = f"{host.scratch}/ssh-{next(_numbers)}"
        outside = host.path(folder)
        outside.mkdir(mode=0o700)
        _write(outside / "key", server.key.private)
        _write(outside / "known_hosts", f"{_known_as(server)} {server.host_key}\n")
        self._folder = folder

    def command(
        self,
        bind: BindAddress,
        port: int,
        to_host: str,
        to_port: int,
        *,
        gateway_ports: bool = False,
        exit_on_failure: bool = True,
    ) -> list[str]:
        """The ssh command of a forward."""
        prefix = "" if isinstance(bind, Unspecified) else f"{bracketed(binding.text(bind))}:"
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": f"{self._folder}/known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "ExitOnForwardFailure": "yes" if exit_on_failure else "no",
            "GatewayPorts": "yes" if gateway_ports else "no",
            "ConnectTimeout": "10",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "2",
        }
        return [
            *(self._ssh, "-F", "none", "-N", "-v", "-i", f"{self._folder}/key", "-p", str(self._server.port)),
            *(f"-o{name}={value}" for name, value in options.items()),
            *("-L", f"{prefix}{port}:{bracketed(to_host)}:{to_port}", f"{self._server.user}@{self._server.address}"),
        ]

    def forward(
        self,
        bind: BindAddress | str,
        port: int,
        to_host: str,
        to_port: int,
        *,
        gateway_ports: bool = False,
        exit_on_failure: bool = True,
    ) -> OpenSSHForward:
        """See :meth:`testbed.tunnel.Tunnel.forward`."""
        hosts = HostsFile.parse(self._host.path("/etc/hosts").read_text(encoding="utf-8", errors="replace"))
        given = binding.address(bind)
        addresses = binding.addresses(given, hosts, gateway_ports=gateway_ports)
        command = self.command(
            given, port, to_host, to_port, gateway_ports=gateway_ports, exit_on_failure=exit_on_failure
        )
        forward = OpenSSHForward(self._host, command, addresses, port)
        try:
            forward.await_start()
        except BaseException:
            forward.close()
            raise
        self._forwards.append(forward)
        return forward

    def close(self) -> None:
        """End every ssh process."""
        for forward in self._forwards:
            forward.close()
        self._forwards.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class OpenSSHForward:
    """One ssh process and its listeners."""

    def __init__(self, host: Host, command: Sequence[str], addresses: Sequence[Address], port: int) -> None:
        self._host = host
        self._addresses = tuple(addresses)
        self._port = port
        self._before = {listener.inode for listener in listeners(host.net)}
        self._lines: list[str] = []
        self.command = shlex.join(command)
        self._process = host.popen(command, stderr=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, name=f"ssh-{host.name}", daemon=True)
        self._reader.start()

    @property
    def bound(self) -> tuple[Address, ...]:
        """The addresses it listens on now."""
        if self._process.poll() is not None:
            return ()
        return tuple(
            listener.address
            for listener in listeners(self._host.net)
            if listener.port == self._port
            and listener.inode not in self._before
            and listener.address in self._addresses
        )

    @property
    def trouble(self) -> tuple[str, ...]:
        """What ssh complained of, without its debug lines."""
        return tuple(line for line in self._lines if not line.startswith(_NO_COMPLAINTS))

    def await_start(self) -> None:
        """Wait until ssh has set up the session, which it does after its listeners.

        :raises BindError: ssh could not bind and ended
        :raises HostKeyError: ssh refused the server's key
        :raises TunnelError: ssh ended for another reason
        """
        wait_for(
            lambda: self._process.poll() is not None or any("Entering interactive session" in x for x in self._lines),
            f"ssh on {self._host.name} to connect",
            seconds=_START_SECONDS,
            state=lambda: self._lines[-1] if self._lines else "ssh has said nothing",
        )
        if self._process.poll() is None:
            return
        self._reader.join()
        text = "; ".join(self.trouble) or f"ssh ended with status {self._process.returncode}"
        if "Host key verification failed" in text:
            shown = next(
                (word for line in self._lines for word in line.split() if word.startswith("SHA256:")), "another one"
            )
            raise HostKeyError(
                f"ssh on {self._host.name}: Host key verification failed: it shows {shown.rstrip('.')}, "
                "which is not the known one: this is another machine, or its keys were made anew"
            )
        unbound = [found for line in self._lines if (found := _NOT_BOUND.match(line))]
        if unbound:
            raise BindError("; ".join(self._why(found) for found in unbound))
        raise TunnelError(f"ssh on {self._host.name}: {text}")

    def close(self) -> None:
        """End ssh and wait for it. Calling it twice does no harm."""
        processes.end(self._process)
        self._reader.join()
        if self._process.stderr:
            self._process.stderr.close()

    def _why(self, found: re.Match[str]) -> str:
        numbers = {os.strerror(number): number for number in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)}
        number = numbers.get(found["reason"])
        if number is None:
            return found[0]
        return bind_failure(self._host, ipaddress.ip_address(found["address"]), int(found["port"]), number)

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._lines.append(line.decode(errors="replace").strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _known_as(server: Server) -> str:
    return server.address if server.port == _SSH_PORT else f"[{server.address}]:{server.port}"


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")
