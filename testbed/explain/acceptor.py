"""Whoever accepted a connection that failed afterwards: how it is said, what shows it, and where its log is. Pure."""

from __future__ import annotations

from testbed.explain.case import Case, at, holder
from testbed.explain.explanation import Row
from testbed.explain.rows import listener_row
from testbed.model import Observation


def who(case: Case) -> str:
    """The one who accepted, and where."""
    listener, here = case.prediction.listener, case.end
    if listener is None or here is None:
        return f"whoever listens at {case.said}"
    return f"{holder(listener)} of {here.label}, listening on {at(listener.address, listener.port)},"


def rows(case: Case, seen: Observation) -> tuple[Row, ...]:
    """The listener, as far as it is known, and the words of the client."""
    said = Row("observed", case.place.name, f"{seen.phase}: {seen.text or seen.outcome}")
    listener, here = case.prediction.listener, case.end
    return (listener_row(here, listener), said) if listener is not None and here is not None else (said,)


def log(case: Case) -> str:
    """Where the program that accepted says what it does, as a part of a sentence."""
    listener = case.prediction.listener
    container = listener.process.container if listener is not None and listener.process is not None else None
    if container is None and case.end is not None and not case.is_host(case.end.key):
        container = next((c.name for c in case.containers_in(case.end.key)), None)
    return f"its log (podman logs {container})" if container else "its log"
