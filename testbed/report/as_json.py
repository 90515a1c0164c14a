"""A report of a run as JSON: one object, whose keys docs/json.md has. Every scenario's report is of this shape."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any, Final

from testbed import bind
from testbed.model import Observation
from testbed.results import Cell, Check, Report

#: Raised whenever a key goes, or means something else; keys may be added without.
VERSION: Final = 1


def report(value: Report) -> str:
    """Return the whole report as one JSON object; without a matrix ``cells`` is empty."""
    return json.dumps(
        {
            "version": VERSION,
            "scenario": value.scenario,
            "options": dict(value.options),
            "ok": value.ok,
            "seconds": round(value.seconds, 3),
            "ready_seconds": round(value.ready_seconds, 3),
            "scenes": [
                {
                    "title": scene.title,
                    "ok": scene.ok,
                    "picture": list(scene.picture),
                    "checks": [_check(check) for check in scene.checks],
                    "remark": scene.remark,
                }
                for scene in value.scenes
            ],
            "cells": [_cell(cell) for cell in value.matrix.cells] if value.matrix else [],
            "holes": value.matrix.holes if value.matrix else 0,
        },
        indent=1,  # and ASCII only: the words of others may hold what a terminal obeys
    )


def observation(seen: Observation) -> dict[str, Any]:
    """Return one observation as an object of JSON."""
    return {
        "vantage": seen.vantage,
        "target": seen.target,
        "outcome": str(seen.outcome),
        "errno": seen.errno,
        "text": seen.text,
        "phase": str(seen.phase),
        "seconds": round(seen.seconds, 6),
        "command": seen.command,
        "peer": None if seen.peer is None else str(seen.peer),
        "answer": None
        if seen.answer is None
        else {"peer": seen.answer.peer, "status": seen.answer.status, "server": seen.answer.server},
        "handshake": None if seen.handshake is None else _plain(dataclasses.asdict(seen.handshake)),
        "sockets": [dataclasses.asdict(one) for one in seen.sockets],
        "unverified": None if seen.unverified is None else observation(seen.unverified),
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it: points in time as RFC 3339 writes them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _check(check: Check) -> dict[str, Any]:
    return {
        "text": check.text,
        "ok": check.ok,
        "seen": check.seen,
        "expected": check.expected,
        "observed": None if check.observed is None else observation(check.observed),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "vantage": cell.vantage,
        "bind": bind.text(cell.bind),
        "target": cell.target,
        "ok": cell.ok,
        "expected": {
            "outcome": str(cell.expected.outcome),
            "errno": cell.expected.errno,
            "text": cell.expected.text,
            "phase": str(cell.expected.phase),
            "why": cell.expected.why,
        },
        "observed": observation(cell.observed),
        "control": None if cell.control is None else observation(cell.control),
        "client": None
        if cell.client is None
        else {"expected": cell.client.expected, "observed": observation(cell.client.observed), "ok": cell.client.ok},
    }
