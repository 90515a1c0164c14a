"""A private host, its first container, and the whole Portainer scenario: up and down."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import IDLE, Bench, Figures, Stopwatch, Subject, in_turns
from benchmarks.values import Series, Target, Unit
from testbed.containers import HostContainer
from testbed.host import PrivateHost
from testbed.scenarios.portainer.lab import PortainerLab

NAME: Final = "host"
_LABELS: Final = {
    "up": ("private host up, its API answering", 0.12),
    "first": ("the first container on it, after that", 0.17),
    "down": ("private host torn down", None),
    "scenario_up": ("whole scenario ready, with a forward (paramiko)", None),
    "scenario_down": ("whole scenario torn down", None),
}
TARGETS: Final = (
    Target(NAME, "up", "private host up, API answering", Unit.SECONDS, at_most=0.15),
    Target(NAME, "first", "first container after that", Unit.SECONDS, at_most=0.2),
    Target(NAME, "scenario_up", "whole scenario ready", Unit.SECONDS, at_most=1.5),
    Target(NAME, "scenario_down", "whole scenario torn down", Unit.SECONDS, at_most=0.2),
)


def measure(bench: Bench) -> tuple[Series, ...]:
    """Each from nothing to ready, and back."""
    samples = in_turns(
        NAME,
        bench.rounds(8, 3),
        {"one host": lambda: _host(bench), "the scenario": lambda: _scenario(bench)},
        bench.say,
    )
    return tuple(
        Series(NAME, name, label, Unit.SECONDS, samples[name], seen=seen) for name, (label, seen) in _LABELS.items()
    )


def _host(bench: Bench) -> Figures:
    watch = Stopwatch()
    with PrivateHost("host", image_store=bench.store.storage) as host:
        host.engine.ready()
        up = watch.lap()
        container = HostContainer(host, bench.tags["base"], "first").on("podman")
        container.with_command(list(IDLE)).start()
        first = watch.lap()
        container.close()
        watch.lap()
    return {"up": up, "first": first, "down": watch.lap()}


def _scenario(bench: Bench) -> Figures:
    watch = Stopwatch()
    with PortainerLab(store=bench.store) as lab:
        lab.forward("127.0.0.1")
        up = watch.lap()
    return {"scenario_up": up, "scenario_down": watch.lap()}


SUBJECT: Final = Subject(NAME, measure, TARGETS)
