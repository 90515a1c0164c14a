"""Every statement of an explanation, checked against the picture that it is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from testbed.change import apply_all
from testbed.evidence import Evidence
from testbed.explain.explanation import Explanation
from truth.advice import is_advice
from truth.prose import PROSE
from truth.shown import ROWS
from truth.stated import Pattern, Reading, Statement, statements


class Judgement(StrEnum):
    """What is known of a sentence."""

    TRUE = "true"
    FALSE = "false"
    ADVICE = "no fact of the picture"
    UNREAD = "not checked"


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence, and what the picture says of it."""

    statement: Statement
    text: str
    judgement: Judgement


#: The ends of sentences, and of what is joined to one.
_ENDS: Final = re.compile(r"(?<=\.) (?=[A-Z0-9[])|; and then: | Or: |(?<=run) or (?=the program)")
#: What is said of the world after the first change: not of this picture.
_LATER: Final = "once it is mended, "


def judged(evidence: Evidence, told: Explanation, place: str) -> Iterator[Judged]:
    """Check all that an explanation states.

    :param evidence: the picture that it is about
    :param place: the name of the place of the attempt
    """
    for statement in statements(told, place):
        if statement.what.startswith("row "):
            yield Judged(statement, statement.text, _of_row(evidence, statement))
        else:
            yield from _of_text(evidence, statement, tuple(_pictures(evidence, told)))


def _pictures(evidence: Evidence, told: Explanation) -> Iterator[Evidence]:
    """The pictures that the first changes of cures make: what is said of a second cause is said of one of them."""
    causes = (told.diagnosis,) if told.diagnosis else told.alternatives
    for cure in (cure for one in causes for cure in one.cures):
        for number in range(1, len(cure.changes)):
            yield apply_all(cure.changes[:number], evidence)


def _of_text(evidence: Evidence, statement: Statement, later: tuple[Evidence, ...]) -> Iterator[Judged]:
    readings = [Reading(evidence, statement.where)]
    further = [Reading(picture, statement.where) for picture in later]
    for number, text in enumerate(_ENDS.split(statement.text)):
        if _LATER in text or (number and statement.what == "cure"):
            readings += further
            further = []
        judgements = [_of_prose(read, text) for read in readings]
        found = Judgement.TRUE if Judgement.TRUE in judgements else judgements[0]
        yield Judged(statement, text, found)


def _of_row(evidence: Evidence, statement: Statement) -> Judgement:
    read = Reading(evidence, statement.where)
    if statement.what in _OF_THE_CLIENT:
        return Judgement.ADVICE
    found = [
        (one, match) for one in ROWS.get(statement.what, ()) for match in [one.text.fullmatch(statement.text)] if match
    ]
    if not found:
        return Judgement.UNREAD
    return Judgement.TRUE if any(_holds(read, one, match) for one, match in found) else Judgement.FALSE


#: Rows of what was seen or said, which no picture has.
_OF_THE_CLIENT: Final = ("row observed", "row said", "row answer", "row certificate", "row predicted")


def _of_prose(read: Reading, text: str) -> Judgement:
    found = sorted(
        ((match.start(), number, one, match) for number, one in enumerate(PROSE) for match in one.text.finditer(text)),
        key=lambda each: each[:2],
    )
    if not found:
        return Judgement.ADVICE if is_advice(text) else Judgement.UNREAD
    holds = [_holds(read, one, match) for _, _, one, match in found]
    return Judgement.TRUE if all(holds) else Judgement.FALSE


def _holds(read: Reading, one: Pattern, match: re.Match[str]) -> bool:
    read.of = {**match.groupdict(), "all": match.string}
    return one.check(read)
