"""A prediction as JSON values: what decides in words, and the typed details that the words are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import singledispatch
from typing import Any

from testbed.evidence import Container, Link, Listener, Namespace, PolicyRule, Route
from testbed.predict import Prediction, Step, wording
from testbed.predict.ending import Ending, Trail, Verdict
from testbed.predict.packet import Packet
from testbed.predict.routing import Chosen
from testbed.predict.segment import Station
from testbed.predict.unknown import Unknown


def prediction(predicted: Prediction) -> dict[str, Any]:
    """One prediction, by the keys that docs/json.md has for ``predicted``."""
    return {
        "outcome": predicted.outcome,
        "phase": predicted.phase,
        "errno": predicted.errno,
        "end": predicted.disposition,
        "why": predicted.why,
        "ending": detail(predicted.ending),
        "steps": [_step(step) for step in predicted.steps],
        "address": detail(predicted.address),
        "tried": [
            {
                "address": str(one.address),
                "outcome": one.outcome,
                "phase": one.phase,
                "errno": one.errno,
                "end": one.ending.disposition,
                "why": wording.why(one.ending),
            }
            for one in predicted.tried
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "namespace": step.namespace.key,
        "where": step.namespace.label,
        "text": wording.text(step),
        "row": wording.row(step),
        "back": step.back,
        "detail": _fields(step, without=("namespace", "back")),
    }


def _fields(value: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    return {each.name: detail(getattr(value, each.name)) for each in fields(value) if each.name not in without}


@singledispatch
def detail(value: Any) -> Any:
    """One value of a step or an ending, as JSON has it: a dataclass by its fields, what is no value of JSON as text."""
    if is_dataclass(value):
        return _fields(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


@detail.register(tuple)
def _(value: tuple[Any, ...]) -> list[Any]:
    return [detail(each) for each in value]


@detail.register
def _(value: Ending) -> dict[str, Any]:
    return {"end": value.disposition, **_fields(value, without=("trail", "reason")), **_reason(value), **_trail(value)}


def _reason(value: Ending) -> Mapping[str, Any]:
    """Why the end is not known: the name of what is not modelled, and its details."""
    if not isinstance(value, Unknown):
        return {}
    return {"reason": type(value.reason).__name__, "detail": detail(value.reason)}


def _trail(value: Ending) -> Mapping[str, Any]:
    trail = getattr(value, "trail", None)
    if not isinstance(trail, Trail):
        return {}
    return {"where": trail.namespace.label, **_fields(trail)}


@detail.register
def _(value: Namespace) -> str:
    return value.key


@detail.register
def _(value: Link) -> str:
    return value.name


@detail.register
def _(value: Container) -> str:
    return value.name


@detail.register
def _(value: Verdict) -> dict[str, Any]:
    chain, rule = value.chain, value.rule
    return {
        "hook": value.hook,
        "backend": chain.backend,
        "family": chain.family,
        "table": chain.table,
        "chain": chain.name,
        "rule": rule.text if rule else None,
    }


@detail.register
def _(value: Listener) -> dict[str, Any]:
    process = value.process
    return {
        "protocol": value.protocol,
        "address": str(value.address),
        "port": value.port,
        "process": process.name if process else None,
        "pid": process.pid if process else None,
    }


@detail.register
def _(value: Packet) -> dict[str, Any]:
    return {
        "protocol": value.protocol,
        "source": str(value.source),
        "source_port": value.source_port,
        "destination": str(value.destination),
        "destination_port": value.destination_port,
    }


@detail.register
def _(value: Chosen) -> dict[str, Any]:
    return {
        "kind": value.kind,
        "route": wording.route_row(value),
        "link": value.link.name if value.link else None,
        "hop": detail(value.hop),
    }


@detail.register
def _(value: Route) -> dict[str, Any]:
    return {"table": value.table, "kind": value.kind, "destination": str(value.destination)}


@detail.register
def _(value: PolicyRule) -> dict[str, Any]:
    return {"priority": value.priority, "action": value.action}


@detail.register
def _(value: Station) -> dict[str, Any]:
    return {
        "namespace": value.namespace.key,
        "link": value.link.name,
        "mac": value.link.mac,
        "bridges": [{"namespace": b.namespace.key, "link": b.bridge.name} for b in value.bridges],
    }
