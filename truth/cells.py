"""Every place of a world to every target: predicted from the picture, tried on the kernel, held side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from testbed.evidence import Attempt, Evidence
from testbed.model import Observation, Outcome, Scheme, Target
from testbed.names import Naming
from testbed.predict import Prediction, predict
from testbed.predict.ending import Taken
from testbed.probe import Vantage
from truth.build import Built
from truth.worlds import CLOSED_PORT, HOST_PORTS, PORTS

#: Anything that answers here does so within a few milliseconds; nobody having an address takes 0.1 s.
_SECONDS: Final = 0.5
#: For a name whose first server is silent: each of them is given a second or more, for each name of the search list.
_PATIENCE: Final = 15.0
_AT_ONCE: Final = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """One place and target."""

    place: str
    target: str
    predicted: Prediction
    observed: Observation

    @property
    def inconclusive(self) -> bool:
        """Whether the prediction says that it does not know."""
        return self.predicted.outcome is Outcome.INCONCLUSIVE

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what was predicted: outcome and errno."""
        seen = self.observed
        if seen.outcome is Outcome.NO_ANSWER and isinstance(self.predicted.ending, Taken):
            return True  # of UDP: the programs of a world say nothing, and so do not show that they were reached
        if self.predicted.withheld and seen.outcome in (Outcome.TIMED_OUT, Outcome.NO_ANSWER):
            return True
        return (self.predicted.outcome, _errno(self.predicted.outcome, self.predicted.errno)) == (
            seen.outcome,
            _errno(seen.outcome, seen.errno),
        )


def _errno(outcome: Outcome, number: int | None) -> int | None:
    """A timeout of ours has no number."""
    return None if outcome is Outcome.TIMED_OUT else number


@dataclass(frozen=True, slots=True)
class Seen:
    """What one world showed."""

    evidence: Evidence
    cells: tuple[Cell, ...]
    seconds: float
    """What the predictions took."""
    asked_again: int
    """Cells whose answer got lost among those of the others, and that were tried once more, alone."""


def cells(built: Built) -> Seen:
    """The picture of a world, and every cell of it.

    An ICMP error is lost where the kernel is sending another one on that CPU just then (net/ipv4/icmp.c,
    icmp_xmit_lock), and attempts teach hosts hardware addresses that they did not know when the picture was taken. So
    what is predicted to be answered and timed out is predicted from a new picture and asked again, when all is quiet.
    A name of which a later server knows, after a silent one, takes more patience, and is asked for again too.
    """
    evidence = built.picture()
    places = {name: evidence.place(name) for name in built.places}
    attempts = [Attempt(places[name], target) for name, target in _all(built)]
    start = time.perf_counter()
    predicted = [predict(evidence, attempt) for attempt in attempts]
    seconds = time.perf_counter() - start
    vantages = {name: _vantage(built, evidence, name) for name in built.places}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        observed = pool.map(lambda a: vantages[a.place.name].connect(a.target, seconds=_SECONDS), attempts)
        found = [Cell(a.place.name, str(a.target), p, o) for a, p, o in zip(attempts, predicted, observed, strict=True)]
    again = [n for n, cell in enumerate(found) if _may_be_lost(cell)]
    for n in again:
        evidence = built.picture()
        patience = _PATIENCE if found[n].observed.outcome is Outcome.RESOLVER_FAILED else _SECONDS
        observed_alone = vantages[found[n].place].connect(attempts[n].target, seconds=patience)
        attempt = replace(attempts[n], place=evidence.place(found[n].place))
        found[n] = replace(found[n], predicted=predict(evidence, attempt), observed=observed_alone)
    return Seen(evidence, tuple(found), seconds, len(again))


def _may_be_lost(cell: Cell) -> bool:
    if cell.agrees or cell.inconclusive:
        return False
    if cell.observed.outcome is Outcome.RESOLVER_FAILED:
        return True
    return cell.observed.outcome in (Outcome.TIMED_OUT, Outcome.NO_ANSWER) and cell.predicted.errno is not None


def _all(built: Built) -> Iterator[tuple[str, Target]]:
    addresses, names = built.targets(), built.names()
    for place in built.places:
        for address, port in product(addresses, (*PORTS, *HOST_PORTS, CLOSED_PORT)):
            yield place, Target(Scheme.TCP, address, port)
        for name, port in product(names, (PORTS[0], HOST_PORTS[0])):
            yield place, Target(Scheme.TCP, name, port)
        for host in (*addresses, *names):
            yield place, Target(Scheme.UDP, host, PORTS[0])


def _vantage(built: Built, evidence: Evidence, name: str) -> Vantage:
    return Vantage(name, built.places[name], Naming(evidence.place(name).names))
