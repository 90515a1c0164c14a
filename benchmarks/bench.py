"""What every subject is measured with: images, repetitions, a clock, and taking turns."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmarks.values import Series, Target
from testbed import tools
from testbed.images import ImageStore
from testbed.topology import AttachmentSpec, ContainerSpec, HostSpec, Topology

Say: TypeAlias = Callable[[str], None]
#: Seconds: until the kernel begins to remove a namespace, and what making one takes where nothing is in the way.
_BEGINS_WITHIN: Final = 0.05
_AT_ONCE: Final = 0.02
_RESTS: Final = 100
#: One try of one rival: figures by the name of their series.
Figures: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bench:
    """What a subject needs to know.

    :param tags: images by role
    :param quick: fewer repetitions, and nothing that takes long
    :param say: told what is being measured, a line at a time
    """

    store: ImageStore
    tags: Mapping[str, str]
    quick: bool
    say: Say

    def rounds(self, full: int, quick: int) -> int:
        """How often to repeat."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to measure, and what it is to reach."""

    name: str
    measure: Callable[[Bench], tuple[Series, ...]]
    targets: tuple[Target, ...]


class Stopwatch:
    """Seconds since it was made, or since the last lap."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap; the next one starts now."""
        now = time.perf_counter()
        seconds, self._start = now - self._start, now
        return seconds


def rest() -> None:
    """Wait until the kernel has removed the network namespaces of what ended before.

    It begins some 20 ms after their last process is gone, and whoever makes a new one meanwhile waits for it (0.16 s
    after a scenario was seen). That would go to the account of whoever is next.
    """
    unshare = tools.need("unshare", "util-linux")
    for _ in range(_RESTS):
        time.sleep(_BEGINS_WITHIN)
        watch = Stopwatch()
        subprocess.run([unshare, "--net", "true"], check=True)
        if watch.lap() < _AT_ONCE:
            return


def in_turns(
    what: str, rounds: int, rivals: Mapping[str, Callable[[], Figures]], say: Say
) -> dict[str, tuple[float, ...]]:
    """Let all rivals try once, then all of them again: A B A B. What disturbs the machine disturbs each alike.

    :param what: for the progress line
    :returns: the samples of each series, in order
    """
    samples: dict[str, list[float]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for rival, attempt in rivals.items():
            say(f"{what}: round {number} of {rounds}, {rival}")
            rest()
            for name, figure in attempt().items():
                samples[name].append(figure)
    return {name: tuple(figures) for name, figures in samples.items()}


def idle_containers(hosts: int, each: int) -> Topology:
    """Hosts with containers on podman0 that only are there."""
    return Topology(
        hosts=tuple(HostSpec(f"h{host}") for host in range(hosts)),
        containers=tuple(
            ContainerSpec(f"h{host}", f"h{host}c{number}", "base", (AttachmentSpec("podman"),), command=IDLE)
            for host in range(hosts)
            for number in range(each)
        ),
    )


IDLE = ("sleep", "infinity")
