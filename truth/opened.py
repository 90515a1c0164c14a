"""Who reaches a service in one picture and in another one, held against the words of who is exposed to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from testbed.evidence import Attempt, Evidence, Place
from testbed.explain.explanation import Cure
from testbed.model import Scheme, Target
from testbed.predict import predict
from testbed.predict.ending import Taken
from truth.worlds import HOST, NEIGHBOUR, NEIGHBOUR_LAN

_LAN: Final = re.compile(r"the LAN on \S+ of (\S+)")
_BEYOND: Final = re.compile(r"what is beyond the router of \S+")
_NETWORKS: Final = re.compile(r"the containers of the networks? (.+)")
_ITSELF: Final = " itself"


@dataclass(frozen=True, slots=True)
class Reach:
    """A place that reaches a service by an address and port."""

    place: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Service:
    """A listener, by what stays as it is while things around it change."""

    label: str
    """What its namespace is called."""
    port: int
    """Where it listens."""
    ports: tuple[int, ...]
    """Those that others may call it by."""

    def reached(self, evidence: Evidence, places: Iterable[str], addresses: Iterable[str]) -> frozenset[Reach]:
        """All ways to it, as they are predicted.

        :param places: names of the picture; those that are not in it reach nothing
        """
        known = {place.name: place for place in evidence.places() if place.namespace is not None}
        return frozenset(
            Reach(name, address, port)
            for name in places
            if name in known
            for address in addresses
            for port in self.ports
            if self._answers(evidence, known[name], address, port)
        )

    def _answers(self, evidence: Evidence, place: Place, address: str, port: int) -> bool:
        ending = predict(evidence, Attempt(place, Target(Scheme.TCP, address, port))).ending
        if not isinstance(ending, Taken):
            return False
        return (ending.namespace.label, ending.listener.port) == (self.label, self.port)


def service(ending: Taken, ports: Collection[int]) -> Service:
    """Whoever took a connection.

    :param ports: those that it may be called by
    """
    return Service(ending.namespace.label, ending.listener.port, tuple(sorted(set(ports))))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a cure has opened, seen on the kernel."""

    before: Evidence
    after: Evidence
    attempt: Attempt
    """As it connects afterwards."""
    there: Service
    new: frozenset[str]
    """The places that reach the service, and did not by any address before."""
    further: frozenset[str]
    """The places that reach it by some address by which they did not before."""
    commands: str = ""
    """All that somebody did to the world: what singles the neighbour out does not hold of the whole LAN."""


def wrongly_said(cure: Cure, opened: Opened) -> str:
    """What is wrong in the words of who is exposed, as a sentence; empty where nothing is."""
    said = [piece for piece in cure.exposes.split(", ") if piece]
    named = {piece: frozenset(_named(piece, opened.after)) for piece in said}
    covered = frozenset(name for names in named.values() for name in names)
    missing = opened.new - covered - frozenset(_of_no_account(opened))
    if missing:
        return f"It opens the service to {', '.join(sorted(missing))} too, and says {cure.exposes or 'nothing'!r}."
    for piece, names in named.items():
        if _BEYOND.fullmatch(piece) or (_LAN.fullmatch(piece) and NEIGHBOUR_LAN in opened.commands):
            continue
        if not names & (opened.further | {opened.attempt.place.name}):
            return f"It says that it exposes the service to {piece}, and nobody there reaches it who did not before."
    return ""


def _named(piece: str, evidence: Evidence) -> Iterator[str]:
    """The places of a picture that one part of the words is about."""
    lan = _LAN.fullmatch(piece)
    if lan is not None:
        yield NEIGHBOUR if lan[1] == HOST else HOST
        return
    found = _NETWORKS.fullmatch(piece)
    if found is None:
        yield piece.removesuffix(_ITSELF)
        return
    networks = set(found[1].split(" and "))
    for container in evidence.containers:
        if {one.network for one in container.attachments} == networks:
            yield container.name


def _of_no_account(opened: Opened) -> Iterator[str]:
    """Those who are where the caller is, or where the service is: nothing is opened to them."""
    own = {opened.attempt.place.namespace}
    for place in opened.after.places():
        here = opened.after.namespaces.get(place.namespace or "")
        if place.namespace in own or (here is not None and here.label == opened.there.label):
            yield place.name
