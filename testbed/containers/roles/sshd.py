"""OpenSSH's server (images/sshd)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from testbed.containers.container import HostContainer
from testbed.containers.role import Need, Role
from testbed.host.listeners import listeners
from testbed.host.protocol import Host
from testbed.topology import ContainerSpec
from testbed.tunnel.forward import Server
from testbed.tunnel.keys import KeyPair
from testbed.waiting import wait_for

USER: Final = "tunnel"
PORT: Final = 22
_FOLDER: Final = "/etc/ssh/testbed"


class SshdContainer(HostContainer):
    """An sshd with keys made for this run, in /etc/ssh/testbed.

    It lets one key in, to forward to port 19001 of the loopback of its network namespace and to nothing else
    (images/sshd/sshd_config).
    """

    def __init__(self, host: Host, image: str, name: str = "sshd", *, by_hand: str = "") -> None:
        super().__init__(host, image, name, by_hand=by_hand)
        self._host_key = KeyPair.make()
        self._user_key = KeyPair.make()
        self.with_copy_into_container(self._host_key.private.encode(), f"{_FOLDER}/host_key", 0o600)
        # Read by sshd as the user who logs in.
        self.with_copy_into_container(self._user_key.public.encode() + b"\n", f"{_FOLDER}/authorized_keys", 0o644)

    def await_ready(self) -> None:
        """Wait until it listens."""
        wait_for(
            lambda: any(listener.port == PORT for listener in listeners(self.net)),
            f"{self.name!r} to listen on port {PORT}",
        )

    def server(self, address: str) -> Server:
        """The address, keys and user that an SSH client needs.

        :param address: an address of its network namespace, at which whoever wants in reaches it
        """
        return Server(address, PORT, USER, self._user_key, self._host_key.public)


def _leaves_the_keys(mounted: Iterable[str]) -> bool:
    keys = PurePosixPath(_FOLDER)
    return not any(keys.is_relative_to(path) or PurePosixPath(path).is_relative_to(keys) for path in mounted)


ROLE: Final = Role(
    "sshd",
    SshdContainer,
    (
        Need(
            "mode",
            lambda spec: spec.mode == "host",
            "needs mode='host': what it forwards to is on its host's loopback (images/sshd/sshd_config)",
        ),
        Need(
            "sealed",
            lambda spec: not spec.sealed,
            "cannot be: it becomes another user for each session, which takes SETUID, SETGID and SYS_CHROOT",
        ),
        Need("files", lambda spec: _leaves_the_keys(file.path for file in spec.files), f"has its keys in {_FOLDER}"),
        Need("volumes", lambda spec: _leaves_the_keys(spec.volumes.values()), f"has its keys in {_FOLDER}"),
    ),
    ContainerSpec("host", "sshd", "sshd", mode="host"),
)
