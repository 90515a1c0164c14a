"""An explanation for people, and for machines."""

from __future__ import annotations

import json
from typing import Final

from rich.console import Console
from rich.padding import Padding

from testbed.explain.explanation import Conclusion, Cure, Explanation, Row
from testbed.predict.wording import text
from testbed.report.as_json import observation
from testbed.report.console import plain
from testbed.report.prediction import prediction

#: Of what :func:`as_json` returns: raised whenever a key goes, or means something else.
VERSION: Final = 1
_MARKS: Final = {Conclusion.CONNECTS: "✓", Conclusion.EXPLAINED: "✗", Conclusion.CANNOT_TELL: "?"}
_STYLES: Final = {
    Conclusion.CONNECTS: "bold green",
    Conclusion.EXPLAINED: "bold red",
    Conclusion.CANNOT_TELL: "bold yellow",
}


def show(console: Console, told: Explanation, *, walk: bool = False) -> None:
    """The sentence first; then what it rests on, what helps, and what misleads.

    :param walk: whether to show the predicted walk too, step by step
    """
    console.print(plain(f"{_MARKS[told.verdict]} {told.sentence}", _STYLES[told.verdict]), soft_wrap=False)
    seen = told.observation
    if seen is not None and told.verdict is not Conclusion.CONNECTS:
        _under(console, f"seen: {seen.outcome}, {seen.phase}{f', {seen.text}' if seen.text else ''}", "dim")
    _section(console, "because", list(dict.fromkeys(_row(row) for row in told.rows)))
    if told.diagnosis is not None:
        _cures(console, "cures, the one to prefer first", told.diagnosis.cures)
    for other in told.alternatives:
        _cures(console, f"cures, if {other.meant}" if other.meant else "cures", other.cures)
    if told.decide:
        _section(console, "what would decide it", [told.decide])
    _section(console, "beware", list(told.warnings))
    if walk and told.prediction is not None:
        steps = [f"{'← ' if s.back else '→ '}{s.namespace.label}: {text(s)}" for s in told.prediction.steps]
        _section(console, "the way", [*steps, told.prediction.why])
    if told.cause is not None:
        console.print(plain(f"   cause: {told.cause}", "dim"))


def _row(row: Row) -> str:
    return f"{row.where}: {row.text}" if row.where else row.text


def _cures(console: Console, title: str, cures: tuple[Cure, ...]) -> None:
    if not cures:
        return
    console.print(plain(f"   {title}"))
    for number, cure in enumerate(cures, 1):
        console.print(Padding(plain(f"{number}. {cure.text}", "bold"), (0, 0, 0, 5), expand=False))
        for line in cure.command.splitlines():
            # Never folded: a command is to be copied from one line, however long.
            console.print(plain(f"          {line}"), soft_wrap=True)
        if cure.exposes:
            console.print(Padding(plain(f"exposes: {cure.exposes}", "dim"), (0, 0, 0, 8), expand=False))


def _section(console: Console, title: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(plain(f"   {title}"))
    for line in lines:
        _under(console, line)


def _under(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(plain(text, style), (0, 0, 0, 5), expand=False))


def as_json(told: Explanation, not_seen: tuple[str, ...] = ()) -> str:
    """One object: ``version``, ``verdict``, ``cause``, ``sentence``, ``evidence``, ``cures``, ``warnings``, ``decide``,
    what was ``predicted`` (:mod:`testbed.report.prediction`) and ``observed``, and ``not_seen``.

    :param not_seen: a sentence for each part of the picture that could not be taken
    """
    found = told.diagnosis
    return json.dumps(
        {
            "version": VERSION,
            "verdict": told.verdict,
            "cause": told.cause,
            "sentence": told.sentence,
            "evidence": [_row_json(row) for row in told.rows],
            "cures": [_cure_json(cure) for cure in found.cures] if found else [],
            "alternatives": [
                {
                    "cause": other.cause,
                    "sentence": other.sentence,
                    "meant": other.meant,
                    "evidence": [_row_json(row) for row in other.rows],
                    "cures": [_cure_json(cure) for cure in other.cures],
                }
                for other in told.alternatives
            ],
            "warnings": list(told.warnings),
            "decide": told.decide,
            "predicted": prediction(told.prediction) if told.prediction else None,
            "observed": observation(told.observation) if told.observation else None,
            "not_seen": list(not_seen),
        },
        indent=1,
        ensure_ascii=True,
    )


def _row_json(row: Row) -> dict[str, str]:
    return {"what": row.what, "where": row.where, "text": row.text}


def _cure_json(cure: Cure) -> dict[str, str]:
    return {"text": cure.text, "command": cure.command, "exposes": cure.exposes}
