"""What is said of a report that was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from testbed.explain.explanation import Cure, Explanation
from tests.reports.report import Cured, Report
from tests.reports.site import Site

#: An explanation knows itself that a neighbour who does not answer is given up after three seconds (arp(7)).
_SECONDS: Final = 1.5


def ask(site: Site, report: Report) -> Explanation:
    """Explain it: the attempt, or the words that were pasted."""
    if report.pasted:
        return site.why_pasted(report.pasted, report.attempt.place).explanation
    return site.why(report.attempt.place, report.attempt.target, seconds=_SECONDS).explanation


def cures(told: Explanation) -> tuple[Cure, ...]:
    """The cures that are printed, in their order."""
    return told.diagnosis.cures if told.diagnosis else ()


def first_cure(told: Explanation, report: Report) -> tuple[Cure, Cured]:
    """The cure that is printed first, and the one of the report that it is.

    :raises AssertionError: none is printed, or it is none of the report's
    """
    printed = cures(told)
    assert printed, "no cure is printed"
    text = f"{printed[0].text} {printed[0].command}"
    found = [cured for cured in report.cures if not missing(cured.says, text)]
    assert found, f"the first cure is none that is right: {text}"
    return printed[0], found[0]


def missing(words: Iterable[str], text: str) -> list[str]:
    """The words that a text has not, whether in capitals or not."""
    return [word for word in words if word.casefold() not in text.casefold()]


def stated(told: Explanation) -> str:
    """What is said: the sentence, what would decide, and the warnings."""
    own = told.diagnosis.warnings if told.diagnosis else ()
    return "\n".join((told.sentence, told.decide, *told.warnings, *own))


def whole(told: Explanation) -> str:
    """All that is printed, the evidence and the cures too."""
    return "\n".join((stated(told), *_printed(told)))


def _printed(told: Explanation) -> Iterator[str]:
    if told.diagnosis is None:
        return
    yield str(told.diagnosis.cause)
    for row in told.diagnosis.rows:
        yield f"{row.what} {row.where}: {row.text}"
    for cure in told.diagnosis.cures:
        yield f"{cure.text} {cure.command} {cure.exposes}"
