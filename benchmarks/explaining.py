"""``testbed explain``: the whole process beside 10 and 100 containers; its parts by themselves.

The parts: predictions, those that one explanation makes, and a firewall.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_address
from types import FrameType
from typing import Final

from benchmarks.background import in_background
from benchmarks.bench import Bench, Stopwatch, Subject, idle_containers
from benchmarks.values import Series, Target, Unit
from testbed.errors import Error
from testbed.evidence import Act, Attempt, Backend, Evidence, Hook, Ruleset
from testbed.explain.explain import explain
from testbed.lab import Lab
from testbed.model import Target as Goal
from testbed.predict import predict
from testbed.predict.firewall import judge
from testbed.predict.packet import Packet
from testbed.readers import iptables_text
from testbed.readers.sources import of_host
from testbed.readers.take import take

NAME: Final = "explaining"
_URL: Final = "http://host.containers.internal:8000/"
_PLACE: Final = "h0c0"
_EXPLAINED: Final = 1
_COMMAND: Final = (sys.executable, "-c", "from testbed.cli import main; main()", "explain", "--from", _PLACE)
#: Containers on the host: the most that explaining may take there.
_STEPS: Final = {10: 0.45, 100: 1.2}
_PREDICTIONS: Final = 20_000
_WARM_UP: Final = 100
_JUDGEMENTS: Final = 1_000
TARGETS: Final = (
    *(
        Target(NAME, f"explain_{count}", f"testbed explain beside {count} containers", Unit.SECONDS, at_most=most)
        for count, most in _STEPS.items()
    ),
    Target(NAME, "predict", "one prediction", Unit.MILLISECONDS, at_most=0.5),
    Target(NAME, "explain_predictions", "predictions of one explanation", Unit.PREDICTIONS, at_most=50),
    Target(NAME, "explain_most", "predictions of the one that makes most", Unit.PREDICTIONS, at_most=200),
    Target(NAME, "judge", "a packet and two hundred rules", Unit.MILLISECONDS, at_most=1),
    Target(NAME, "memory", f"memory grown over {_PREDICTIONS:,} predictions", Unit.MEBIBYTES, at_most=0.1),
)


def measure(bench: Bench) -> tuple[Series, ...]:
    """One size after the other; predicting from the picture of the first."""
    series: list[Series] = []
    evidence: Evidence | None = None
    for count in _STEPS:
        bench.say(f"{NAME}: a host with {count} containers")
        with Lab(idle_containers(1, count), images=bench.tags, image_store=bench.store.storage) as lab:
            rounds = bench.rounds(7, 3)
            with in_background(lab, f"bench-{os.getpid()}-{count}") as name:
                samples = tuple(_explain(name) for _ in range(rounds))
            label = f"testbed explain beside {count} containers, whole process"
            series.append(Series(NAME, f"explain_{count}", label, Unit.SECONDS, samples))
            evidence = evidence or take([of_host(host) for host in lab.hosts.values()])
    assert evidence is not None
    bench.say(f"{NAME}: {_PREDICTIONS} predictions")
    return (*series, *_predictions(evidence), *_explanations(evidence), _judgements())


def _explain(lab: str) -> float:
    watch = Stopwatch()
    done = subprocess.run([*_COMMAND, "--lab", lab, _URL], capture_output=True, check=False)
    seconds = watch.lap()
    if done.returncode != _EXPLAINED:
        raise Error(f"'testbed explain' ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return seconds


def _attempts(evidence: Evidence) -> list[Attempt]:
    """From each container to the host, to a container, to its own loopback address and beyond the uplink."""
    return [
        Attempt(place, Goal.parse(url))
        for place in evidence.places()
        if place.container is not None
        for url in (_URL, "10.88.0.2:8000", "127.0.0.1:8000", "203.0.113.253:53")
    ]


def _explanations(evidence: Evidence) -> Iterator[Series]:
    """How many predictions explanations make: those that prove causes, cures, rows and what is exposed."""
    counts = tuple(float(_predictions_for(evidence, attempt)) for attempt in _attempts(evidence))
    label = "predictions of one explanation"
    yield Series(NAME, "explain_predictions", label, Unit.PREDICTIONS, counts)
    label = "predictions of the one that makes most"
    yield Series(NAME, "explain_most", label, Unit.PREDICTIONS, (max(counts),))


def _predictions_for(evidence: Evidence, attempt: Attempt) -> int:
    """How many predictions one explanation makes, whoever asks for them."""
    made = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal made
        if event == "call" and frame.f_code is predict.__code__:
            made += 1

    sys.setprofile(count)
    try:
        explain(evidence, attempt)
    finally:
        sys.setprofile(None)
    return made


def _predictions(evidence: Evidence) -> Iterator[Series]:
    """What one takes, and what so many leave behind."""
    attempts = _attempts(evidence)
    watch = Stopwatch()
    samples = []
    for number in range(_PREDICTIONS):
        predict(evidence, attempts[number % len(attempts)])
        samples.append(watch.lap() * 1000)
    yield Series(NAME, "predict", "one prediction", Unit.MILLISECONDS, tuple(samples))
    tracemalloc.start()
    try:
        for attempt in attempts[:_WARM_UP]:
            predict(evidence, attempt)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(_PREDICTIONS):
            predict(evidence, attempts[number % len(attempts)])
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    grown = (after - before) / (1 << 20)
    yield Series(NAME, "memory", f"memory grown over {_PREDICTIONS:,} predictions", Unit.MEBIBYTES, (grown,))


def _judgements() -> Series:
    """A packet that two hundred rules have to be looked at for, and that none of them is about."""
    rules = [f"-A INPUT -s 10.{n}.0.0/16 -p tcp -m tcp --dport {n + 1} -j ACCEPT" for n in range(100)]
    rules += [f"-A INPUT -p tcp -m tcp --dport {n + 1} -m conntrack --ctstate NEW -j ACCEPT" for n in range(100)]
    text = "\n".join(["*filter", ":INPUT DROP [0:0]", *rules, "COMMIT", ""])
    ruleset = Ruleset(iptables_text.parse(text, family="ip", backend=Backend.IPTABLES))
    packet = Packet(ip_address("192.0.2.9"), ip_address("10.88.0.1"), "tcp", 40000, 19001)
    watch = Stopwatch()
    samples = []
    for _ in range(_JUDGEMENTS):
        if judge(ruleset, Hook.INPUT, packet).verdict is not Act.DROP:
            raise Error("a packet that no rule is about was not dropped by the policy")
        samples.append(watch.lap() * 1000)
    return Series(NAME, "judge", "a packet and two hundred rules", Unit.MILLISECONDS, tuple(samples))


SUBJECT: Final = Subject(NAME, measure, TARGETS)
