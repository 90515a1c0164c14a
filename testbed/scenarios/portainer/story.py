"""The story, told by running it, and then the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.bind import Bind, NoTunnel
from testbed.evidence import Evidence
from testbed.model import Observation, Outcome, Phase
from testbed.results import Check, Event, Scene
from testbed.scenarios.portainer import BIND, expectation, matrix
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import BINDS, LAN_ADDRESS, PODMAN0, PORT, REMOTE, URL
from testbed.scenarios.scenario import NO_OPTIONS, Options
from testbed.topology import RESOLVER_ADDRESS

#: The line that started it all (shared with every page that quotes it).
SEED_TEXT = f'Get "{URL}": dial tcp {PODMAN0}:{PORT}: connect: connection refused'
_LOOPBACK_URL = expectation.url("127.0.0.1")


def tell(lab: PortainerLab, options: Options = NO_OPTIONS) -> Iterator[Event]:
    """Tell it scene by scene, and then try the cells of each bind address.

    With a bind address in the options only that one is seen: what Portainer gets there, and its cells.

    :raises BindError: the laptop cannot bind that address
    """
    bind = options.get(BIND)
    yield from _story(lab) if bind is None else _one(lab, bind)
    binds = BINDS if bind is None else (bind,)
    yield matrix.axes(binds)
    yield from matrix.cells(lab, binds)


def _story(lab: PortainerLab) -> Iterator[Scene]:
    laptop, neighbour, remote = (lab.vantage(name) for name in ("laptop", "neighbour", "remote"))
    yield Scene("The agent answers on the remote machine", (_connects(remote.connect(_LOOPBACK_URL)),))
    with lab.forward("127.0.0.1"):
        yield Scene(
            f"The tunnel listens on the laptop's 127.0.0.1:{PORT}: the laptop's own terminal gets its answer",
            (_connects(laptop.connect(_LOOPBACK_URL)),),
            remark="The tunnel, sshd and the agent are all healthy.",
        )
        yield Scene(
            "Portainer, in a container on podman0, presses Connect",
            (_says(SEED_TEXT, lab.portainer.connect(URL)),),
            remark=f"{PODMAN0} is the laptop's seat on podman0. On port {PORT} only 127.0.0.1 is listened on: another "
            "room.",
        )
        yield Scene(
            "In that very moment the listener is alive for whoever is in its room",
            (_connects(laptop.connect(_LOOPBACK_URL)),),
        )
    with lab.forward(PODMAN0):
        yield Scene(
            f"Cure: the tunnel listens on {PODMAN0}, and Portainer presses Connect again",
            (_connects(lab.portainer.connect(URL)),),
            remark="Only containers (and the laptop itself) can reach it there: the cure to prefer.",
        )
        yield Scene("The LAN still cannot reach it", (_refused(neighbour.connect(expectation.url(LAN_ADDRESS))),))
    with lab.forward("0.0.0.0"):
        yield Scene("Cure: the tunnel listens on 0.0.0.0", (_connects(lab.portainer.connect(URL)),))
        yield Scene(
            "The price of 0.0.0.0: the neighbour on the LAN reaches the agent too",
            (_connects(neighbour.connect(expectation.url(LAN_ADDRESS))),),
            remark=f"Anybody who can reach {LAN_ADDRESS} can. Prefer {PODMAN0}.",
        )


def _one(lab: PortainerLab, bind: Bind) -> Iterator[Scene]:
    yield Scene("The agent answers on the remote machine", (_connects(lab.vantage("remote").connect(_LOOPBACK_URL)),))
    if isinstance(bind, NoTunnel):
        yield _pressed(lab, "There is no tunnel, and Portainer presses Connect", lab.evidence(()))
        return
    with lab.forward(bind) as forward:
        where = ", ".join(f"[{address}]:{PORT}" for address in forward.bound)
        title = f"The tunnel to {REMOTE} listens on {where}, and Portainer presses Connect"
        yield _pressed(lab, title, lab.evidence(forward.bound))


def _pressed(lab: PortainerLab, title: str, here: Evidence) -> Scene:
    """The result of Portainer's own client, beside what is predicted for it."""
    target = "host.containers.internal"
    prediction = expectation.expected(here, "portainer", target)
    words = expectation.client_words(prediction, target, RESOLVER_ADDRESS)
    seen = lab.portainer.connect(URL)
    check = _says(words, seen) if words else _connects(seen)
    return Scene(title, (check,), remark=f"{prediction.why[0].upper()}{prediction.why[1:]}.")


def _connects(seen: Observation) -> Check:
    ok = seen.outcome is Outcome.CONNECTED and seen.phase is Phase.HTTP
    return Check("it gets the agent's answer", ok, expected=str(Outcome.CONNECTED), observed=seen)


def _refused(seen: Observation) -> Check:
    return Check("it is refused", seen.outcome is Outcome.REFUSED, expected=str(Outcome.REFUSED), observed=seen)


def _says(words: str, seen: Observation) -> Check:
    return Check("it fails, in exactly the words expected", seen.text == words, expected=words, observed=seen)
