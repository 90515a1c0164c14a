"""Predicting one attempt: resolve the name, send the first packet, and see what comes back. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.evidence import Attempt, Evidence, Protocol
from testbed.model import Address, Outcome, Phase, Scheme
from testbed.predict.disposition import Ending
from testbed.predict.naming import resolve
from testbed.predict.prediction import Disposition, Prediction, failed
from testbed.predict.userspace_proxy import connect

_INCONCLUSIVE: Final = frozenset({Disposition.UNKNOWN, Disposition.LEFT})
#: A connection is made, whatever follows.
_MADE: Final = frozenset({Disposition.ACCEPTED, Disposition.HELD, Disposition.RELAY_CLOSES})
_NEXT_PHASE: Final = {Scheme.TCP: Phase.CONNECT, Scheme.HTTP: Phase.HTTP, Scheme.HTTPS: Phase.TLS}


def predict(evidence: Evidence, attempt: Attempt) -> Prediction:
    """Predict how an attempt over TCP ends, from the picture alone.

    What a listener says once it has accepted is not in the picture: CONNECTED means that it accepts, and that nothing
    on the way would keep an answer from coming back. A name with several addresses connects if one of them does, and
    fails as the first one does (RFC 8305; Go's dialSerial and glibc's clients report so).
    """
    place = attempt.place
    if place.namespace is None or place.namespace not in evidence.namespaces:
        return _nowhere(place.name, running=place.container is None or place.container.state == "running")
    target = attempt.target
    resolved = resolve(evidence, place, target.host)
    if resolved.failure is not None:
        return replace(resolved.failure, steps=resolved.steps)
    ends = []
    for address in resolved.addresses:
        ending, steps = connect(evidence, place.namespace, Protocol.TCP, address, target.port)
        made = _predicted(ending, address, target.scheme)
        ends.append(replace(made, steps=(*resolved.steps, *steps)))
        if made.outcome is Outcome.CONNECTED:
            return ends[-1]
    return ends[0]


def _nowhere(name: str, *, running: bool) -> Prediction:
    why = f"{name} does not run" if not running else f"the network namespace of {name} is not in the picture"
    end = Disposition.UNKNOWN if running else Disposition.NOT_RUNNING
    return Prediction(Outcome.INCONCLUSIVE, Phase.RESOLVE, None, "", why, end=end)


def _predicted(ending: Ending, address: Address, scheme: Scheme) -> Prediction:
    outcome, phase, number, text = _verdict(ending, scheme)
    return Prediction(
        outcome,
        phase,
        number,
        text,
        ending.why,
        address=address,
        end=ending.end,
        namespace=ending.namespace,
        back=ending.back,
        destination=ending.packet.destination,
        source=ending.packet.source if ending.path else None,
        port=ending.packet.destination_port or 0,
        listener=ending.listener,
        rule=ending.by.rule if ending.by else None,
        chain=ending.by.chain if ending.by else None,
        hook=ending.by.hook if ending.by else None,
        link=ending.link,
        path=ending.path,
        path_back=ending.path_back,
    )


def _verdict(ending: Ending, scheme: Scheme) -> tuple[Outcome, Phase, int | None, str]:
    if ending.end in _INCONCLUSIVE:
        return Outcome.INCONCLUSIVE, Phase.CONNECT, None, ""
    if ending.end in _MADE:
        return _once_made(ending, scheme)
    if ending.back or ending.errno is None:
        return Outcome.TIMED_OUT, Phase.CONNECT, None, "timed out"
    outcome, number, text = failed(ending.errno)
    return outcome, Phase.CONNECT, number, text


def _once_made(ending: Ending, scheme: Scheme) -> tuple[Outcome, Phase, int | None, str]:
    """How it goes on after a connection is made."""
    if ending.end is Disposition.ACCEPTED:
        return Outcome.CONNECTED, Phase.CONNECT if scheme is Scheme.TCP else Phase.HTTP, None, ""
    if scheme is Scheme.TCP:
        return Outcome.CONNECTED, Phase.CONNECT, None, ""
    if ending.end is Disposition.RELAY_CLOSES:
        # Whether it is closed or reset is a race with what is said meanwhile.
        return Outcome.CLOSED, _NEXT_PHASE[scheme], None, ""
    # The kernel shakes hands for a socket that nobody accepts from (listen(2)).
    return Outcome.TIMED_OUT, _NEXT_PHASE[scheme], None, "timed out"
