"""Attempts a second from inside a container's namespace, and the whole matrix of the Portainer scenario."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.bench import IDLE, Bench, Figures, Stopwatch, Subject, in_turns
from benchmarks.values import Series, Target, Unit
from testbed.containers import HostContainer
from testbed.errors import HostError
from testbed.host import PrivateHost
from testbed.model import Outcome
from testbed.probe import Vantage
from testbed.processes import end
from testbed.scenarios.portainer import matrix
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import BINDS, VANTAGES
from testbed.scenarios.portainer.topology import TARGETS as MATRIX_TARGETS
from testbed.waiting import wait_for

NAME: Final = "probes"
_GATEWAY: Final = "10.88.0.1"
_OPEN: Final = 7001
_SHUT: Final = 7002
#: Ports of finished connections are taken for a minute; there are 28,000 (ip-sysctl, ip_local_port_range).
_ATTEMPTS: Final = 2000
_BY_NSENTER: Final = 100
_BY_EXEC: Final = 5
_BASE: Final = "refused"
_LABELS: Final = {
    "refused": ("Vantage.connect, refused", None),
    "connected": ("Vantage.connect, a listener answers", None),
    "nsenter": ("nsenter --net, bash's /dev/tcp, refused", 200.0),
    "podman_exec": ("podman exec, bash's /dev/tcp, refused", 7.0),
}
TARGETS: Final = (
    Target(NAME, "refused", "attempts from a container, refused", Unit.RATE, at_least=5000),
    Target(NAME, "connected", "attempts from a container, answered", Unit.RATE, at_least=5000),
    Target(NAME, "matrix", "the 504 cells", Unit.SECONDS, at_most=3),
)
#: In a process of its own, inside the host: it takes its share of time elsewhere, and ends with the host.
_LISTENER: Final = f"""
import socket
listener = socket.create_server(("{_GATEWAY}", {_OPEN}), backlog=4096)
while True:
    listener.accept()[0].close()
"""


def measure(bench: Bench) -> tuple[Series, ...]:
    """Single attempts in turns with their rivals, then the matrix."""
    return (*_attempts(bench), *_matrix(bench))


def _attempts(bench: Bench) -> Iterator[Series]:
    with PrivateHost("host", image_store=bench.store.storage) as host:
        container = HostContainer(host, bench.tags["base"], "inside").on("podman")
        container.with_command(list(IDLE)).start()
        vantage = container.vantage()
        # Once in the host, everything is done by one shell: only what one attempt costs is counted.
        connect = shlex.join(["bash", "-c", f"exec 3<>/dev/tcp/{_GATEWAY}/{_SHUT}"])
        nsenter = f"nsenter --net=/proc/{container.pid}/ns/net {connect}"
        exec_ = f"podman exec {container.name} {connect}"
        with _listener(host, vantage):
            samples = in_turns(
                NAME,
                bench.rounds(5, 2),
                {
                    "refused": lambda: _by_testbed("refused", vantage, _SHUT, Outcome.REFUSED),
                    "connected": lambda: _by_testbed("connected", vantage, _OPEN, Outcome.CONNECTED),
                    "nsenter": lambda: _by_shell("nsenter", host, nsenter, _BY_NSENTER),
                    "podman exec": lambda: _by_shell("podman_exec", host, exec_, _BY_EXEC),
                },
                bench.say,
            )
        container.close()
    for name, (label, seen) in _LABELS.items():
        yield Series(NAME, name, label, Unit.RATE, samples[name], None if name == _BASE else _BASE, seen)


@contextmanager
def _listener(host: PrivateHost, vantage: Vantage) -> Iterator[None]:
    process = host.popen([sys.executable, "-c", _LISTENER])
    try:
        target = f"tcp://{_GATEWAY}:{_OPEN}"
        wait_for(lambda: vantage.connect(target).outcome is Outcome.CONNECTED, f"the listener on {target}")
        yield
    finally:
        end(process)


def _by_testbed(name: str, vantage: Vantage, port: int, expected: Outcome) -> Figures:
    target = f"tcp://{_GATEWAY}:{port}"
    start = time.perf_counter()
    outcomes = [vantage.connect(target).outcome for _ in range(_ATTEMPTS)]
    seconds = time.perf_counter() - start
    wrong = [outcome for outcome in outcomes if outcome is not expected]
    if wrong:
        raise HostError(f"{len(wrong)} of {_ATTEMPTS} attempts at {target} were {wrong[0]}, not {expected}")
    return {name: _ATTEMPTS / seconds}


def _by_shell(name: str, host: PrivateHost, command: str, count: int) -> Figures:
    start = time.perf_counter()
    script = f"for i in $(seq {count}); do {command}; done 2>&1 | grep -c 'connect: Connection refused'"
    refused = int(host.run(["sh", "-c", script]))
    seconds = time.perf_counter() - start
    if refused != count:
        raise HostError(f"{refused} of {count} times {command!r} was refused: try it by hand on a private host")
    return {name: count / seconds}


def _matrix(bench: Bench) -> Iterator[Series]:
    with PortainerLab(store=bench.store) as lab:
        lab.tunnel()
        samples = in_turns(NAME, bench.rounds(5, 2), {"the matrix": lambda: _cells(lab)}, bench.say)
    yield Series(
        NAME, "matrix", "the 504 cells, and Portainer's by the real client too", Unit.SECONDS, samples["matrix"]
    )


def _cells(lab: PortainerLab) -> Figures:
    watch = Stopwatch()
    count = sum(1 for _ in matrix.cells(lab, BINDS))
    seconds = watch.lap()
    assert count == len(BINDS) * len(VANTAGES) * len(MATRIX_TARGETS)
    return {"matrix": seconds}


SUBJECT: Final = Subject(NAME, measure, TARGETS)
