"""A laptop on which an ordinary user runs Podman, as fixtures and a few sockets.

A file that wants the fixtures imports them by name, or finds them in the conftest.py of its folder.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import pytest

from testbed.evidence.programs import SLIRP
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.host.rootless import RootlessUser
from testbed.images import ImageStore
from testbed.namespaces import NetworkNamespace
from tests.host.placed import IDLE

#: The laptop's first address, and a neighbour's on the same wire.
LAPTOP: Final = "198.51.100.10"
NEIGHBOUR: Final = "198.51.100.20"


@dataclass(frozen=True, slots=True)
class RootlessLaptop:
    """A host with an ordinary user, and a neighbour on a cable, who is the way to everywhere else."""

    host: PrivateHost
    neighbour: PrivateHost
    user: RootlessUser
    image: str
    nets: dict[str, NetworkNamespace] = field(default_factory=dict)

    def start(self, name: str, *options: str) -> NetworkNamespace:
        """Start a container that only waits, with options of ``podman run``; its network namespace."""
        self.user.run(["podman", "run", "-d", f"--name={name}", *options, self.image, *IDLE])
        self.nets[name] = self.user.container(name).net
        return self.nets[name]


def make_laptop(stack: ExitStack, store: ImageStore, image: str) -> RootlessLaptop:
    """Make one whose network is slirp4netns; it ends with the stack."""
    host = stack.enter_context(PrivateHost("laptop", image_store=store.storage))
    neighbour = stack.enter_context(PrivateHost("neighbour", with_engine=False))
    join(CableEnd(host, "wan0", f"{LAPTOP}/24"), CableEnd(neighbour, "wan0", f"{NEIGHBOUR}/24"))
    user = RootlessUser(host, image_store=store.storage, network=SLIRP)
    stack.callback(user.close)
    return RootlessLaptop(host, neighbour, user, image)


@pytest.fixture
def rootless_laptop(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[RootlessLaptop]:
    """A fresh laptop for this test, without containers."""
    image = testbed_image("base")
    with ExitStack() as stack:
        yield make_laptop(stack, testbed_image_store, image)


@pytest.fixture
def rootless_user(rootless_laptop: RootlessLaptop) -> RootlessUser:
    """An ordinary user with a Podman of its own, on a fresh laptop."""
    return rootless_laptop.user


def connect(net: NetworkNamespace, address: str, port: int, *, seconds: float = 5.0) -> int | None:
    """What connecting ends with: an errno, 0 for a connection, None when nothing was heard in time."""
    with net.socket(family_of(address)) as caller:
        caller.settimeout(seconds)
        try:
            caller.connect((address, port))
        except TimeoutError:
            return None
        except OSError as exc:
            return exc.errno
        return 0


def listen(net: NetworkNamespace, address: str, port: int = 0) -> socket.socket:
    """A TCP listener."""
    listener = net.socket(family_of(address))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    listener.settimeout(5)
    return listener


def port_of(listener: socket.socket) -> int:
    """The port it listens on."""
    return int(listener.getsockname()[1])


def source_seen(net: NetworkNamespace, address: str, listener: socket.socket) -> str:
    """The address that a listener sees a connection from ``net`` come from."""
    with net.socket(family_of(address)) as caller:
        caller.settimeout(5)
        caller.connect((address, port_of(listener)))
        accepted, peer = listener.accept()
        accepted.close()
        return str(peer[0])


def family_of(address: str) -> socket.AddressFamily:
    """The family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET
