"""The Podman API service of one host, spoken to through podman-py, and for reading without it.

podman-py and what it needs take a fifth of a second to be imported: they are when the first client is made.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, urlencode

from testbed.errors import DeadlineError, EngineError
from testbed.model import Address
from testbed.waiting import wait_for

if TYPE_CHECKING:
    import podman

#: The Docker-compatible API version to speak: asking the service for its own costs Podman 4.3 half a second.
COMPAT_VERSION: Final = "1.41"
_START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """One of Podman's networks."""

    name: str
    bridge: str
    """The interface that the host sits at; it exists only while a container is on the network."""
    gateways: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered to a question."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    body: bytes


class Asking:
    """A connection to the service for questions, one after the other. They only read (GET).

    :param path: the service's socket
    :raises OSError: nobody listens there
    """

    def __init__(self, path: Path) -> None:
        self._http = http.client.HTTPConnection("podman")
        self._http.sock = _connected(path, _ANSWER_SECONDS)

    def ask(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """What the service answers.

        :raises OSError: it went away, or took longer than a minute
        :raises http.client.HTTPException: it does not speak HTTP
        """
        self._http.request("GET", f"{path}?{urlencode(params)}" if params else path)
        said = self._http.getresponse()
        return Answer(said.status, {name.lower(): value for name, value in said.getheaders()}, said.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._http.close()


class Engine:
    """One host's Podman.

    :param socket: the API service's socket, which may not exist yet
    :param log: what the service printed, for error messages
    """

    def __init__(self, socket: Path, *, log: Path) -> None:
        self.socket = socket
        self._log = log
        self._client: podman.PodmanClient | None = None
        self._connecting = threading.Lock()
        self._closed = False

    @property
    def url(self) -> str:
        """What podman-py takes as ``base_url`` and docker-py and testcontainers as ``DOCKER_HOST``."""
        return f"unix://{self.socket}"

    @property
    def client(self) -> podman.PodmanClient:
        """podman-py's client, once the service answers.

        :raises EngineError: it did not start, or its host was closed
        """
        if self._closed:
            raise EngineError(f"Podman at {self.url} is gone: its host was closed")
        with self._connecting:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> podman.PodmanClient:
        import podman  # noqa: PLC0415 - see above

        client = podman.PodmanClient(base_url=self.url)
        try:
            wait_for(
                lambda: _answers(client, self.socket),
                f"Podman at {self.url}",
                seconds=_START_SECONDS,
                state=self.log,
            )
        except DeadlineError as exc:
            client.close()  # type: ignore[no-untyped-call]
            raise EngineError(str(exc)) from exc
        return client

    def ready(self) -> None:
        """Wait until the service answers.

        :raises EngineError: it did not start
        """
        self.client  # noqa: B018 - looking at it is what waits

    def asking(self) -> Asking:
        """A connection for reading, once the service listens; to be closed, which ``with`` does.

        :raises EngineError: it did not start, or its host was closed
        """
        if self._closed:
            raise EngineError(f"Podman at {self.url} is gone: its host was closed")
        try:
            return wait_for(self._asking, f"Podman at {self.url}", seconds=_START_SECONDS, state=self.log)
        except DeadlineError as exc:
            raise EngineError(str(exc)) from exc

    def _asking(self) -> Asking | None:
        try:
            return Asking(self.socket)
        except OSError:
            return None

    def create_network(
        self,
        name: str,
        *,
        subnet: str,
        gateway: str,
        ipv6_subnet: str | None = None,
        ipv6_gateway: str | None = None,
        internal: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Make a bridge network with DNS, as ``podman network create`` does.

        :param subnet: the IPv4 prefix, such as ``10.89.0.0/24``
        :param gateway: the host's own address in it
        :param ipv6_subnet: the IPv6 prefix, for a network of both families
        :param ipv6_gateway: the host's own address in that; given where ``ipv6_subnet`` is
        :param internal: without a way out of the host
        :raises EngineError: Podman refused, such as for a subnet in use
        """
        client = self.client
        from podman.errors import APIError  # noqa: PLC0415 - see above

        subnets = [{"subnet": subnet, "gateway": gateway}]
        if ipv6_subnet is not None:
            subnets.append({"subnet": ipv6_subnet, "gateway": ipv6_gateway or ""})
        try:
            client.networks.create(
                name,
                driver="bridge",
                subnets=subnets,
                internal=internal,
                enable_ipv6=ipv6_subnet is not None,
                dns_enabled=True,
                labels=dict(labels or {}),
            )
        except APIError as exc:
            prefixes = ", ".join(one["subnet"] for one in subnets)
            raise EngineError(f"network {name!r} ({prefixes}) was not created: {self.reason(exc)}") from exc

    def init_container(self, name: str) -> None:
        """Make a created container's namespaces and interfaces without its first process (podman-init(1)).

        :param name: the container's name or id
        :raises EngineError: Podman refused, such as for a container that runs
        """
        client = self.client
        from podman.errors import APIError  # noqa: PLC0415 - see above

        try:
            client.api.post(f"/containers/{quote(name)}/init").raise_for_status()
        except APIError as exc:
            raise EngineError(self.reason(exc)) from exc

    def networks(self) -> tuple[NetworkInfo, ...]:
        """Podman's networks.

        :raises EngineError: the service does not answer
        """
        client = self.client
        from podman.errors import APIError  # noqa: PLC0415 - see above

        try:
            listed = client.networks.list()
        except APIError as exc:
            raise EngineError(f"the networks could not be listed: {self.reason(exc)}") from exc
        return tuple(
            NetworkInfo(
                str(found.attrs["name"]),
                str(found.attrs.get("network_interface", "")),
                tuple(
                    ipaddress.ip_address(subnet["gateway"])
                    for subnet in found.attrs.get("subnets") or ()
                    if subnet.get("gateway")
                ),
            )
            for found in listed
        )

    def reason(self, exc: Exception) -> str:
        """What to say of a client library's error: Podman's own words, or that nobody is there to say any."""
        import requests  # noqa: PLC0415 - see above

        gone = (requests.ConnectionError, ConnectionError)
        if isinstance(exc, gone) or isinstance(exc.__cause__, gone):
            said = self.log()
            return f"Podman at {self.url} does not answer any more" + (f"; the last it said: {said}" if said else "")
        return str(getattr(exc, "explanation", None) or exc)

    def log(self) -> str:
        """The last line that the service printed."""
        with suppress(OSError):
            lines = self._log.read_text(errors="replace").split("\n")
            return next((line for line in reversed(lines) if line.strip()), "")
        return ""

    def close(self) -> None:
        """Close the connections to the service; the service itself ends with its host."""
        self._closed = True
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None


def _answers(client: podman.PodmanClient, path: Path) -> bool:
    from podman.errors import APIError  # noqa: PLC0415 - see above

    try:
        # The file is there before the service accepts, and podman-py leaves a socket open that was refused.
        _connected(path, None).close()
        return bool(client.ping())
    except (OSError, APIError):
        return False


def _connected(path: Path, seconds: float | None) -> socket.socket:
    """A connection to a socket of the file system.

    :raises OSError: nobody listens there
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection
