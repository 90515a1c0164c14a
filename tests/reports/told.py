"""What is said of a report that was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from testbed.diagnose import Told
from testbed.explain.explanation import Conclusion, Cure, Diagnosis, Explanation
from tests.reports.deeds import perform
from tests.reports.report import Attempt, Cured, Report
from tests.reports.site import Site

#: An explanation knows itself that a neighbour who does not answer is given up after three seconds (arp(7)).
_SECONDS: Final = 1.0


def ask(site: Site, report: Report) -> Told:
    """Explain it: the attempt, or the words that were pasted."""
    if report.pasted:
        return site.why_pasted(report.pasted, report.attempt.place)
    return site.why(report.attempt.place, report.attempt.target, seconds=_SECONDS)


def conclusion(report: Report) -> Conclusion:
    """What has to be known in the end."""
    if report.connects:
        return Conclusion.CONNECTS
    return Conclusion.EXPLAINED if report.causes else Conclusion.CANNOT_TELL


def diagnoses(told: Explanation) -> tuple[Diagnosis, ...]:
    """The cause that is claimed, or those of which only what was meant tells one."""
    return (told.diagnosis,) if told.diagnosis else told.alternatives


def cures(told: Explanation) -> tuple[Cure, ...]:
    """The cures that are printed, in their order."""
    return tuple(cure for diagnosis in diagnoses(told) for cure in diagnosis.cures)


def matching(printed: Cure, report: Report) -> Cured | None:
    """The right cure that a printed one is; None where it is none of the report's."""
    text = f"{printed.text} {printed.command}"
    return next((cured for cured in report.cures if not missing(cured.says, text)), None)


def apply(site: Site, report: Report, told: Told, printed: Cure, cured: Cured | None) -> Attempt:
    """Do what a printed cure says, and what the report knows of it where it has no change of the picture.

    :returns: what connects then
    :raises CommandError: a command failed
    """
    if printed.changes:
        perform(site, told.evidence, printed)
    elif printed.target is None and cured is not None:
        for step in cured.by:
            step.do(site)
    if printed.target is not None:
        return Attempt(report.attempt.place, str(printed.target))
    return report.attempt if printed.changes or cured is None else cured.again or report.attempt


def missing(words: Iterable[str], text: str) -> list[str]:
    """The words that a text has not, whether in capitals or not."""
    return [word for word in words if word.casefold() not in text.casefold()]


def stated(told: Explanation) -> str:
    """What is said: the sentence, what would decide, and the warnings."""
    own = [warning for diagnosis in diagnoses(told) for warning in diagnosis.warnings]
    return "\n".join(dict.fromkeys((told.sentence, told.decide, *told.warnings, *own)))


def whole(told: Explanation) -> str:
    """All that is printed, the evidence and the cures too."""
    return "\n".join((stated(told), *_printed(told)))


def _printed(told: Explanation) -> Iterator[str]:
    for diagnosis in diagnoses(told):
        yield str(diagnosis.cause)
        for row in diagnosis.rows:
            yield f"{row.what} {row.where}: {row.text}"
        for cure in diagnosis.cures:
            yield f"{cure.text} {cure.command} {cure.exposes}"
