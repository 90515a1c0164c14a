"""A prediction: how an attempt ends, the outcome that whoever connects sees, and the steps. Values only."""

from __future__ import annotations

import os
from dataclasses import dataclass

from testbed.errnos import OUTCOMES
from testbed.evidence import Listener, Namespace
from testbed.model import Address, Outcome, Phase
from testbed.predict import wording
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Ending, LaterFiltered, NoRoute, PacketEnding, RelayCloses, RouteForbids, Taken
from testbed.predict.steps import Step
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import walked


@dataclass(frozen=True, slots=True)
class Tried:
    """One address of the target's name, and how a connection to it ends."""

    address: Address
    outcome: Outcome
    phase: Phase
    errno: int | None
    text: str
    ending: PacketEnding
    steps: tuple[Step, ...]
    """From the first packet on, without those of the name."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """How an attempt will end, and why."""

    outcome: Outcome
    phase: Phase
    errno: int | None
    text: str
    """The words of a client of the C library; empty when connected or inconclusive."""
    ending: Ending
    """The fact that decides."""
    address: Address | None = None
    """The address that decides: the first that connects, else the first of which it is not known, else the first."""
    steps: tuple[Step, ...] = ()
    tried: tuple[Tried, ...] = ()
    """Every address that a client would try, in its order; also those after one that connects."""

    def at(self, address: Address) -> Prediction | None:
        """The prediction as decided by another one of its addresses; None where that is none of them."""
        by_address = {one.address: one for one in self.tried}
        if self.address is None or address not in by_address:
            return None
        resolving = self.steps[: len(self.steps) - len(by_address[self.address].steps)]
        return decided_by(by_address[address], resolving, self.tried)

    @property
    def disposition(self) -> Disposition:
        """The kind of the fact that decides."""
        return self.ending.disposition

    @property
    def why(self) -> str:
        """The deciding fact, as a sentence without its full stop."""
        return wording.why(self.ending)

    @property
    def namespace(self) -> Namespace | None:
        """Where the packet, or the question for the name, ended; None where none was sent."""
        packet = walked(self.ending)
        return packet.namespace if packet else None

    @property
    def listener(self) -> Listener | None:
        """The listener that accepted, also where its answer got lost; None where none did."""
        packet = walked(self.ending)
        found = packet.there or packet if packet else None
        return found.listener if isinstance(found, Taken | LaterFiltered | RelayCloses | Unknown) else None

    @property
    def withheld(self) -> bool:
        """True where the answer may stay out all the same.

        A router says at most once a second to a neighbour that it has no route (net/ipv4/route.c, ip_error), and so
        does whoever limits his ICMP (icmp(7), icmp_ratelimit).
        """
        ending = self.ending
        if self.errno is None or not isinstance(ending, NoRoute | RouteForbids):
            return False
        started = self.steps[0].namespace if self.steps else ending.namespace
        return ending.namespace.key != started.key


def decided_by(one: Tried, resolving: tuple[Step, ...], tried: tuple[Tried, ...]) -> Prediction:
    """The prediction that rests on one of the addresses.

    :param resolving: the steps of the name
    """
    steps = (*resolving, *one.steps)
    return Prediction(one.outcome, one.phase, one.errno, one.text, one.ending, one.address, steps, tried)


def failed(number: int) -> tuple[Outcome, int, str]:
    """Outcome, errno and text of a connect(2) that failed; INCONCLUSIVE for an errno that is none of ours."""
    return OUTCOMES.get(number, Outcome.INCONCLUSIVE), number, f"[Errno {number}] {os.strerror(number)}"
