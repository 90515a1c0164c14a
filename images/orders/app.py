"""The shop's backend: HTTP in front of the ledger. Only the frontend may ask."""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import access
import ledger
from flask import Flask, request

_ITEM = "toaster"
_TOKEN = Path("/run/secrets/orders-token").read_text(encoding="ascii").strip()
_FRONTEND = os.environ["ORDERS_FRONTEND"]
#: Of one's own choosing, and short (draft-ietf-httpapi-idempotency-key-header).
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_MOST = 100
_CONFIRMED = "Order confirmed. Your toaster is on its way. Thank you for shopping with us."
_AGAIN = "the same order is never taken twice: try again"

app = Flask(__name__)


_Refusal = tuple[dict[str, str], int, dict[str, str]]


def _error(status: int, text: str) -> _Refusal:
    # RFC 9110, 15.5.2: with a 401 comes what would be asked for.
    return {"error": text}, status, {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}


@app.before_request
def only_the_frontend() -> _Refusal | None:
    """Turn everybody else away; the health check is asked from within."""
    peer = request.remote_addr or ""
    if request.path == "/healthy" and peer == "127.0.0.1":
        return None
    refused = access.refusal(peer, request.headers.get("Authorization", ""), frontend=_FRONTEND, token=_TOKEN)
    return None if refused is None else _error(refused.status, refused.error)


@app.get("/healthy")
def healthy() -> tuple[str, int]:
    """That it runs; whether the ledger does is the ledger's own to say."""
    return "", 204


@app.get("/api/stock")
def stock() -> tuple[dict[str, Any], int]:
    """How many are left."""
    return {"item": _ITEM, "left": ledger.remaining(_ITEM)}, 200


@app.get("/api/who")
def who() -> tuple[dict[str, Any], int]:
    """Whom this service sees, and what it is told about whoever is behind him."""
    return {
        "peer": request.remote_addr,
        "peer_port": int(request.environ["REMOTE_PORT"]),
        "protocol": request.environ["SERVER_PROTOCOL"],
        "forwarded_for": request.headers.get("X-Forwarded-For"),
        "headers": {name: value for name, value in request.headers if name != "Authorization"},
    }, 200


@app.post("/api/orders")
def order() -> tuple[dict[str, Any], int] | _Refusal:
    """Take an order: 201, or 200 where this key was taken before."""
    said = request.get_json(silent=True)
    said = said if isinstance(said, dict) else {}
    key, customer = request.headers.get("Idempotency-Key", ""), said.get("customer")
    if not _KEY.fullmatch(key):
        return _error(400, "an order needs an Idempotency-Key of 8 to 64 letters, digits, - and _")
    if said.get("item") != _ITEM or not isinstance(customer, str) or not _is_name(customer):
        return _error(400, f'an order is {{"item": "{_ITEM}", "customer": NAME}}')
    client = request.headers.get("X-Forwarded-For", "")
    taken = ledger.take(ledger.Wanted(key, _ITEM, customer, client))
    return {"order": taken.number, "item": _ITEM, "message": _CONFIRMED}, 201 if taken.new else 200


def _is_name(text: str) -> bool:
    """Short, and nothing in it that no ledger takes: NUL, or half of a UTF-16 pair (JSON has both, as escapes)."""
    return 0 < len(text) <= _MOST and text.isprintable()


@app.errorhandler(ledger.SoldOutError)
def sold_out(_: Exception) -> _Refusal:
    """A clear no (RFC 9110, 15.5.10)."""
    return _error(409, "sold out: nothing was ordered and nothing was charged")


@app.errorhandler(ledger.OtherOrderError)
def other_order(_: Exception) -> _Refusal:
    """A key that is taken (draft-ietf-httpapi-idempotency-key-header, 2.7)."""
    return _error(422, "this Idempotency-Key is that of another order")


@app.errorhandler(ledger.LedgerError)
def no_ledger(exc: Exception) -> _Refusal:
    """Not now (RFC 9110, 15.6.4); the log has what the ledger's client said."""
    app.logger.error("ledger: %s", exc)
    if isinstance(exc, ledger.UnknownError):
        return _error(503, f"the ledger went away while it wrote; {_AGAIN}")
    return _error(503, f"the ledger cannot be reached: nothing was ordered and nothing was charged; {_AGAIN}")
