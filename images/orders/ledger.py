"""The shop's books: one transaction for each order, and a connection for each transaction.

A connection costs some milliseconds that a pool would save, and a pool hands out connections to a ledger that has been
restarted meanwhile: an order that failed for that reason is worth more than the milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_PASSWORD = Path("/run/secrets/ledger-password")
#: Each of them less than nginx waits for an answer (proxy_read_timeout). What it gives up on may be done after all: who
#: asks again with the same key learns which.
_CONNECT_SECONDS = 1
_STATEMENT_MILLISECONDS = 1000
#: Frozen with the inventory's row in its hands this service would shut the shop: the ledger takes the row back.
_IDLE_MILLISECONDS = 1000
#: What psycopg calls a ledger that went away, that is going, or that would wait no longer (SQLSTATE 25P03).
_GONE = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout)


class LedgerError(Exception):
    """The ledger cannot be reached, or did not take it: nothing was written."""


class UnknownError(LedgerError):
    """The ledger went away while it was told to keep it: it may have."""


class SoldOutError(Exception):
    """None is left."""


class OtherOrderError(Exception):
    """The key is that of another order."""


@dataclass(frozen=True)
class Wanted:
    """An order as a customer places it."""

    key: str
    """His own name for it: the same key is the same order, however often it comes."""
    item: str
    customer: str
    client: str
    """The address that he came from."""


@dataclass(frozen=True)
class Taken:
    """An order in the books."""

    number: int
    new: bool
    """Whether it was not in them before."""


def remaining(item: str) -> int | None:
    """How many are left; None for what the shop does not have.

    :raises LedgerError: the ledger does not say
    """
    with _ledger() as books:
        row = books.execute("SELECT remaining FROM inventory WHERE item = %s", (item,)).fetchone()
        return None if row is None else int(row[0])


def take(wanted: Wanted) -> Taken:
    """Debit one and write the order down, both or neither; once for each key.

    :raises SoldOutError: none is left
    :raises OtherOrderError: the key is in the books for another item or customer
    :raises LedgerError: nothing was written
    :raises UnknownError: whether it was is not known
    """
    with _ledger() as books:
        if known := _known(books, wanted):
            return known
        # Two clicks with one key: the second one waits here for the first one's end (INSERT, ON CONFLICT).
        row = books.execute(
            "INSERT INTO orders (key, item, customer, client, cents)"
            " SELECT %s, item, %s, %s, cents FROM inventory WHERE item = %s"
            " ON CONFLICT (key) DO NOTHING RETURNING number",
            (wanted.key, wanted.customer, wanted.client, wanted.item),
        ).fetchone()
        if row is None:
            known = _known(books, wanted)
            if known is None:
                raise LedgerError("an order with this key was being taken, and was not")
            return known
        # The row is locked from here on, so that of two who want the last one the second sees that it is gone.
        debited = books.execute(
            "UPDATE inventory SET remaining = remaining - 1 WHERE item = %s AND remaining > 0", (wanted.item,)
        )
        if debited.rowcount == 0:
            raise SoldOutError(wanted.item)
        try:
            books.commit()
        except _GONE as exc:
            raise UnknownError(_line(exc)) from exc
        return Taken(int(row[0]), new=True)


def _known(books: psycopg.Connection[tuple[object, ...]], wanted: Wanted) -> Taken | None:
    row = books.execute("SELECT number, item, customer FROM orders WHERE key = %s", (wanted.key,)).fetchone()
    if row is None:
        return None
    number, item, customer = row
    if (item, customer) != (wanted.item, wanted.customer):
        raise OtherOrderError(wanted.key)
    return Taken(int(str(number)), new=False)


@contextmanager
def _ledger() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection; what was done on it is rolled back when something is raised, whatever that takes (psycopg)."""
    try:
        with psycopg.connect(
            host="ledger",
            dbname="postgres",
            user="orders",
            password=_PASSWORD.read_text(encoding="ascii").strip(),
            connect_timeout=_CONNECT_SECONDS,
            options=f"-c statement_timeout={_STATEMENT_MILLISECONDS}"
            f" -c idle_in_transaction_session_timeout={_IDLE_MILLISECONDS}",
        ) as books:
            yield books
    except _GONE as exc:
        raise LedgerError(_line(exc)) from exc


def _line(exc: Exception) -> str:
    return " ".join(str(exc).split())
