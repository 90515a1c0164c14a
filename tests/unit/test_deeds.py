"""Changes that are made for real: commands go to the host that they are of, programs to where they were started."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final

import pytest

from testbed.change.listening import Rebind, StartProgram, StopListening
from testbed.change.routing import SetSysctl
from testbed.evidence import Evidence, HostFacts, Listener, Names, Namespace, Protocol
from testbed.hosts_file import HostsFile
from truth.deeds import NotDoneError, perform

LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")
ANY: Final = ipaddress.ip_address("0.0.0.0")
LISTENER: Final = Listener(Protocol.TCP, LOOPBACK, 80)
NOBODY: Final = Names(HostsFile({}))
PICTURE: Final = Evidence(
    "2026-01-01T00:00:00Z",
    (HostFacts("one", "box", "net:1", NOBODY), HostFacts("two", "neighbour", "net:2", NOBODY)),
    namespaces={
        "net:1": Namespace("net:1", "box", listeners=(LISTENER,)),
        "net:2": Namespace("net:2", "neighbour", sysctls={"ipv4/ip_forward": "0"}),
    },
)


@dataclass
class Written:
    """Machines that write down what is asked of them."""

    programs: set[tuple[str, int]] = field(default_factory=lambda: {("box", 80)})
    done: list[str] = field(default_factory=list)

    def do(self, command: str, host: HostFacts) -> None:
        """Run a command."""
        self.done.append(f"{host.name}: {command}")

    def listens(self, place: str, port: int) -> bool:
        """Tell if there is a program."""
        return (place, port) in self.programs

    def stop_listening(self, place: str, port: int) -> str:
        """End it."""
        self.done.append(f"stop {place} {port}")
        return "silent"

    def start_listening(self, place: str, address: str, port: int, deed: str) -> None:
        """Start one."""
        self.done.append(f"start {place} {address} {port} {deed}")

    def start_programs_again(self) -> None:
        """Look at the containers."""
        self.done.append("look")


def test_a_command_is_run_on_the_host_whose_namespace_is_changed() -> None:
    """A kernel parameter of the neighbour is set on the neighbour."""
    machines = Written()
    perform(machines, PICTURE, (SetSysctl("net:2", "ipv4/ip_forward", "1"),))
    assert machines.done == ["neighbour: sysctl -w net.ipv4.ip_forward=1", "look"]


def test_a_program_that_is_bound_elsewhere_does_what_it_did() -> None:
    """It is ended and started with the new address, as what it was."""
    machines = Written()
    perform(machines, PICTURE, (Rebind("net:1", LISTENER, ANY, 81),))
    assert machines.done == ["stop box 80", "start box 0.0.0.0 81 silent", "look"]


def test_a_program_is_started_where_the_namespace_is() -> None:
    """One of UDP is told so."""
    machines = Written()
    perform(machines, PICTURE, (StartProgram("net:2", Protocol.UDP, ANY, 53),))
    assert machines.done == ["start neighbour 0.0.0.0 53 udp", "look"]


def test_somebody_elses_program_is_left_alone() -> None:
    """A listener that was not started here cannot be ended by anybody here."""
    with pytest.raises(NotDoneError, match="port 80 is held by a process that is not visible"):
        perform(Written(programs=set()), PICTURE, (StopListening("net:1", LISTENER),))
