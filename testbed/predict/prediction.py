"""What a prediction says: the walk of a packet, step by step, and what it ends in. Values only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

from testbed.errnos import OUTCOMES
from testbed.evidence import Chain, Hook, Link, Listener, Rule
from testbed.model import Address, Outcome, Phase


class StepKind(StrEnum):
    """What happens in one step of the walk."""

    RESOLVE = "resolve"
    ROUTE = "route"
    FILTER = "filter"
    TRANSLATE = "translate"
    CROSS = "cross"
    """From one interface to another one: a veth pair, a bridge."""
    FORWARD = "forward"
    DELIVER = "deliver"
    RELAY = "relay"
    """A process takes the connection and makes another one of its own: slirp4netns, pasta, rootlessport."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the walk."""

    kind: StepKind
    namespace: str
    """The key of the namespace where it happens."""
    label: str
    """What people call that namespace."""
    text: str
    """What happens and what decides it, as a sentence."""
    row: str = ""
    """The row of the evidence that decides, as its tool prints it."""
    back: bool = False
    """Whether it is the answer that is on its way."""


class Disposition(StrEnum):
    """What the walk ends in, finer than an outcome: the fact that decides."""

    ACCEPTED = "accepted"
    """A listener takes the connection."""
    HELD = "held"
    """A listener that never accepts: Podman's placeholder on a published port (conmon)."""
    NO_LISTENER = "no listener"
    QUEUE_FULL = "queue full"
    DROPPED = "dropped"
    REJECTED = "rejected"
    NO_ROUTE = "no route"
    ROUTE_FORBIDS = "route forbids"
    """An unreachable, prohibit or blackhole route."""
    NO_SOURCE = "no source address"
    NO_NEIGHBOUR = "no neighbour"
    """Nobody on the segment answers for the address."""
    STALE_NEIGHBOUR = "stale neighbour"
    """The sender knows a hardware address for it, does not ask, and nobody has that one."""
    NOT_FORWARDED = "not forwarded"
    REVERSE_PATH = "reverse path"
    HAIRPIN = "hairpin"
    """A bridge would have to send a frame back by the port that it came in by."""
    MARTIAN = "martian"
    """A loopback or own address where the kernel takes none (net/ipv4/route.c, martian source or destination)."""
    UNASKED = "unasked"
    """The answer comes from another address than was called: a rewriting on the way was not undone."""
    NAME_NOT_FOUND = "name not found"
    RESOLVER_FAILED = "resolver failed"
    NOT_RUNNING = "not running"
    RELAY_REFUSES = "relay refuses"
    """A process that makes the namespace's connections has an address for the host's loopback, and keeps it closed."""
    RELAY_CLOSES = "relay closes"
    """A process accepts for another one, which cannot be reached behind it, and so it closes what it accepted."""
    LEFT = "left"
    """The packet leaves what the picture shows."""
    UNKNOWN = "unknown"
    """Something on the way is beyond what is modelled."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """How an attempt will end, and why."""

    outcome: Outcome
    phase: Phase
    errno: int | None
    text: str
    """What a client of the C library will say; empty when connected or inconclusive."""
    why: str
    """The deciding fact, as a sentence."""
    address: Address | None = None
    """The address that decided: the one that connects, or the first one tried."""
    end: Disposition = Disposition.ACCEPTED
    namespace: str | None = None
    """The key of the namespace where it ended."""
    back: bool = False
    """Whether it was the answer that was lost."""
    destination: Address | None = None
    """Where the packet was addressed to in the end, after all rewriting."""
    source: Address | None = None
    """Where it was from, likewise; None where it never left."""
    port: int = 0
    """The same for the port."""
    listener: Listener | None = None
    """What accepted, or would have."""
    rule: Rule | None = None
    """The firewall rule that decided; None with ``chain`` set is that chain's policy."""
    chain: Chain | None = None
    hook: Hook | None = None
    """Where in the kernel the firewall decided."""
    link: Link | None = None
    """The interface it was to leave by, or came in by, where that decided."""
    path: tuple[Link, ...] = ()
    """The interfaces that the packet left by, on its way there."""
    path_back: tuple[Link, ...] = ()
    """The same of its answer."""
    resolver: Address | None = None
    """The resolver that decided, where a name was not resolved."""
    resolver_end: Disposition | None = None
    """What the question to it ended in."""
    steps: tuple[Step, ...] = ()

    @property
    def withheld(self) -> bool:
        """Whether the answer may stay out all the same.

        A router says at most once a second to a neighbour that it has no route (net/ipv4/route.c, ip_error), and so
        does whoever limits his ICMP (icmp(7), icmp_ratelimit).
        """
        started = self.steps[0].namespace if self.steps else self.namespace
        return (
            self.errno is not None
            and self.end in (Disposition.NO_ROUTE, Disposition.ROUTE_FORBIDS)
            and self.namespace != started
        )


def failed(number: int) -> tuple[Outcome, int, str]:
    """Outcome, errno and text of a connect(2) that failed; INCONCLUSIVE for an errno that is none of ours."""
    return OUTCOMES.get(number, Outcome.INCONCLUSIVE), number, f"[Errno {number}] {os.strerror(number)}"
