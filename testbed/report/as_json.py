"""A report as JSON: one object, keys as in ``testbed run --help``."""

from __future__ import annotations

import json
from typing import Any

from testbed import bind
from testbed.model import Observation
from testbed.results import Cell, Report, Step


def report(value: Report) -> str:
    """The whole report as one JSON object."""
    return json.dumps(
        {
            "scenario": value.scenario,
            "ok": value.ok,
            "seconds": round(value.seconds, 3),
            "ready_seconds": round(value.ready_seconds, 3),
            "steps": [_step(step) for step in value.steps],
            "cells": [_cell(cell) for cell in value.cells],
            "holes": value.holes,
        },
        indent=1,  # and ASCII only: the words of others may hold what a terminal obeys
    )


def observation(seen: Observation) -> dict[str, Any]:
    """One observation."""
    return {
        "vantage": seen.vantage,
        "target": seen.target,
        "outcome": str(seen.outcome),
        "errno": seen.errno,
        "text": seen.text,
        "phase": str(seen.phase),
        "seconds": round(seen.seconds, 6),
        "command": seen.command,
        "answer": None
        if seen.answer is None
        else {"peer": seen.answer.peer, "status": seen.answer.status, "server": seen.answer.server},
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "title": step.title,
        "ok": step.ok,
        "expected": step.expected,
        "observed": observation(step.observed),
        "remark": step.remark,
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
