"""The Podman API service of one host, spoken to through podman-py."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import podman
import podman.errors
import requests

from testbed.errors import EngineError
from testbed.waiting import wait_for

#: The Docker-compatible API version to speak: asking the service for its own costs Podman 4.3 half a second.
COMPAT_VERSION: Final = "1.41"
_START_SECONDS: Final = 20.0


class Engine:
    """One host's Podman.

    :param socket: the API service's socket, which may not exist yet
    :param log: what the service printed, for error messages
    """

    def __init__(self, socket: Path, *, log: Path) -> None:
        self.socket = socket
        self._log = log
        self._client: podman.PodmanClient | None = None

    @property
    def url(self) -> str:
        """What podman-py takes as ``base_url`` and docker-py and testcontainers as ``DOCKER_HOST``."""
        return f"unix://{self.socket}"

    @property
    def client(self) -> podman.PodmanClient:
        """podman-py's client, once the service answers.

        :raises EngineError: it did not start
        """
        if self._client is None:
            client = podman.PodmanClient(base_url=self.url)
            wait_for(lambda: _answers(client, self.socket), f"Podman at {self.url}", seconds=_START_SECONDS, state=self.log)
            self._client = client
        return self._client

    def log(self) -> str:
        """The last line that the service printed."""
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").split("\n")
            return next((line for line in reversed(lines) if line.strip()), "")
        return ""

    def close(self) -> None:
        """Close the connections to the service; the service itself ends with its host."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _answers(client: podman.PodmanClient, socket: Path) -> bool:
    if not socket.exists():
        return False
    try:
        return bool(client.ping())
    except (requests.ConnectionError, podman.errors.APIError):
        return False  # the socket file is there before the service accepts
