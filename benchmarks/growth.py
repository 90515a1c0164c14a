"""How it grows: 1, 8, 32 and 100 private hosts with six containers each, in one lab."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from benchmarks.bench import Bench, Stopwatch, Subject, idle_containers, rest
from benchmarks.values import Series, Target, Unit
from testbed.errors import UnfitError
from testbed.host.protocol import Host
from testbed.lab import Lab

NAME: Final = "growth"
_EACH: Final = 6
#: Hosts: rounds in a full run, rounds in a quick one, seconds seen by hand.
_STEPS: Final = {1: (5, 2, 0.6), 8: (5, 1, 2.2), 32: (3, 1, 10.5), 100: (1, 0, 39.0)}
#: A host among 100 against one among 8, of those: what is called linear there must not be worse here.
_SEEN_SLOPE: Final = round((39.0 / 100) / (2.2 / 8), 2)
_SEEN_MEMORY: Final = 20.0
_SEEN_DOWN: Final = {100: 0.8}
_SLACK: Final = 1.2
#: Open files that a lab of this size has: about 16 for each host with its six containers, and some to spare.
_FILES: Final = 4096
_PSS: Final = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def _hosts(count: int) -> str:
    return f"{count} host" + ("s" if count > 1 else "")


TARGETS: Final = (
    *(
        Target(
            NAME, f"up_{hosts}", f"{_hosts(hosts)} with {_EACH} containers each", Unit.SECONDS, at_most=_SLACK * seen
        )
        for hosts, (_, _, seen) in _STEPS.items()
    ),
    Target(NAME, "linear", "a host among the most, against one among 8", Unit.TIMES, at_most=_SEEN_SLOPE),
    Target(NAME, "memory_100", "memory of each of 100 hosts (PSS)", Unit.MEBIBYTES, at_most=_SLACK * _SEEN_MEMORY),
    Target(NAME, "down_100", "100 hosts all gone", Unit.SECONDS, at_most=_SLACK * _SEEN_DOWN[100]),
)


def measure(bench: Bench) -> tuple[Series, ...]:
    """One size after the other, smallest first."""
    _open_files()
    series: list[Series] = []
    for hosts, (full, quick, seen) in _STEPS.items():
        rounds = bench.rounds(full, quick)
        if rounds:
            series += _grown(bench, hosts, rounds, seen)
    each = {s.name: s.median for s in series}
    most = max(hosts for hosts in _STEPS if f"up_{hosts}" in each)
    slope = (each[f"up_{most}"] / most) / (each["up_8"] / 8)
    series.append(
        Series(NAME, "linear", f"a host among {most}, against one among 8", Unit.TIMES, (slope,), seen=_SEEN_SLOPE)
    )
    return tuple(series)


def _grown(bench: Bench, hosts: int, rounds: int, seen: float) -> Iterator[Series]:
    up, down, memory = [], [], []
    topology = idle_containers(hosts, _EACH)
    for number in range(1, rounds + 1):
        bench.say(f"{NAME}: {_hosts(hosts)} with {_EACH} containers each, round {number} of {rounds}")
        rest()
        watch = Stopwatch()
        with Lab(topology, images=bench.tags, image_store=bench.store.storage) as lab:
            up.append(watch.lap())
            memory += [_mebibytes(host) for host in lab.hosts.values()]
            watch.lap()
        down.append(watch.lap())
    some = _hosts(hosts)
    up_label, down_label = f"{some} up, {_EACH} containers each", f"{some} gone"
    memory_label = f"memory of a host among {hosts} (PSS)"
    yield Series(NAME, f"up_{hosts}", up_label, Unit.SECONDS, tuple(up), seen=seen)
    yield Series(NAME, f"down_{hosts}", down_label, Unit.SECONDS, tuple(down), seen=_SEEN_DOWN.get(hosts))
    yield Series(NAME, f"memory_{hosts}", memory_label, Unit.MEBIBYTES, tuple(memory), seen=_SEEN_MEMORY)


def _mebibytes(host: Host) -> float:
    """The proportional set size of all of a host's processes (proc(5), smaps_rollup): shared pages count by share."""
    total = 0
    for process in host.path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it ended meanwhile
                total += sum(map(int, _PSS.findall((process / "smaps_rollup").read_text())))
    return total / 1024


def _open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= _FILES or soft == resource.RLIM_INFINITY:
        return
    if hard < _FILES and hard != resource.RLIM_INFINITY:
        raise UnfitError(f"100 hosts need {_FILES} open files, and the hard limit is {hard}: raise it (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, hard))


SUBJECT: Final = Subject(NAME, measure, TARGETS)
