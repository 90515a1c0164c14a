"""Predicting one attempt: resolve the name, send the first packet, and see what comes back. Pure."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from testbed.evidence import Attempt, Evidence
from testbed.model import Address, Outcome, Phase, Scheme
from testbed.predict import datagram
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Ending, LaterFiltered, PacketEnding
from testbed.predict.naming import Resolved, resolve
from testbed.predict.prediction import Prediction, Tried, decided_by, failed
from testbed.predict.steps import Step
from testbed.predict.unresolved import NamespaceNotShown, NotRunning
from testbed.predict.userspace_proxy import connect

_INCONCLUSIVE: Final = frozenset({Disposition.UNKNOWN, Disposition.LEFT})
_NEXT_PHASE: Final = {Scheme.TCP: Phase.CONNECT, Scheme.HTTP: Phase.HTTP, Scheme.HTTPS: Phase.TLS}


@dataclass(frozen=True, slots=True)
class _Result:
    """The part of an ending that whoever connects sees."""

    outcome: Outcome
    phase: Phase
    errno: int | None = None
    text: str = ""

    @classmethod
    def of_datagram(cls, ending: PacketEnding) -> _Result:
        """The part of an ending that the sender of a datagram sees."""
        outcome, number, text = datagram.seen(ending)
        return cls(outcome, Phase.CONNECT, number, text)


#: gai_strerror(3) of glibc.
_OF_NAMES: Final[Mapping[Disposition, _Result]] = MappingProxyType(
    {
        Disposition.NAME_NOT_FOUND: _Result(
            Outcome.NAME_NOT_FOUND,
            Phase.RESOLVE,
            socket.EAI_NONAME,
            f"[Errno {int(socket.EAI_NONAME)}] Name or service not known",
        ),
        Disposition.RESOLVER_FAILED: _Result(
            Outcome.RESOLVER_FAILED,
            Phase.RESOLVE,
            socket.EAI_AGAIN,
            f"[Errno {int(socket.EAI_AGAIN)}] Temporary failure in name resolution",
        ),
    }
)
_NOT_STARTED: Final = _Result(Outcome.INCONCLUSIVE, Phase.RESOLVE)


def predict(evidence: Evidence, attempt: Attempt, answered: tuple[Address, ...] = ()) -> Prediction:
    """Predict how an attempt ends, from the picture alone.

    What a listener says once it has accepted is not in the picture: CONNECTED means that it accepts, and that nothing
    on the way would keep an answer from coming back. A name with several addresses connects if one of them does, and
    fails as the first one does (RFC 8305; Go's dialSerial and glibc's clients report so); where it is not known how
    one of them ends, and none connects for sure, it is not known of the name. Of UDP the first address that is silent
    decides: nobody is told to try the next one.

    :param answered: the addresses that the name really has, where that was seen and is not in the picture
    """
    place = attempt.place
    here = evidence.namespaces.get(place.namespace) if place.namespace is not None else None
    if here is None:
        running = place.container is None or place.container.state == "running"
        return _unresolved(_NOT_STARTED, (NamespaceNotShown if running else NotRunning)(place.name))
    target = attempt.target
    resolved = Resolved(answered) if answered else resolve(evidence, place, here, target.host)
    if resolved.failure is not None:
        result = _OF_NAMES.get(resolved.failure.disposition, _NOT_STARTED)
        return _unresolved(result, resolved.failure, resolved.steps)
    tried = tuple(_tried(evidence, here.key, attempt, address) for address in resolved.addresses)
    return decided_by(_deciding(tried), resolved.steps, tried)


def _unresolved(result: _Result, ending: Ending, steps: tuple[Step, ...] = ()) -> Prediction:
    return Prediction(result.outcome, result.phase, result.errno, result.text, ending, steps=steps)


def _tried(evidence: Evidence, here: str, attempt: Attempt, address: Address) -> Tried:
    target = attempt.target
    ending, steps = connect(evidence, here, attempt.protocol, address, target.port)
    result = _Result.of_datagram(ending) if target.scheme is Scheme.UDP else _result(ending, target.scheme)
    return Tried(address, result.outcome, result.phase, result.errno, result.text, ending, steps)


def _deciding(tried: tuple[Tried, ...]) -> Tried:
    for outcomes in ((Outcome.CONNECTED, Outcome.NO_ANSWER), (Outcome.INCONCLUSIVE,)):
        for one in tried:
            if one.outcome in outcomes:
                return one
    return tried[0]


def _result(ending: PacketEnding, scheme: Scheme) -> _Result:
    if ending.disposition in _INCONCLUSIVE:
        return _Result(Outcome.INCONCLUSIVE, Phase.CONNECT)
    if isinstance(ending, LaterFiltered) and ending.errno is not None:
        outcome, number, text = failed(ending.errno)
        return _Result(outcome, Phase.CONNECT, number, text)
    if isinstance(ending, LaterFiltered) and ending.answer == "tcp-reset" and scheme is not Scheme.TCP:
        return _Result(Outcome.RESET, _NEXT_PHASE[scheme], *failed(errno.ECONNRESET)[1:])
    if ending.disposition in _ONCE_MADE:
        return _once_made(ending.disposition, scheme)
    if ending.back or ending.errno is None:
        return _Result(Outcome.TIMED_OUT, Phase.CONNECT, None, "timed out")
    outcome, number, text = failed(ending.errno)
    return _Result(outcome, Phase.CONNECT, number, text)


#: A connection is made, whatever follows.
_ONCE_MADE: Final = frozenset(
    {Disposition.ACCEPTED, Disposition.HELD, Disposition.RELAY_CLOSES, Disposition.LATER_FILTERED}
)


def _once_made(disposition: Disposition, scheme: Scheme) -> _Result:
    """How it goes on after a connection is made."""
    if disposition is Disposition.ACCEPTED:
        return _Result(Outcome.CONNECTED, Phase.CONNECT if scheme is Scheme.TCP else Phase.HTTP)
    if scheme is Scheme.TCP:
        return _Result(Outcome.CONNECTED, Phase.CONNECT)
    if disposition is Disposition.RELAY_CLOSES:
        # Whether it is closed or reset is a race with what is said meanwhile.
        return _Result(Outcome.CLOSED, _NEXT_PHASE[scheme])
    # The kernel shakes hands for a socket that nobody accepts from (listen(2)), and a firewall may stop what follows.
    return _Result(Outcome.TIMED_OUT, _NEXT_PHASE[scheme], None, "timed out")
