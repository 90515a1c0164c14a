"""What a resolver knows: names, and names for all below one (RFC 4592)."""

from __future__ import annotations

import pytest

from testbed.zone import lookup

ZONE = {"*.lab.example": "all", "db.lab.example": "db", "x.deep.lab.example": "x"}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("db.lab.example", "db"),
        ("DB.Lab.Example.", "db"),
        ("web.lab.example", "all"),
        ("a.b.lab.example", "all"),
        ("lab.example", None),
        ("deep.lab.example", None),
        ("y.deep.lab.example", None),
        ("db.example", None),
        ("", None),
    ],
    ids=[
        "a name itself",
        "case and a last dot do not count",
        "a name that is not there",
        "below one that is not there",
        "the domain itself",
        "between a name and its domain",
        "beside a name below another one",
        "outside",
        "the root",
    ],
)
def test_a_wildcard_is_for_all_names_that_are_not_there(name: str, entry: str | None) -> None:
    """RFC 4592, 2.2.1: the closest name that is there decides."""
    assert lookup(ZONE, name) == entry
