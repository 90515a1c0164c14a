"""The process that keeps a lab: it makes it, answers questions about it, and takes it along when it ends.

Run as ``python -m testbed.background.keeper``, with one JSON object on standard input. What takes long, and then that it
is ready or why not, goes to standard output as lines of JSON; after that nobody listens there.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from testbed.background import protocol
from testbed.errors import Error, UsageError
from testbed.namespaces import become_root
from testbed.scenarios.portainer import PortainerLab


def main() -> int:
    """Keep one lab until told to stop."""
    request = json.load(sys.stdin)
    uid = os.getuid()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        listener = _listen(uid, request["name"])
        become_root()
        started = time.monotonic()
        lab = PortainerLab(say=lambda line: _tell(out, say=line))
        try:
            if request["bind"] is not None:
                lab.forward(request["bind"])
            description = _describe(lab, request)
        except BaseException:
            lab.close()
            raise
    except Error as exc:
        _tell(out, error=str(exc))
        return exc.exit_code
    _tell(out, ready=description)
    _let_go(out)
    with lab, listener:
        # Held until this process ends: its closing tells the one who asked that everything is gone.
        stopper = _serve(listener, uid, lambda: {**description, "seconds": time.monotonic() - started})
    stopper.close()
    return 0


def _listen(uid: int, name: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(protocol.address(uid, name))
    except OSError as exc:
        listener.close()
        raise UsageError(f"a lab called {name!r} is running already: 'testbed down {name}' ends it") from exc
    listener.listen()
    return listener


def _describe(lab: PortainerLab, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "scenario": request["scenario"],
        "keeper": os.getpid(),
        "bind": request["bind"],
        "hosts": {name: host.pid for name, host in lab.hosts.items()},
        "containers": {name: (c.host.name, c.pid) for name, c in lab.containers.items()},
    }


def _serve(listener: socket.socket, uid: int, describe: Callable[[], dict[str, Any]]) -> socket.socket:
    """Answer until somebody says stop; returns his connection."""
    while True:
        connection, _ = listener.accept()
        try:
            if protocol.peer(connection)[1] in (uid, 0):
                question = protocol.receive(connection)
                stopping = question.get("do") == "stop"
                protocol.send(connection, {"stopping": True} if stopping else describe())
                if stopping:
                    return connection
        except (OSError, ValueError):
            pass  # whoever asked went away, or asked nonsense
        connection.close()


def _tell(out: TextIO, **message: Any) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _let_go(out: TextIO) -> None:
    """Hold nothing of the caller's terminal or pipes from here on."""
    out.close()
    with open(os.devnull, "r+b") as null:
        for fd in (0, 1, 2):
            os.dup2(null.fileno(), fd)


if __name__ == "__main__":
    sys.exit(main())
