"""Every bind, vantage and target of the scenario, tried and held against the expectation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Final

from testbed.bind import LOOPBACKS, WILDCARDS, Bind, NoTunnel, addresses
from testbed.evidence import Evidence
from testbed.model import Address, Observation, Outcome
from testbed.probe import Vantage
from testbed.results import Axes, Cell, ClientCheck
from testbed.scenarios.portainer import expectation
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import AGENT, TARGETS, VANTAGES
from testbed.topology import RESOLVER_ADDRESS

_LOOPBACK_OF: Final = dict(zip(WILDCARDS, LOOPBACKS, strict=True))


def axes(binds: Sequence[Bind]) -> Axes:
    """Return the axes of the matrix of some binds: from every vantage to every target."""
    return Axes(tuple(binds), VANTAGES, TARGETS)


def cells(lab: PortainerLab, binds: Sequence[Bind], *, via: str = "paramiko") -> Iterator[Cell]:
    """Try every cell of some binds, a forward at a time.

    :raises BindError: a bind address cannot be bound
    """
    vantages = {name: lab.vantage(name) for name in VANTAGES}
    for bind in binds:
        bound = addresses(bind, vantages["laptop"].naming.names.hosts)
        with nullcontext() if isinstance(bind, NoTunnel) else lab.forward(bind, via=via):
            yield from _of_bind(lab, bind, bound, vantages)


def _of_bind(
    lab: PortainerLab,
    bind: Bind,
    bound: Sequence[Address],
    vantages: dict[str, Vantage],
) -> Iterator[Cell]:
    here = lab.evidence(bound)
    for name in VANTAGES:
        seen = {target: vantages[name].connect(expectation.url(target)) for target in TARGETS}
        refused = any(observation.outcome is Outcome.REFUSED for observation in seen.values())
        control = _control(lab, bound, vantages["laptop"]) if refused else None
        for target, observed in seen.items():
            yield Cell(
                vantage=name,
                bind=bind,
                target=target,
                expected=expectation.expected(here, name, target),
                observed=observed,
                control=control if observed.outcome is Outcome.REFUSED else None,
                client=_client(lab, here, target) if name == "portainer" else None,
            )


def _control(lab: PortainerLab, bound: Sequence[Address], laptop: Vantage) -> Observation:
    """The listener answering the laptop's own terminal; without a listener, the agent answering its own machine."""
    if not bound:
        return lab.vantage("remote").connect(expectation.url(AGENT[0]))
    return laptop.connect(expectation.url(str(_LOOPBACK_OF.get(bound[0], bound[0]))))


def _client(lab: PortainerLab, here: Evidence, target: str) -> ClientCheck:
    prediction = expectation.expected(here, "portainer", target)
    words = expectation.client_words(prediction, target, RESOLVER_ADDRESS)
    return ClientCheck(words, lab.portainer.connect(expectation.url(target)))
