"""The name of a lab: it is taken by listening on its socket, and free again when whoever listens has ended."""

from __future__ import annotations

import errno
import socket

from testbed.background import protocol
from testbed.errors import HostError, UsageError


def listen(uid: int, name: str) -> socket.socket:
    """Take a lab's name by listening on its socket.

    :param uid: whose lab it is
    :raises UsageError: it is no name for a lab, or another lab has it
    """
    address = protocol.address(uid, name)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(address)
    except OSError as exc:
        listener.close()
        if exc.errno != errno.EADDRINUSE:
            raise HostError(f"the name {name!r} cannot be taken: {exc.strerror}") from exc
        raise UsageError(f"a lab called {name!r} is running already: 'testbed down {name}' ends it") from exc
    listener.listen()
    return listener


def need_free(uid: int, name: str) -> None:
    """Refuse a name that a lab cannot have, before anything is started for one.

    :param uid: whose lab it is to be
    :raises UsageError: it is no name for a lab, or another lab has it
    """
    listen(uid, name).close()
