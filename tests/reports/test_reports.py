"""Public reports and reproductions: each is built on a fresh host, explained, cured as is said, and then connects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from testbed.diagnose import Told
from testbed.errors import UsageError
from testbed.explain.explanation import Explanation
from testbed.images import ImageStore
from testbed.model import Outcome
from tests.reports.collected import reports
from tests.reports.report import Report
from tests.reports.site import Site
from tests.reports.told import apply, ask, conclusion, cures, matching, missing, stated, whole

REPORTS = {name: report for name, report in reports().items() if report.shown}


@pytest.fixture
def site(testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]) -> Iterator[Site]:
    """A fresh host with Podman and a neighbour on its LAN."""
    with Site(image=testbed_image("base"), image_store=testbed_image_store.storage) as site:
        yield site


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_report_is_explained_and_its_cure_works(site: Site, report: Report) -> None:
    """The right cause is said and nothing false; the first cure, once applied, lets the same attempt connect."""
    for step in report.steps:
        step.do(site)
    if report.asks:
        with pytest.raises(UsageError) as asked:
            ask(site, report)
        assert missing(report.asks, str(asked.value)) == []
        assert missing(report.never, str(asked.value)) == list(report.never)
        return
    told = ask(site, report)
    for alive in report.alive:
        assert site.connect(alive.place, alive.target).outcome is Outcome.CONNECTED, alive
    if report.seen is not None:
        assert told.explanation.observation is not None
        assert told.explanation.observation.outcome is report.seen, told.explanation.observation
    _assert_said(told.explanation, report)
    if report.cures:
        _cure(site, report, told)


def _assert_said(told: Explanation, report: Report) -> None:
    assert told.verdict is conclusion(report), whole(told)
    if report.causes:
        assert told.cause in report.causes, whole(told)
    assert {found.cause for found in told.alternatives} >= set(report.either), whole(told)
    if report.connects:
        assert told.prediction is not None
        assert told.prediction.outcome is Outcome.CONNECTED, told.prediction.why
    assert missing(report.says, stated(told)) == [], whole(told)
    assert missing(report.never, whole(told)) == list(report.never), whole(told)
    if not report.cures:
        assert cures(told) == (), whole(told)


def _cure(site: Site, report: Report, told: Told) -> None:
    assert cures(told.explanation), whole(told.explanation)
    first = cures(told.explanation)[0]
    cured = matching(first, report)
    assert cured is not None, whole(told.explanation)
    again = apply(site, report, told, first, cured)
    seen = site.connect(again.place, again.target)
    assert seen.outcome is Outcome.CONNECTED, (seen, first)
    for closed in report.closed:
        assert site.connect(closed.place, closed.target, seconds=1.0).outcome is not Outcome.CONNECTED, closed
