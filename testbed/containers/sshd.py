"""OpenSSH's server (images/sshd), on its host's own network."""

from __future__ import annotations

from typing import Final

from testbed.containers.container import HostContainer
from testbed.host.listeners import listeners
from testbed.host.protocol import Host
from testbed.tunnel.forward import Server
from testbed.tunnel.keys import KeyPair
from testbed.waiting import wait_for

USER: Final = "tunnel"
PORT: Final = 22
_FOLDER: Final = "/etc/ssh/testbed"


class SshdContainer(HostContainer):
    """An sshd with keys made for this run. It lets one key in, to forward to the agent's port and nothing else."""

    def __init__(self, host: Host, image: str, name: str = "sshd", *, address: str, by_hand: str = "") -> None:
        """Prepare it.

        :param address: the address of the host at which others reach it
        """
        super().__init__(host, image, name, by_hand=by_hand)
        self._address = address
        self._host_key = KeyPair.make()
        self._user_key = KeyPair.make()
        self.in_mode("host")
        self.with_copy_into_container(self._host_key.private.encode(), f"{_FOLDER}/host_key", 0o600)
        # Read by sshd as the user who logs in.
        self.with_copy_into_container(self._user_key.public.encode() + b"\n", f"{_FOLDER}/authorized_keys", 0o644)

    def await_ready(self) -> None:
        """Wait until it listens."""
        wait_for(
            lambda: any(listener.port == PORT for listener in listeners(self.net)),
            f"{self.name!r} to listen on port {PORT}",
        )

    @property
    def server(self) -> Server:
        """How to get in."""
        return Server(self._address, PORT, USER, self._user_key, self._host_key.public)
