"""The reports of tests/reports as values: none is without what shows that its site is the one that was reported."""

from __future__ import annotations

import re
from typing import Final

from testbed.model import Target
from tests.reports.collected import reports

REPORTS: Final = reports()
#: A repository and a number, without an address: pages move, numbers stay.
REFERENCE: Final = re.compile(r"[\w.-]+#\d+")


def test_a_report_has_one_end() -> None:
    """It connects, or has causes, or several of which none is claimed, or nobody can tell; only causes have cures."""
    for report in REPORTS.values():
        assert [report.connects, bool(report.causes), bool(report.either)].count(True) <= 1
        assert report.causes or report.either or not report.cures


def test_a_failure_is_worth_something_beside_a_live_listener() -> None:
    """A site where something fails has an attempt that connects, before a cure or after one."""
    without = [
        name
        for name, report in REPORTS.items()
        if not report.connects and not report.alive and not any(cure.by or cure.again for cure in report.cures)
    ]
    assert without == []


def test_a_reports_targets_can_be_tried() -> None:
    """Each is a URL or host:port."""
    for report in REPORTS.values():
        for attempt in (report.attempt, *report.alive, *report.closed):
            Target.parse(attempt.target)


def test_a_public_report_can_be_looked_up() -> None:
    """It is referred to by a repository and a number; what is no public one has no reference."""
    named = [report.reference for report in REPORTS.values() if report.reference]
    assert [name for name in named if not REFERENCE.fullmatch(name)] == []
    assert len(set(named)) >= 33
