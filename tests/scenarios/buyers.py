"""Buyers at Jack's: one attempt and what became of it, and one who insists until he has a definite answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from testbed.errors import HostError
from testbed.namespaces import NetworkNamespace
from testbed.scenarios.toaster.deeds import ask, write
from testbed.scenarios.toaster.lab import ToasterLab

#: What says that the order is in the books; what says that it is not, and never will be.
CONFIRMED: Final = frozenset({"201", "200"})
REFUSED: Final = frozenset({"409", "422", "400"})
_PAUSE: Final = 0.02
_PATIENCE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request, and its end."""

    key: str
    outcome: str
    """The answer's status; or the exception's class where there was none."""
    began: float
    ended: float
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int | None:
        """The order's number, of one that is confirmed."""
        return int(self.body["order"]) if self.outcome in CONFIRMED else None


def note(key: str, *, customer: str = "Jack") -> bytes:
    """The order of one toaster, under a key."""
    return request(key, json.dumps({"item": "toaster", "customer": customer}))


def request(key: str | None, body: str) -> bytes:
    """What is sent to where orders are taken, whatever it says."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return write("POST", "/api/orders", headers=headers, body=body.encode())


def attempt(here: NetworkNamespace, key: str, *, sent: bytes | None = None) -> Attempt:
    """Order once."""
    began = time.monotonic()
    try:
        answer = ask(here, sent or note(key))
    except HostError as exc:
        return Attempt(key, type(exc.__cause__).__name__, began, time.monotonic())
    return Attempt(key, str(answer.status), began, time.monotonic(), answer.body)


def insist(here: NetworkNamespace, key: str) -> tuple[Attempt, ...]:
    """Order again with the same key until it is confirmed or refused; all attempts, that one last.

    :raises AssertionError: nothing definite came within 20 s
    """
    attempts: list[Attempt] = []
    deadline = time.monotonic() + _PATIENCE
    while not attempts or attempts[-1].outcome not in CONFIRMED | REFUSED:
        assert time.monotonic() < deadline, f"{key} is not settled: {[one.outcome for one in attempts]}"
        if attempts:
            time.sleep(_PAUSE)  # a person who clicks again; nothing here can be waited for
        attempts.append(attempt(here, key))
    return tuple(attempts)


def all_at_once(here: NetworkNamespace, keys: list[str]) -> tuple[Attempt, ...]:
    """A buyer for each key, all of them side by side; how it ended for each, in the order of the keys."""
    with ThreadPoolExecutor(len(keys), thread_name_prefix="buyer") as pool:
        return tuple(attempts[-1] for attempts in pool.map(lambda key: insist(here, key), keys))


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger has."""

    left: int
    numbers: Mapping[str, int]
    """Each order's number by its key."""


def books(lab: ToasterLab) -> Books:
    """Read the ledger, in one transaction.

    :raises EngineError: it does not answer
    """
    rows = lab.ledger.sql(
        "SELECT 'left', remaining FROM inventory UNION ALL (SELECT key, number FROM orders ORDER BY number)"
    )
    (_, left), *orders = rows
    return Books(int(left), {key: int(number) for key, number in orders})
