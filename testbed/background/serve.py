"""The keeper's side of the socket: saying what is there, being told to stop."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from testbed.background import protocol
from testbed.containers import HostContainer
from testbed.host import Host, PrivateHost


def describe(
    hosts: Mapping[str, Host], containers: Mapping[str, HostContainer], scenario: str, options: Mapping[str, str]
) -> dict[str, Any]:
    """A keeper's description of its lab, but for who keeps it and since when.

    :param options: the values of the scenario's options, by name, as they are written on the command line
    """
    return {
        "scenario": scenario,
        "options": dict(options),
        "hosts": {name: host.pid for name, host in hosts.items()},
        "zones": {
            name: {known: list(map(str, addresses)) for known, addresses in host.zone.items()}
            for name, host in hosts.items()
            if isinstance(host, PrivateHost)
        },
        "containers": {name: (container.host.name, container.pid) for name, container in containers.items()},
        "ids": {name: container.get_wrapped_container().id for name, container in containers.items()},
    }


def serve(listener: socket.socket, uid: int, description: Callable[[], dict[str, Any]]) -> socket.socket:
    """Answer until somebody says stop; returns his connection, to be closed when all is gone."""
    while True:
        connection, _ = listener.accept()
        try:
            if protocol.peer(connection)[1] in (uid, 0):
                stopping = protocol.receive(connection).get("do") == "stop"
                answer = {"stopping": True} if stopping else {**description(), "keeper": os.getpid()}
                protocol.send(connection, answer)
                if stopping:
                    return connection
        except (OSError, ValueError):
            pass  # whoever asked went away, or asked nonsense
        connection.close()
