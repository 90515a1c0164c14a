"""What reports are built of, and what cures do: networks, containers, programs that listen, commands. Values only."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.evidence.programs import SLIRP
from tests.reports.site import Site
from truth.faults.stage import HOST

#: Stands for the image of a container that only waits, in the command of a :class:`Run`.
IMAGE: Final = "@IMAGE@"


@dataclass(frozen=True, slots=True)
class Network:
    """``podman network create``, with options as they are typed."""

    name: str
    options: str = ""

    def do(self, site: Site) -> None:
        """Make it."""
        site.podman("network", "create", *shlex.split(self.options), self.name)


@dataclass(frozen=True, slots=True)
class Start:
    """``podman run`` of a container that only waits, with options as they are typed."""

    name: str
    options: str = ""
    network: str = "podman"

    def do(self, site: Site) -> None:
        """Start it."""
        site.container(self.name, *shlex.split(self.options), network=self.network)


@dataclass(frozen=True, slots=True)
class StartAnew:
    """``podman rm`` and ``podman run`` of a container with other options, and its program again."""

    name: str
    options: str = ""
    network: str = "podman"
    port: int = 0
    """The port that its program listens on, on all addresses; 0 for none."""

    def do(self, site: Site) -> None:
        """Do it. It gets another address than it had, for which no neighbour has an old hardware address."""
        site.podman("rm", "--force", "--time", "0", self.name)
        site.podman("run", "-d", "--name", f"before-{self.name}", "--network", self.network, site.image, "true")
        Start(self.name, self.options, self.network).do(site)
        if self.port:
            Listen(self.name, "0.0.0.0", self.port).do(site)


@dataclass(frozen=True, slots=True)
class StartRootless:
    """``podman run`` by an ordinary user of the host, with options as they are typed."""

    name: str
    options: str = ""
    network: str = SLIRP
    """The program that is the network of the user's containers."""

    def do(self, site: Site) -> None:
        """Start it; the picture is of that user's Podman from then on."""
        site.users_container(self.name, *shlex.split(self.options), program=self.network)


@dataclass(frozen=True, slots=True)
class Listen:
    """A program that listens; its deeds are those of :meth:`truth.faults.stage.Stage.listen`."""

    place: str
    address: str
    port: int
    deed: str = "http"

    def do(self, site: Site) -> None:
        """Start it."""
        site.start_listening(self.place, self.address, self.port, self.deed)


@dataclass(frozen=True, slots=True)
class Serve:
    """A program of the host's that listens on a TCP port of a place, such as ``openssl s_server``."""

    place: str
    port: int
    command: str

    def do(self, site: Site) -> None:
        """Start it."""
        site.serve(self.place, self.port, self.command)


@dataclass(frozen=True, slots=True)
class AnswerNames:
    """A DNS server in a place, on UDP port 53 of an address, that knows no name (NXDOMAIN)."""

    place: str
    address: str

    def do(self, site: Site) -> None:
        """Start it."""
        site.answer_names(self.place, self.address)


@dataclass(frozen=True, slots=True)
class StopHostsResolver:
    """The DNS server that the host's resolv.conf names ends, and with it who has port 53 of the host."""

    def do(self, site: Site) -> None:
        """End it."""
        site.host.stop_resolver()


@dataclass(frozen=True, slots=True)
class ListenOn:
    """The program that listens on a port of a place is started anew, with another address or port."""

    place: str
    port: int
    address: str
    new_port: int = 0

    def do(self, site: Site) -> None:
        """Stop it, and start it."""
        site.stop_listening(self.place, self.port)
        site.start_listening(self.place, self.address, self.new_port or self.port, "http")


@dataclass(frozen=True, slots=True)
class Stop:
    """The program that listens on a port of a place ends."""

    place: str
    port: int

    def do(self, site: Site) -> None:
        """End it."""
        site.stop_listening(self.place, self.port)


@dataclass(frozen=True, slots=True)
class Run:
    """A shell command on a host, or with the host's programs in a container's network namespace."""

    command: str
    """In it :data:`IMAGE` is the image."""
    on: str = HOST

    def do(self, site: Site) -> None:
        """Run it."""
        site.run(self.command.replace(IMAGE, site.image), on=self.on)


@dataclass(frozen=True, slots=True)
class LoadRules:
    """The host's rules are those of a file alone, which ``nft -j list ruleset`` printed (libnftables-json(5))."""

    file: Path

    def do(self, site: Site) -> None:
        """Load them."""
        site.host.run(["nft", "flush", "ruleset"])
        site.host.run(["nft", "-j", "-f", "-"], stdin=self.file.read_bytes())


@dataclass(frozen=True, slots=True)
class RunInside:
    """A shell command in a container, by ``podman exec``."""

    name: str
    command: str

    def do(self, site: Site) -> None:
        """Run it."""
        site.podman("exec", self.name, "sh", "-ec", self.command)


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt made beforehand, which leaves its traces: neighbour entries, conntrack."""

    place: str
    target: str

    def do(self, site: Site) -> None:
        """Make it, however it ends."""
        site.connect(self.place, self.target, seconds=2.0)
