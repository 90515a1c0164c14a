"""Eight containers: by the testbed with the host included, and by the usual ways on a host that is already up.

Every rival has a fresh private host to itself, made before its clock starts, so that nothing touches the machine's own
Podman. Commands run inside it without going in and out for each container.
"""

from __future__ import annotations

import json
import shlex
from typing import Final

from testcontainers.core.container import DockerContainer

from benchmarks.bench import IDLE, Bench, Figures, Stopwatch, Subject, idle_containers, in_turns
from benchmarks.compose import podman_compose
from benchmarks.values import Series, Target, Unit
from testbed.engine import COMPAT_VERSION
from testbed.host import PrivateHost
from testbed.lab import Lab

NAME: Final = "startup"
_COUNT: Final = 8
_NAMES: Final = tuple(f"c{number}" for number in range(_COUNT))
_COMPOSE_FILE: Final = "/run/testbed/compose.yaml"
_BASE: Final = "testbed"
#: Label, and the figure seen by hand.
_RIVALS: Final = {
    "testbed": ("testbed, private host included", 0.6),
    "podman_run": ("podman run -d, one after the other", 1.3),
    "compose": ("podman-compose up -d", 2.4),
    "testcontainers": ("testcontainers as it comes, one after the other", 4.9),
    "testcontainers_pinned": ("testcontainers, API version pinned", 1.2),
}
_DOWN: Final = {
    "testbed": ("testbed, down", None),
    "podman_run": ("podman rm --force --time 0, all at once", None),
    "compose": ("podman-compose down -t 0", 1.4),
    "testcontainers": ("testcontainers stop(), one after the other", None),
    "testcontainers_pinned": ("testcontainers stop(), API version pinned", None),
}
TARGETS: Final = (
    Target(NAME, "podman_run", "podman run against testbed", Unit.TIMES, at_least=2, of_ratio=True),
    Target(NAME, "compose", "podman-compose against testbed", Unit.TIMES, at_least=4, of_ratio=True),
    Target(NAME, "testcontainers", "plain testcontainers against testbed", Unit.TIMES, at_least=8, of_ratio=True),
)


def measure(bench: Bench) -> tuple[Series, ...]:
    """All five in turns."""
    samples = in_turns(
        NAME,
        bench.rounds(5, 2),
        {
            "testbed": lambda: _testbed(bench),
            "podman run": lambda: _podman_run(bench),
            "podman-compose": lambda: _compose(bench),
            "testcontainers": lambda: _testcontainers(bench, "testcontainers", None),
            "testcontainers, pinned": lambda: _testcontainers(bench, "testcontainers_pinned", COMPAT_VERSION),
        },
        bench.say,
    )
    return (
        *(
            Series(NAME, name, label, Unit.SECONDS, samples[name], _against(name, ""), seen)
            for name, (label, seen) in _RIVALS.items()
        ),
        *(
            Series(NAME, f"{name}_down", label, Unit.SECONDS, samples[f"{name}_down"], _against(name, "_down"), seen)
            for name, (label, seen) in _DOWN.items()
        ),
        *(
            Series(
                NAME,
                f"{name}_both",
                f"up and down: {label}",
                Unit.SECONDS,
                tuple(map(sum, zip(samples[name], samples[f"{name}_down"], strict=True))),
                _against(name, "_both"),
            )
            for name, (label, _) in _RIVALS.items()
        ),
    )


def _against(name: str, kind: str) -> str | None:
    return None if name == _BASE else f"{_BASE}{kind}"


def _testbed(bench: Bench) -> Figures:
    watch = Stopwatch()
    with Lab(idle_containers(1, _COUNT), images=bench.tags, image_store=bench.store.storage):
        up = watch.lap()
    return {"testbed": up, "testbed_down": watch.lap()}


def _fresh(bench: Bench) -> PrivateHost:
    host = PrivateHost("rival", image_store=bench.store.storage)
    host.engine.ready()
    return host


def _podman_run(bench: Bench) -> Figures:
    options = f"podman run -d --pull=never --network=podman --name=$name {bench.tags['base']} {shlex.join(IDLE)}"
    with _fresh(bench) as host:
        watch = Stopwatch()
        host.run(["sh", "-ec", f"for name; do {options}; done", "sh", *_NAMES])
        up = watch.lap()
        host.run(["podman", "rm", "--force", "--time=0", *_NAMES])
        return {"podman_run": up, "podman_run_down": watch.lap()}


def _compose(bench: Bench) -> Figures:
    service = {
        "image": bench.tags["base"],
        "pull_policy": "never",
        "network_mode": "bridge",  # podman0, as the others: no network to be made
        "command": list(IDLE),
    }
    compose = podman_compose(_COMPOSE_FILE)
    with _fresh(bench) as host:
        # JSON is YAML.
        host.path(_COMPOSE_FILE).write_text(json.dumps({"services": dict.fromkeys(_NAMES, service)}), encoding="utf-8")
        watch = Stopwatch()
        host.run([*compose, "up", "-d"])
        up = watch.lap()
        host.run([*compose, "down", "-t", "0"])
        return {"compose": up, "compose_down": watch.lap()}


def _testcontainers(bench: Bench, name: str, version: str | None) -> Figures:
    with _fresh(bench) as host:
        options = {"environment": {"DOCKER_HOST": host.engine.url}, **({"version": version} if version else {})}
        watch = Stopwatch()
        containers = []
        for number in range(_COUNT):
            container = DockerContainer(bench.tags["base"], docker_client_kw=options)
            container.with_kwargs(network="podman").with_name(_NAMES[number]).with_command(list(IDLE))
            containers.append(container.start())
        up = watch.lap()
        for container in containers:
            container.stop()
        down = watch.lap()
        for container in containers:
            container.get_docker_client().client.close()
    return {name: up, f"{name}_down": down}


SUBJECT: Final = Subject(NAME, measure, TARGETS)
