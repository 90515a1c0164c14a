"""The Portainer-like server (images/portainer), and asking it to connect somewhere through its own API."""

from __future__ import annotations

import itertools
import json
import socket
import time
from http.client import HTTPConnection, HTTPException
from typing import Final

from urllib3.filepost import encode_multipart_formdata

from testbed.containers.container import HostContainer
from testbed.containers.role import Need, Role
from testbed.errors import EngineError, UsageError
from testbed.host.protocol import Host
from testbed.model import Answer, Observation, Outcome, Phase, Target
from testbed.probe import go_text
from testbed.topology import DEFAULT_NETWORK, AttachmentSpec, ContainerSpec
from testbed.waiting import wait_for

#: Portainer's HTTP port (portainer, build/linux/Dockerfile).
PORT: Final = 9000
_API_SECONDS: Final = 10.0
_OK: Final = 200


class PortainerContainer(HostContainer):
    """A Portainer-like server: a real Go client that tries when asked, and tells what it was told."""

    def __init__(self, host: Host, image: str, name: str = "portainer", *, by_hand: str = "") -> None:
        super().__init__(host, image, name, by_hand=by_hand)
        self._names = itertools.count(1)

    @property
    def address(self) -> str:
        """The address that it has on the first of its networks; its API is called there.

        :raises UsageError: it was given none
        """
        first = next(iter(self.attachments), None)
        if first is None or first.address is None:
            raise UsageError(
                f"{self.name!r} has no address of its own: put it on a network with one, .on('podman', ADDRESS)"
            )
        return first.address

    def await_ready(self) -> None:
        """Wait until its API answers."""
        wait_for(self._answers, f"Portainer's API at {self.address}:{PORT}", seconds=_API_SECONDS)

    def connect(self, url: str) -> Observation:
        """Press Connect: ask it for the agent at a URL, and report what the user would read.

        :param url: such as ``https://host.containers.internal:19001/ping``; the scheme and path are Portainer's own
        :raises EngineError: its API gave no proper answer
        :raises UsageError: not a URL
        """
        target = Target.parse(url)
        form = {
            "Name": f"attempt-{next(self._names)}",
            "EndpointCreationType": "2",
            "URL": f"tcp://{target.authority}",
            "GroupID": "1",
            "TagIds": "[]",
            "ContainerEngine": "podman",
            "TLS": "true",
            "TLSSkipVerify": "true",
            "TLSSkipClientVerify": "true",
        }
        start = time.monotonic()
        status, body = self._request("POST", "/api/endpoints", form)
        seconds = time.monotonic() - start
        where = f"http://{self.address}:{PORT}/api/endpoints"
        fields = " ".join(f"-F {name}={value}" for name, value in form.items())
        command = f"{self.by_hand} curl -sS {fields} {where}".strip()
        if status == _OK:
            agent = body.get("Agent")
            version = agent.get("Version", "") if isinstance(agent, dict) else ""
            answer = Answer(target.authority, 204, f"Portainer-Agent {version}".strip())
            done = Outcome.CONNECTED
            return Observation(self.name, str(target), done, Phase.HTTP, None, "", seconds, command, answer)
        if "details" not in body:
            raise EngineError(f"Portainer answered {status} with {body!r}: it should say details")
        text = str(body["details"])
        failure = go_text.read(text)
        return Observation(
            self.name, str(target), failure.outcome, failure.phase, failure.errno, text, seconds, command
        )

    def _answers(self) -> bool:
        try:
            return self._request("GET", "/api/status", {})[0] == _OK
        except EngineError:
            return False

    def _request(self, method: str, path: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        body, kind = encode_multipart_formdata(form) if form else (None, "")
        connection = HTTPConnection(self.address, PORT)
        try:
            with self.host.net.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                sock.settimeout(_API_SECONDS)
                sock.connect((self.address, PORT))
                connection.sock = sock
                connection.request(method, path, body, {"Content-Type": kind} if form else {})
                response = connection.getresponse()
                return response.status, json.loads(response.read())
        except (OSError, HTTPException, ValueError) as exc:
            raise EngineError(f"Portainer's API at {self.address}:{PORT} gave no proper answer: {exc}") from exc


ROLE: Final = Role(
    "portainer",
    PortainerContainer,
    (
        Need(
            "networks",
            lambda spec: bool(spec.networks) and spec.networks[0].address is not None,
            "needs an address on the first, networks=(AttachmentSpec(NETWORK, ADDRESS),): its API is called there",
        ),
    ),
    ContainerSpec("host", "portainer", "portainer", (AttachmentSpec(DEFAULT_NETWORK, "10.88.0.10"),)),
)
