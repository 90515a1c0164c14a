"""A world on real hosts: private ones, with Podman's own networks and containers, and sockets that listen in them."""

from __future__ import annotations

import ipaddress
import shlex
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from testbed.errors import CommandError
from testbed.evidence import Evidence, HostFacts
from testbed.host import PrivateHost
from testbed.host.links import CableEnd, join
from testbed.namespaces import NetworkNamespace
from testbed.readers.sources import of_host
from testbed.readers.take import take
from testbed.waiting import wait_for
from truth.deeds import NotDoneError
from truth.programs import TCP, TCP_OF_BOTH, UDP, Programs
from truth.worlds import HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN, TWIN, ZONE, Box, Listening, World

_PREFIX: Final = 27
#: So that nobody waits three seconds for an address that nobody has, and no answer falls to a rate limit (icmp(7)).
_QUICK: Final = {
    "ipv4/icmp_ratelimit": "0",
    "ipv4/icmp_ratemask": "0",
    "ipv4/icmp_msgs_per_sec": "100000",
    "ipv4/icmp_msgs_burst": "100000",
    "ipv6/icmp/ratelimit": "0",
    "ipv6/icmp/ratemask": "",
}
_NEIGHBOURS: Final = {
    "retrans_time_ms": "30",
    "mcast_solicit": "3",
    "ucast_solicit": "1",
    "unres_qlen_bytes": "1000000",
}


