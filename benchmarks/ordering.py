"""The toaster scenario up and down; orders a second through all of it, beside the same stack without bridge and NAT."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from itertools import repeat
from statistics import median, quantiles
from typing import Final

from benchmarks.bench import Bench, Figures, Stopwatch, Subject, in_turns
from benchmarks.values import Series, Target, Unit
from testbed.containers.roles.ledger import LedgerContainer
from testbed.errors import EngineError
from testbed.lab import Lab
from testbed.scenarios.scenario_lab import ScenarioLab
from testbed.scenarios.toaster.deeds import GATE, Door, ask, order
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.topology import FRONTEND, FRONTEND_PORT, LEDGER, ORDERS, SHOP, TOPOLOGY
from testbed.topology import ContainerSpec, Topology

NAME: Final = "ordering"
_BUYERS: Final = 4
_ORDERS: Final = 300
_STOCK: Final = 1_000_000
_TO_MS: Final = 1000
_WAYS: Final = {"bridged": "DNAT and podman0", "host": "the containers on the host's network"}
_FIGURES: Final = {
    "rate": ("orders", Unit.RATE),
    "p50": ("order, p50", Unit.MILLISECONDS),
    "p99": ("order, p99", Unit.MILLISECONDS),
}
TARGETS: Final = (Target(NAME, "up", "toaster scenario ready", Unit.SECONDS, at_most=6),)


def on_the_hosts_network(topology: Topology) -> Topology:
    """The same hosts, cables and services, each service on its host's own network and known as 127.0.0.1.

    Jack and the couriers stay, so that what is left out is the bridge, its veth pairs and the address translation.
    """
    return replace(topology, containers=tuple(_on_the_hosts(c) for c in topology.containers if c.role != "base"))


def _on_the_hosts(spec: ContainerSpec) -> ContainerSpec:
    return replace(
        spec,
        networks=(),
        publish=(),
        mode="host",
        names=_local(spec.names),
        environment=_local(spec.environment),
    )


def _local(values: Mapping[str, str]) -> dict[str, str]:
    ours = {FRONTEND, ORDERS, LEDGER}
    return {name: "127.0.0.1" if value in ours else value for name, value in values.items()}


def measure(bench: Bench) -> tuple[Series, ...]:
    """From nothing to ready and back; then both stacks side by side, a burst of orders through each in turn."""
    return (*_scenario(bench), *_orders(bench))


def _scenario(bench: Bench) -> tuple[Series, ...]:
    def once() -> Figures:
        watch = Stopwatch()
        with ToasterLab(store=bench.store):
            up = watch.lap()
        return {"up": up, "down": watch.lap()}

    samples = in_turns(NAME, bench.rounds(5, 2), {"the scenario": once}, bench.say)
    return (
        Series(NAME, "up", "toaster scenario ready", Unit.SECONDS, samples["up"]),
        Series(NAME, "down", "toaster scenario torn down", Unit.SECONDS, samples["down"]),
    )


def _orders(bench: Bench) -> tuple[Series, ...]:
    plain = on_the_hosts_network(TOPOLOGY)
    with ToasterLab(store=bench.store, say=bench.say) as bridged, ScenarioLab(plain, store=bench.store) as host:
        for lab in (bridged, host):
            _stock_up(lab)
        samples = in_turns(
            NAME,
            bench.rounds(7, 2),
            {
                _WAYS["bridged"]: lambda: _burst(bridged, GATE, "bridged"),
                _WAYS["host"]: lambda: _burst(host, (SHOP, FRONTEND_PORT), "host"),
            },
            bench.say,
        )
    return tuple(
        Series(
            NAME,
            f"{figure}_{way}",
            f"{label}: {where}",
            unit,
            samples[f"{figure}_{way}"],
            base=f"{figure}_host" if way != "host" else None,
        )
        for figure, (label, unit) in _FIGURES.items()
        for way, where in _WAYS.items()
    )


def _stock_up(lab: Lab) -> None:
    ledger = lab.containers["ledger"]
    assert isinstance(ledger, LedgerContainer)
    ledger.sql(f"UPDATE inventory SET remaining = {_STOCK}")  # noqa: S608 - a number of ours


def _burst(lab: Lab, door: Door, way: str) -> Figures:
    """What some buyers in Jack's namespace get through, one order after the other each."""
    watch = Stopwatch()
    with ThreadPoolExecutor(_BUYERS, thread_name_prefix="buyer") as pool:
        seconds = list(pool.map(_order, repeat(lab, _ORDERS), repeat(door)))
    rate = _ORDERS / watch.lap()
    p99 = quantiles(seconds, n=100)[-1]
    return {f"rate_{way}": rate, f"p50_{way}": median(seconds) * _TO_MS, f"p99_{way}": p99 * _TO_MS}


def _order(lab: Lab, door: Door) -> float:
    """One order's seconds, from connect to the last byte of its confirmation."""
    began = time.perf_counter()
    answer = ask(lab.hosts["jack"].net, order(), door)
    if answer.status != HTTPStatus.CREATED:
        raise EngineError(f"an order was answered with {answer.status}: {answer.body}")
    return time.perf_counter() - began


SUBJECT: Final = Subject(NAME, measure, TARGETS)
