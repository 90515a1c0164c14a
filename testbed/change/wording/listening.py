"""Words and commands of changes of listeners. Pure.

Where a program has its address and port from no picture shows; only of ssh(1) the command line is known.
"""

from __future__ import annotations

import shlex

from testbed.change.listening import Listen, Rebind, StartProgram, StopListening
from testbed.change.wording.places import at, everywhere, inside, label
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence, Forwarder, Listener, Protocol


@words.register
def _(change: Rebind, evidence: Evidence) -> str:
    here = label(evidence, change.namespace)
    return f"Let {_who(change.listener)} in {here} listen on {_where(change.address, change.port)}"


@command.register
def _(change: Rebind, evidence: Evidence) -> str:
    forwarder = _forwarder(evidence, change.listener)
    if forwarder is None or not forwarder.words:
        return ""
    forward = f"{at(change.address, change.port)}:{at(forwarder.to_host, forwarder.to_port)}"
    again = shlex.join(["ssh", "-L", forward, *forwarder.words])
    return inside(evidence, forwarder.namespace, f"kill {forwarder.pid}", again)


@words.register
def _(change: Listen, evidence: Evidence) -> str:
    what = f"UDP port {change.port}" if change.protocol is Protocol.UDP else f"port {change.port}"
    where = "all addresses" if everywhere(change.address) else str(change.address)
    here = label(evidence, change.namespace)
    return f"Let {change.process.name} (pid {change.process.pid}) in {here} listen on {what} of {where}"


@command.register
def _(change: Listen, evidence: Evidence) -> str:  # noqa: ARG001 - which program it is, no picture says
    return ""


@words.register
def _(change: StartProgram, evidence: Evidence) -> str:
    what = f"UDP port {change.port}" if change.protocol is Protocol.UDP else f"port {change.port}"
    where = "all addresses" if everywhere(change.address) else str(change.address)
    return f"Start the program of {label(evidence, change.namespace)} that is to listen on {what} of {where}"


@command.register
def _(change: StartProgram, evidence: Evidence) -> str:  # noqa: ARG001 - which program it is, no picture says
    return ""


@words.register
def _(change: StopListening, evidence: Evidence) -> str:
    place = at(change.listener.address, change.listener.port)
    return f"End {_who(change.listener)} in {label(evidence, change.namespace)}, which listens on {place}"


@command.register
def _(change: StopListening, evidence: Evidence) -> str:
    process = change.listener.process
    if process is None:
        return inside(evidence, change.namespace, f"ss -lnp 'sport = :{change.listener.port}'")
    return f"podman stop {process.container}" if process.container else f"kill {process.pid}"


def _who(listener: Listener) -> str:
    if listener.process is None:
        return "the program"
    return f"{listener.process.name} (pid {listener.process.pid})"


def _where(address: object, port: int) -> str:
    text = str(address)
    return f"port {port} of all addresses" if everywhere(text) else at(text, port)


def _forwarder(evidence: Evidence, listener: Listener) -> Forwarder | None:
    pid = listener.process.pid if listener.process else None
    return next((one for one in evidence.forwards if one.pid == pid and one.port == listener.port), None)
