"""A cure, done for real: the command of each of its changes, or, where that is a program's own affair, the program.

Programs that listen are those of whoever asks: what starts and ends them stands behind :class:`Machines`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import Protocol as Interface

from testbed.change import Change, apply
from testbed.change.listening import Listen, Rebind, StartProgram, StopListening
from testbed.change.wording import command
from testbed.evidence import Evidence, HostFacts, Listener, Protocol


class NotDoneError(Exception):
    """A change that no machine can make by itself; its text is the reason, as half a sentence."""


class Machines(Interface):
    """Machines that were made, and the programs that were started to listen on them."""

    def do(self, command: str, host: HostFacts) -> None:
        """Run a shell command on a host, as the user whose Podman runs there.

        :raises CommandError: it failed
        """

    def listens(self, place: str, port: int) -> bool:
        """Tell if a program was started on a port of a place, and not stopped since."""

    def stop_listening(self, place: str, port: int) -> str:
        """End the program that listens on a port of a place; what it did with connections."""

    def start_listening(self, place: str, address: str, port: int, deed: str) -> None:
        """Start a program that listens.

        :param deed: what it does with connections: ``udp`` takes datagrams, other words are the machines' own
        """

    def start_programs_again(self) -> None:
        """Start the programs of those containers anew that were started anew."""


def perform(machines: Machines, evidence: Evidence, changes: Iterable[Change]) -> None:
    """Make changes, one after the other, each as it is said of the picture that those before it leave.

    :param evidence: the picture that they were found on
    :raises NotDoneError: one of them has no command, and is of no program that was started here
    :raises CommandError: a command failed
    """
    for change in changes:
        make(change, machines, evidence)
        machines.start_programs_again()
        evidence = apply(change, evidence)


@singledispatch
def make(change: Change, machines: Machines, evidence: Evidence) -> None:
    """Make one change, by its command.

    :raises NotDoneError: it has none
    :raises CommandError: the command failed
    """
    text = command(change, evidence)
    if not text:
        raise NotDoneError(f"a {type(change).__name__} has no command there")
    machines.do(text, host_of(change, evidence))


@make.register
def _(change: Rebind, machines: Machines, evidence: Evidence) -> None:
    place = _place(machines, evidence, change.namespace, change.listener)
    deed = machines.stop_listening(place, change.listener.port)
    machines.start_listening(place, str(change.address), change.port, deed)


@make.register(Listen)
@make.register(StartProgram)
def _(change: Listen | StartProgram, machines: Machines, evidence: Evidence) -> None:
    deed = "udp" if change.protocol is Protocol.UDP else "http"
    machines.start_listening(_places(evidence, change.namespace)[0], str(change.address), change.port, deed)


@make.register
def _(change: StopListening, machines: Machines, evidence: Evidence) -> None:
    machines.stop_listening(_place(machines, evidence, change.namespace, change.listener), change.listener.port)


def host_of(change: Change, evidence: Evidence) -> HostFacts:
    """The host on which the command of a change is run.

    :raises NotDoneError: the change names neither a host nor a namespace of the picture
    """
    key = getattr(change, "host", None)
    if key is not None:
        return evidence.host(key)
    namespace = getattr(change, "namespace", None)
    for host in evidence.hosts:
        if namespace in (host.namespace, host.rootless_namespace):
            return host
    for container in evidence.containers:
        if container.namespace == namespace:
            return evidence.host(container.host)
    raise NotDoneError(f"on which host a {type(change).__name__} is made is not in the picture")


def _places(evidence: Evidence, namespace: str) -> list[str]:
    """The names of all that have a namespace.

    :raises NotDoneError: nobody has it
    """
    hosts = [host.name for host in evidence.hosts if host.namespace == namespace]
    found = [*hosts, *(one.name for one in evidence.containers if one.namespace == namespace)]
    if not found:
        raise NotDoneError("nobody is in that network namespace")
    return found


def _place(machines: Machines, evidence: Evidence, namespace: str, listener: Listener) -> str:
    """Where a program that listens was started."""
    for place in _places(evidence, namespace):
        if machines.listens(place, listener.port):
            return place
    who = listener.process.name if listener.process else "a process that is not visible"
    raise NotDoneError(f"port {listener.port} is held by {who}, which was not started here")
