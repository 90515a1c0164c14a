"""The story, told by running it, and then the whole matrix."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from testbed.bind import Bind, NoTunnel
from testbed.model import Observation, Outcome, Phase
from testbed.results import Cell, Report, Step
from testbed.scenarios.portainer import expectation, matrix
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import (
    BINDS,
    LAN_ADDRESS,
    PODMAN0,
    PORT,
    REMOTE,
    TARGETS,
    URL,
    VANTAGES,
)

#: The line that started it all (shared with every page that quotes it).
SEED_TEXT = f'Get "{URL}": dial tcp {PODMAN0}:{PORT}: connect: connection refused'
_LOOPBACK_URL = expectation.url("127.0.0.1")

Tell = Callable[[Step | Cell], None]


def run(
    lab: PortainerLab,
    *,
    bind: Bind | None = None,
    ready_seconds: float = 0.0,
    tell: Tell = lambda thing: None,
) -> Report:
    """Run the scenario on a lab that is up.

    :param bind: one bind address of the tunnel to see; None for the story and all of them
    :param ready_seconds: how long the lab took to be ready, for the report
    :param tell: called with each step and cell as it is seen
    :raises BindError: the laptop cannot bind that address
    """
    start = time.monotonic()
    steps: list[Step] = []
    cells: list[Cell] = []
    for step in _story(lab) if bind is None else _one(lab, bind):
        steps.append(step)
        tell(step)
    binds: Sequence[Bind] = BINDS if bind is None else (bind,)
    for cell in matrix.cells(lab, binds):
        cells.append(cell)
        tell(cell)
    return Report(
        scenario="portainer",
        seconds=time.monotonic() - start + ready_seconds,
        ready_seconds=ready_seconds,
        steps=tuple(steps),
        cells=tuple(cells),
        expected_cells=len(binds) * len(VANTAGES) * len(TARGETS),
    )


def _story(lab: PortainerLab) -> Iterator[Step]:
    laptop, neighbour, remote = (lab.vantage(name) for name in ("laptop", "neighbour", "remote"))
    yield _connects("The agent answers on the remote machine", remote.connect(_LOOPBACK_URL))
    with lab.forward("127.0.0.1"):
        yield _connects(
            f"The tunnel listens on the laptop's 127.0.0.1:{PORT}: the laptop's own terminal gets its answer",
            laptop.connect(_LOOPBACK_URL),
            "The tunnel, sshd and the agent are all healthy.",
        )
        yield _says(
            "Portainer, in a container on podman0, presses Connect",
            SEED_TEXT,
            lab.portainer.connect(URL),
            f"{PODMAN0} is the laptop's seat on podman0. On port {PORT} only 127.0.0.1 is listened on: another room.",
        )
        yield _connects(
            "In that very moment the listener is alive for whoever is in its room",
            laptop.connect(_LOOPBACK_URL),
        )
    with lab.forward(PODMAN0):
        yield _connects(
            f"Cure: the tunnel listens on {PODMAN0}, and Portainer presses Connect again",
            lab.portainer.connect(URL),
            "Only containers (and the laptop itself) can reach it there: the cure to prefer.",
        )
        yield _fails(
            "The LAN still cannot reach it",
            Outcome.REFUSED,
            neighbour.connect(expectation.url(LAN_ADDRESS)),
        )
    with lab.forward("0.0.0.0"):
        yield _connects("Cure: the tunnel listens on 0.0.0.0", lab.portainer.connect(URL))
        yield _connects(
            "The price of 0.0.0.0: the neighbour on the LAN reaches the agent too",
            neighbour.connect(expectation.url(LAN_ADDRESS)),
            f"Anybody who can reach {LAN_ADDRESS} can. Prefer {PODMAN0}.",
        )


def _one(lab: PortainerLab, bind: Bind) -> Iterator[Step]:
    yield _connects("The agent answers on the remote machine", lab.vantage("remote").connect(_LOOPBACK_URL))
    with nullcontext() if isinstance(bind, NoTunnel) else lab.forward(bind) as forward:
        bound = forward.bound if forward else ()
        where = ", ".join(f"[{address}]:{PORT}" for address in bound) or "no address"
        prediction = expectation.expected(lab.evidence(bound), "portainer", "host.containers.internal")
        words = expectation.client_words(prediction, "host.containers.internal", "")
        seen = lab.portainer.connect(URL)
        title = f"The tunnel to {REMOTE} listens on {where}, and Portainer presses Connect"
        remark = f"{prediction.why[0].upper()}{prediction.why[1:]}."
        yield _says(title, words, seen, remark) if words else _connects(title, seen, remark)


def _connects(title: str, seen: Observation, remark: str = "") -> Step:
    return Step(
        title, str(Outcome.CONNECTED), seen, seen.outcome is Outcome.CONNECTED and seen.phase is Phase.HTTP, remark
    )


def _fails(title: str, outcome: Outcome, seen: Observation, remark: str = "") -> Step:
    return Step(title, str(outcome), seen, seen.outcome is outcome, remark)


def _says(title: str, words: str, seen: Observation, remark: str = "") -> Step:
    return Step(title, words, seen, seen.text == words, remark)
