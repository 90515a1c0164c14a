"""Where reports are built: the stage of the faults, which knows what was started on it and can start that again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.evidence import Evidence, HostFacts
from testbed.evidence.programs import SLIRP
from testbed.host.listeners import listeners
from testbed.processes import end
from testbed.readers.take import take
from testbed.waiting import wait_for
from truth.faults.rootless import Rootless, rootless
from truth.faults.stage import HOST, NEIGHBOUR, Stage

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


@dataclass(frozen=True, slots=True)
class Made:
    """A container as it was started."""

    options: str
    """Those of ``podman run``, with single blanks."""
    network: str
    """Its ``--network``; empty for an ordinary user's own choice."""
    rootless: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program that listens, as it was started."""

    process: subprocess.Popen[bytes]
    address: str
    deed: str
    """As :meth:`truth.faults.stage.Stage.listen` has them; empty for one that is not of that kind."""
    pid: int
    """The main process of its container when it was started; 0 on a host."""


class Site(Stage):
    """A host ``box`` with Podman, a host ``neighbour`` on its LAN, and what a report builds on them.

    :param image: an image whose containers only idle
    """

    def __init__(self, *, image: str, image_store: Path) -> None:
        super().__init__(image=image, image_store=image_store)
        self._made: dict[str, Made] = {}
        self._programs: dict[tuple[str, int], Program] = {}
        self._users = ExitStack()
        self._user: Rootless | None = None

    # --- containers ---------------------------------------------------------------------------------------------------

    def container(self, name: str, *options: str, network: str = "podman") -> None:
        """Start a container that idles. Bridges keep their hardware address then, as netavark 1.9 and later have it.

        Before that a bridge has the lowest one of its ports (netavark#833), and what starts or ends changes it.
        """
        super().container(name, *options, network=network)
        self._made[name] = Made(" ".join(options), network)
        self.run(_KEEP)

    def user(self, network: str = SLIRP) -> Rootless:
        """An ordinary user of the host with a Podman of its own, made when first asked for.

        :param network: the program that is the network of its containers
        """
        if self._user is None:
            self._user = self._users.enter_context(rootless(self, network))
        return self._user

    def users_container(self, name: str, *options: str, program: str = SLIRP) -> None:
        """Start an ordinary user's container that idles; the picture is of that user's Podman from then on.

        :param program: the network of the user's containers
        """
        self.user(program).container(name, *options)
        self._made[name] = Made(" ".join(options), "", rootless=True)

    def make_anew(
        self,
        name: str,
        *,
        add: Iterable[str] = (),
        remove: re.Pattern[str] | None = None,
        network: str | None = None,
    ) -> None:
        """Remove a container and start it with other options, as Podman's ports and names need it; its programs too.

        :param add: further options of ``podman run``
        :param remove: what of the options it had is left out
        :param network: another ``--network``
        """
        was = self._made[name]
        kept = remove.sub("", was.options) if remove else was.options
        options = (*kept.split(), *add)
        if was.rootless:
            self.user().podman("rm", "--force", "--time", "0", name)
            self.users_container(name, *options, *([f"--network={network}"] if network else []))
        else:
            self.podman("rm", "--force", "--time", "0", name)
            self.container(name, *options, network=network or was.network)
        self.start_programs_again()

    def ask_neighbours_anew(self) -> None:
        """Forget who did not answer: the kernel gives up three seconds after it began to ask, answered or not (arp(7)).

        An attempt that waits for the last of its questions would fail although the next one is answered.
        """
        for place in (HOST, NEIGHBOUR, *self.podman("ps", "--format", "{{.Names}}").split()):
            self.run("ip neigh flush nud incomplete; ip neigh flush nud failed", on=place)

    def configure(self, table: str, line: str) -> None:
        """Put a line into a table of the host's containers.conf(5)."""
        self.run(f"sed -i '/^.{table}.$/a {line}' ${{CONTAINERS_CONF:-/etc/containers/containers.conf}}")

    # --- programs -----------------------------------------------------------------------------------------------------

    def start_listening(self, place: str, address: str, port: int, deed: str) -> None:
        """Start a program that listens, as :meth:`Stage.listen`; it is stopped by its place and port."""
        self._programs[place, port] = Program(self.listen(place, address, port, deed), address, deed, self._main(place))

    def stop_listening(self, place: str, port: int) -> str:
        """End the program that listens on a port of a place; its deed."""
        program = self._programs.pop((place, port))
        self.stop(program.process)
        return program.deed or "http"

    def listens(self, place: str, port: int) -> bool:
        """Tell if a program was started on a port of a place, and not stopped since."""
        return (place, port) in self._programs

    def start_programs_again(self) -> None:
        """Start the programs of containers that were started anew: an image's own comes with its container."""
        for (place, port), program in list(self._programs.items()):
            if program.pid and program.pid != self._main(place) and program.deed:
                self.stop_listening(place, port)
                self.start_listening(place, program.address, port, program.deed)

    def do(self, command: str, host: HostFacts) -> None:
        """Run a shell command on one of the two hosts, as root."""
        self.run(command, on=host.name)

    def serve(self, place: str, port: int, command: str) -> None:
        """Start a program of the host's that listens on a TCP port, in a host's or container's network namespace."""
        process = self._popen(place, ["sh", "-c", f"exec {command}"])
        self._programs[place, port] = Program(process, "", "", 0)
        net = self.net(place)
        wait_for(lambda: any(x.port == port for x in listeners(net)), f"{place} to listen on {port}")

    def answer_names(self, place: str, address: str) -> None:
        """Start a program that answers each question over UDP with "no such name", on an address of a place."""
        process = self._popen(place, ["python3", "-c", _DENIES, address])
        self._programs[place, _DNS] = Program(process, address, "", 0)
        wait_for(lambda: f":{_DNS} " in self.run("ss -Hlun", on=place), f"{place} to answer names")

    def _popen(self, place: str, words: list[str]) -> subprocess.Popen[bytes]:
        if place not in (HOST, NEIGHBOUR):
            words = ["nsenter", f"--net=/proc/{self.pid(place)}/ns/net", *words]
        process = (self.neighbour if place == NEIGHBOUR else self.host).popen(words)
        self._users.callback(end, process)
        return process

    def _main(self, place: str) -> int:
        return 0 if place in (HOST, NEIGHBOUR) else self.pid(place)

    # --- asking -------------------------------------------------------------------------------------------------------

    def picture(self) -> Evidence:
        """The evidence, as anybody would take it now."""
        return take(self.sources)

    def close(self) -> None:
        """End it all."""
        self._users.close()
        super().close()
