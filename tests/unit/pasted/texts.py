"""What a row of the table's tests is, and how it is held against what was read."""

from __future__ import annotations

from typing import NamedTuple

from testbed.explain.client_texts.said import CONNECT_OUTCOMES, Client
from testbed.explain.pasted import read
from testbed.model import Outcome

REFUSED = {Outcome.REFUSED}
TIMED_OUT = {Outcome.TIMED_OUT}
NO_HOST = {Outcome.HOST_UNREACHABLE}
NO_NETWORK = {Outcome.NETWORK_UNREACHABLE}
NO_NAME = {Outcome.NAME_NOT_FOUND}
NO_RESOLVER = {Outcome.RESOLVER_FAILED}
RESET = {Outcome.RESET}
CLOSED = {Outcome.CLOSED}
TLS = {Outcome.TLS_FAILED}
UNRESOLVED = NO_NAME | NO_RESOLVER
LOST = CLOSED | RESET
UNCONNECTED = {*CONNECT_OUTCOMES, Outcome.TIMED_OUT}
UNREACHED = UNCONNECTED | UNRESOLVED | LOST


class Said(NamedTuple):
    """A text, and what it says: host, address and port are None where it has none."""

    text: str
    client: Client
    outcomes: set[Outcome]
    host: str | None = None
    port: int | None = None
    address: str | None = None


def name(row: Said) -> str:
    """The beginning of a text, for the test's id."""
    return row.text[:60]


def found(text: str) -> Said:
    """What is read from a text, as a row. An address that stands in the host's place is the address too."""
    said = read(text)
    host = said.target.host if said.target else said.name or None
    address = str(said.address) if said.address else None
    outcomes = set(said.possible or (said.outcome,))
    return Said(text, said.client, outcomes, host if host != address else None, said.port, address)