class Built:
    """A world that is up. Closing it ends its hosts, and all with them.

    :param image: an image whose containers only idle
    """

    def __init__(self, world: World, *, image: str, image_store: Path) -> None:
        self.world = world
        self._pids: dict[str, int] = {}
        self._programs = Programs()
        self._closing = ExitStack()
        self._closing.callback(self._programs.close)
        try:
            self._host = self._closing.enter_context(PrivateHost(HOST, image_store=image_store, zone=ZONE))
            self._neighbour = self._closing.enter_context(PrivateHost(NEIGHBOUR, with_engine=False))
            join(
                CableEnd(self._host, "lan0", f"{HOST_LAN}/{_PREFIX}"),
                CableEnd(self._neighbour, "lan0", f"{NEIGHBOUR_LAN}/{_PREFIX}"),
            )
            self._neighbour.run(["ip", "route", "add", "default", "via", HOST_LAN])
            self._host.engine.ready()
            self._start(image)
            self.places = {HOST: self._host.net, NEIGHBOUR: self._neighbour.net}
            self._look()
            self._await_addresses()
            self.listen()
            self._disturb()
        except BaseException:
            self.close()
            raise

    def _start(self, image: str) -> None:
        script = ["set -e"]
        for net in self.world.nets[1:]:
            if net.macvlan:
                on = ["-d", "macvlan", "-o", "parent=lan0", "--subnet", f"{net.prefix}.0/{_PREFIX}"]
                script.append(shlex.join(["podman", "network", "create", *on, "--gateway", NEIGHBOUR_LAN, net.name]))
                continue
            words = ["podman", "network", "create", "--subnet", f"{net.prefix}.0/24", "--gateway", f"{net.prefix}.1"]
            if net.ipv6:
                words += ["--ipv6", "--subnet", f"fd00:{net.number}::/64"]
            words += ["--internal"] if net.internal else []
            words += ["-o", "isolate=true"] if net.isolated else []
            script.append(shlex.join([*words, "--interface-name", net.bridge, net.name]))
        for box in self.world.boxes:
            networks = [
                word
                for number in box.nets
                for net in [self.world.nets[number]]
                for word in ("--network", f"{net.name}:ip={net.address_of(box)}")
            ] or ["--network", "none"]
            for published in box.published:
                address = f"{published.host_address}:" if published.host_address else ""
                networks += ["-p", f"{address}{published.host_port}:{published.port}"]
            if box.pod:
                infra = ["--infra-image", image, "--infra-command", "sleep infinity"]
                script.append(
                    shlex.join(["podman", "pod", "create", "--name", box.pod_name, *infra, *networks]) + " || :"
                )
                networks = ["--pod", box.pod_name]
            words = ["podman", "run", "-d", "--name", box.name, *networks, *box.options]
            # One that publishes on an address that is not there yet does not start, as in life.
            script.append(f"{shlex.join([*words, image, 'sleep', 'infinity'])} || :")
        # Podman 4.3 has no --interface-name; the bridges are then podman1, podman2, ..., in the order of making.
        text = "\n".join(script)
        if "--interface-name" not in self._host.run(["podman", "network", "create", "--help"]):
            text = "\n".join(line.replace(f" --interface-name br{n}", "") for line in script for n in [_number(line)])
        self._host.run(["sh", "-c", f"({text}) </dev/null >/dev/null"])

    def _look(self) -> tuple[str, ...]:
        """Know the namespaces of containers as they are now; the names of those that have others than before."""
        names = [box.name for box in self.world.boxes]
        # One that Podman refused to make is not there, as in life.
        said = self._host.run(["podman", "ps", "--all", "--format", "{{.Names}} {{.Pid}}"])
        all_pids = {name: int(pid) for name, pid in map(str.split, said.splitlines()) if int(pid)}
        pids = {name: all_pids[name] for name in names if name in all_pids}
        other = tuple(name for name in names if pids.get(name) != self._pids.get(name))
        self._pids = pids
        for name in other:
            self.places.pop(name, None)
            if name in pids:
                self.places[name] = self._host.namespace(self._host.process(pids[name]) / "ns/net", name)
        for net in self.places.values():
            net.run(_hurry)
        return other

    def _await_addresses(self) -> None:
        """Duplicate address detection would make an address usable a moment after the picture (RFC 4862, 5.4)."""
        for name, net in self.places.items():
            wait_for(partial(_settled, net), f"the addresses of {name} to be usable", seconds=10)

    def _all_listens(self) -> dict[str, tuple[Listening, ...]]:
        boxes = {box.name: box.listens for box in self.world.boxes}
        return {HOST: self.world.listens, NEIGHBOUR: self.world.neighbour_listens, **boxes}

    def listen(self) -> None:
        """Let every program of the world listen as it did at first, and no other one."""
        self._programs.close()
        for name, listens in self._all_listens().items():
            own = {HOST: HOST_LAN, NEIGHBOUR: NEIGHBOUR_LAN}.get(name) or self._own(name)
            for listening in listens if name in self.places else ():
                bind = {
                    "any": "0.0.0.0",
                    "any of IPv6": "::",
                    "any of both": "::",
                    "loopback": "127.0.0.1",
                    "loopback of IPv6": "::1",
                    "own": own,
                }[listening.bind]
                deed = TCP_OF_BOTH if listening.bind == "any of both" else TCP
                deed = UDP if listening.udp else deed
                # One port and two binds that exclude each other: the first has it.
                self._programs.start(name, self.places[name], bind, listening.port, deed)

    # --- cures, as truth.deeds has them -------------------------------------------------------------------------------

    def do(self, command: str, host: HostFacts) -> None:
        """Run a shell command on one of the two hosts.

        :raises CommandError: it failed
        """
        machine = self._neighbour if host.name == NEIGHBOUR else self._host
        machine.run(["sh", "-ec", command])

    def listens(self, place: str, port: int) -> bool:
        """Tell if a program listens on a port of a place."""
        return self._programs.listens(place, port)

    def stop_listening(self, place: str, port: int) -> str:
        """End the program that listens on a port of a place; what it did with connections."""
        return self._programs.stop(place, port)

    def start_listening(self, place: str, address: str, port: int, deed: str) -> None:
        """Start a program that listens.

        :raises NotDoneError: the kernel does not let it, or the place does not run
        """
        net = self.places.get(place)
        if net is None or not self._programs.start(place, net, address, port, deed):
            raise NotDoneError(f"nothing can listen on {address} port {port} of {place}")

    def start_programs_again(self) -> None:
        """Start the programs of those containers anew that were started anew."""
        for name in self._look():
            self._programs.again(name, self.places.get(name))
        self._await_addresses()

    def _own(self, name: str) -> str:
        (box,) = (box for box in self.world.boxes if box.name == name)
        return self.world.nets[box.nets[0]].address_of(box) if box.nets else "127.0.0.1"

    def _disturb(self) -> None:
        for command in self.world.host_commands:
            with suppress(CommandError):  # such as a route that is there already
                self._host.run(["sh", "-c", self._with_bridges(command)])
        for number, command in self.world.box_commands:
            (box,) = (box for box in self.world.boxes if box.number == number)
            self._in(box, command)
        for box in self.world.boxes:
            if box.link_down:
                self._in(box, "ip link set eth0 down")

    def _in(self, box: Box, command: str) -> None:
        if box.name in self._pids:
            with suppress(CommandError):
                self._host.run(["nsenter", f"--net=/proc/{self._pids[box.name]}/ns/net", "sh", "-c", command])

    def _with_bridges(self, command: str) -> str:
        """Podman 4.3 names its bridges itself."""
        names = self.bridges()
        for net in self.world.nets[1:]:
            command = command.replace(f" {net.bridge} ", f" {names.get(net.name, net.bridge)} ")
        return command

    def bridges(self) -> dict[str, str]:
        """Each network's interface on the host."""
        return {info.name: info.bridge for info in self._host.engine.networks()}

    def picture(self) -> Evidence:
        """The evidence, as anybody would take it."""
        return take([of_host(self._host), of_host(self._neighbour)])

    def targets(self) -> tuple[str, ...]:
        """Every address in it, and some that are not there."""
        found = {"127.0.0.1", "::1", HOST_LAN, NEIGHBOUR_LAN}
        for net in self.world.nets:
            found.add(f"{net.prefix}.1")
        for box in self.world.boxes:
            found |= {self.world.nets[number].address_of(box) for number in box.nets}
        for place in self.places.values():
            found |= set(place.run(_global_addresses))
        return tuple(sorted(found, key=lambda a: (ipaddress.ip_address(a).version, a)))

    def names(self) -> tuple[str, ...]:
        """Names that some places know: of containers, pods, the host, two machines at once, and a search list's."""
        boxes = [name for box in self.world.boxes for name in ((box.name, box.pod_name) if box.pod else (box.name,))]
        return (*boxes, "host.containers.internal", "localhost", TWIN)

    def close(self) -> None:
        """End it all."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _number(line: str) -> str:
    return next((word[2:] for word in line.split() if word.startswith("br") and word[2:].isdecimal()), "")


def _hurry() -> None:
    base = Path("/proc/sys/net")
    for name, value in _QUICK.items():
        with suppress(OSError):
            (base / name).write_text(value, encoding="ascii")
    for family in ("ipv4", "ipv6"):
        for folder in (base / family / "neigh").iterdir():
            for name, value in _NEIGHBOURS.items():
                with suppress(OSError):
                    (folder / name).write_text(value, encoding="ascii")


def _lines() -> list[list[str]]:
    """/proc/net/if_inet6: address, index, prefix length, scope, flags, name."""
    try:
        return [
            line.split() for line in Path("/proc/thread-self/net/if_inet6").read_text(encoding="ascii").splitlines()
        ]
    except FileNotFoundError:
        return []


def _settled(net: NetworkNamespace) -> bool:
    return not net.run(_tentative)


def _tentative() -> bool:
    return any(int(words[4], 16) & 0x48 == 0x40 for words in _lines())  # IFA_F_TENTATIVE, and not IFA_F_DADFAILED


def _global_addresses() -> list[str]:
    return [str(ipaddress.ip_address(bytes.fromhex(words[0]))) for words in _lines() if words[3] == "00"]
