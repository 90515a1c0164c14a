"""How a keeper is found and spoken to: an abstract unix socket (unix(7)), which vanishes with its process.

Nothing is written anywhere: the names of the running labs are those of the sockets in /proc/net/unix.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any, Final

from testbed.errors import UsageError

_PREFIX: Final = "testbed"
_LONGEST: Final = 1 << 20
_SECONDS: Final = 10.0
_LONGEST_NAME: Final = 40
#: What a socket's address and a word of the command line can hold: a name with - in front would be an option there.
_NAME: Final = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_-]{{0,{_LONGEST_NAME - 1}}}", re.ASCII)


def address(uid: int, name: str) -> str:
    """The socket of a user's lab. The leading zero byte makes it abstract.

    :raises UsageError: it is no name for a lab
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a lab: letters, digits, - and _, at most {_LONGEST_NAME} of them, and no - first"
        )
    return f"\0{_PREFIX}/{uid}/{name}"


def name_in(line: str, uid: int) -> str | None:
    """The lab's name in a line of /proc/net/unix, None where it is another socket."""
    path = line.rsplit(maxsplit=1)[-1] if line else ""
    head = f"@{_PREFIX}/{uid}/"
    return path[len(head) :] if path.startswith(head) else None


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message: a line of JSON."""
    connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket) -> dict[str, Any]:
    """Receive one message; empty when the other side has gone.

    :raises ValueError: it is no line of JSON
    """
    connection.settimeout(_SECONDS)
    with connection.makefile("rb") as stream:
        line = stream.readline(_LONGEST)
    value = json.loads(line) if line else {}
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of the peer's making, as any other JSON that is wrong
    return value


def peer(connection: socket.socket) -> tuple[int, int]:
    """The process and the user at the other end (SO_PEERCRED), as this process's namespaces name them."""
    size = struct.calcsize("3i")
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return pid, uid
