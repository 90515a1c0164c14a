"""Holding cells against their expectation in a test: a failure shows only the cells that are wrong."""

from __future__ import annotations

from collections.abc import Iterable

from testbed.report.matrix import differences
from testbed.results import Cell


def as_expected(cells: Iterable[Cell]) -> None:
    """Pass when every cell is as expected.

    :raises AssertionError: the wrong cells, each with expected, observed and the command that repeats it by hand
    """
    __tracebackhide__ = True
    found = tuple(cells)
    wrong = differences(found)
    if wrong:
        raise AssertionError(f"{sum(not cell.ok for cell in found)} of {len(found)} cells differ\n{wrong}")
