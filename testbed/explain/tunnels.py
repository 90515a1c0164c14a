"""The cause of an ssh forward that runs, and does not listen. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.listening import Listen
from testbed.evidence import Namespace, Process, Protocol
from testbed.explain.case import Case, any_address, as_address, at, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.model import Address


def without_listener(case: Case, here: Namespace) -> Iterator[Proposal]:
    """An ssh that was to listen on the port runs, and does not; its forwards are of TCP (ssh(1), -L)."""
    if case.protocol is not Protocol.TCP:
        return
    version = case.walked.destination.version if case.walked else 4
    for forward in case.evidence.forwards:
        if forward.namespace != here.key or forward.port != case.port:
            continue
        if any(entry.process and entry.process.pid == forward.pid for entry in listeners(here, case.port)):
            continue
        bind = forward.bind or "localhost"
        who = f"{forward.process} (pid {forward.pid})"
        told = f"{at(bind, forward.port)}:{at(forward.to_host, forward.to_port)}"
        process = Process(forward.pid, forward.process, namespace=here.key)
        yield Proposal(
            Cause.TUNNEL_WITHOUT_LISTENER,
            f"{who} runs on {here.label} and was told to listen on {at(bind, forward.port)}, but it does not: "
            "the bind failed when it started, and it went on without (ssh_config(5), ExitOnForwardFailure no).",
            (Row("process", here.label, f"{who} -L {told}"),),
            tuple(
                Remedy(
                    f"End it and start it again{where}, so that it ends where it cannot listen",
                    "ssh -o ExitOnForwardFailure=yes "
                    f"-L {at(to, forward.port)}:{at(forward.to_host, forward.to_port)} ...",
                    (Listen(here.key, Protocol.TCP, address, forward.port, process),),
                )
                for address, to, where in _binds(bind, version)
            ),
            ("A running ssh process is no proof of a tunnel: look for its listener.",),
        )


def _binds(bind: str, version: int) -> Iterator[tuple[Address, str, str]]:
    """Where it is to listen: where it was told to, and on every address."""
    loopback = {4: as_address("127.0.0.1"), 6: as_address("::1")}[version]
    told = any_address(version) if bind in ("*", "0.0.0.0", "::") else as_address(bind) or loopback
    if told is not None:
        yield told, bind, ""
    yield any_address(version), "*", " on every address"
