"""Where reports are built: the stage of the faults, with a register of what listens and an ordinary user's Podman."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from testbed.evidence import Evidence
from testbed.evidence.programs import SLIRP
from testbed.host.listeners import listeners
from testbed.processes import end
from testbed.readers.take import take
from testbed.waiting import wait_for
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, NEIGHBOUR, Stage

#: What the host's resolver knows, as a company's would: a name under a search domain, at the neighbour on the LAN.
ZONE: Final = {"db.lab.example": ["203.0.113.20"], "files.lab.example": ["203.0.113.20"]}

_DNS: Final = 53
#: RFC 1035, 4.1.1: the question comes back as a response that a recursive server gives (QR, RA), with RCODE 3.
_DENIES: Final = f"""
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], {_DNS}))
while True:
    asked, client = server.recvfrom(4096)
    server.sendto(asked[:2] + bytes([asked[2] | 0x80, 0x83]) + asked[4:], client)
"""
#: A bridge whose address was set keeps it (net/bridge/br_if.c, br_features_recompute and br_stp_if.c,
#: br_stp_recalculate_bridge_id).
_KEEP: Final = (
    "for bridge in /sys/class/net/podman*; do [ ! -e $bridge/address ] || "
    'ip link set "${bridge##*/}" address "$(cat "$bridge/address")"; done'
)


class Site(Stage):
    """A host ``box`` with Podman, a host ``neighbour`` on its LAN, and what a report builds on them.

    :param image: an image whose containers only idle
    """

    def __init__(self, *, image: str, image_store: Path) -> None:
        super().__init__(image=image, image_store=image_store, zone=ZONE)
        self._listening: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self._users = ExitStack()
        self._user: Rootless | None = None

    def container(self, name: str, *options: str, network: str = "podman") -> None:
        """Start a container that idles. Bridges keep their hardware address then, as netavark 1.9 and later have it.

        Before that a bridge has the lowest one of its ports (netavark#833), and what starts or ends changes it.
        """
        super().container(name, *options, network=network)
        self.run(_KEEP)

    def serve(self, place: str, port: int, command: str) -> None:
        """Start a program of the host's that listens on a TCP port, in a host's or container's network namespace."""
        words = ["sh", "-c", f"exec {command}"]
        if place not in (HOST, NEIGHBOUR):
            words = ["nsenter", f"--net=/proc/{self.pid(place)}/ns/net", *words]
        host = self.neighbour if place == NEIGHBOUR else self.host
        process = host.popen(words)
        self._users.callback(end, process)
        self._listening[place, port] = process
        net = self.net(place)
        wait_for(lambda: any(x.port == port for x in listeners(net)), f"{place} to listen on {port}")

    def answer_names(self, place: str, address: str) -> None:
        """Start a program that answers each question over UDP with "no such name", on an address of a place."""
        words = ["python3", "-c", _DENIES, address]
        if place not in (HOST, NEIGHBOUR):
            words = ["nsenter", f"--net=/proc/{self.pid(place)}/ns/net", *words]
        process = (self.neighbour if place == NEIGHBOUR else self.host).popen(words)
        self._users.callback(end, process)
        self._listening[place, _DNS] = process
        wait_for(lambda: f":{_DNS} " in self.run("ss -Hlun", on=place), f"{place} to answer names")

    def start_listening(self, place: str, address: str, port: int, deed: str) -> None:
        """Start a program that listens, as :meth:`Stage.listen`; it is stopped by its place and port."""
        self._listening[place, port] = self.listen(place, address, port, deed)

    def stop_listening(self, place: str, port: int) -> None:
        """End the program that listens on a port of a place."""
        self.stop(self._listening.pop((place, port)))

    def user(self, network: str = SLIRP) -> Rootless:
        """An ordinary user of the host with a Podman of its own, made when first asked for.

        :param network: the program that is the network of its containers
        """
        if self._user is None:
            self._user = self._users.enter_context(rootless(self, network))
        return self._user

    def picture(self) -> Evidence:
        """The evidence, as anybody would take it now."""
        return take(self.sources)

    def close(self) -> None:
        """End it all."""
        self._users.close()
        super().close()
