"""The statements of an explanation, and the table of the patterns by which they are read. Pure.

A pattern is a regular expression with a check of what it says; :mod:`truth.prose` and :mod:`truth.shown` have them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from testbed.evidence import Container, Evidence, Namespace
from testbed.explain.explanation import Explanation
from testbed.model import Address

#: An IP address, in brackets or not.
ADDRESS: Final = r"\[?(?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*[0-9a-f]|::)\]?"
#: A name of a host, container, interface or network; it does not end in a punctuation mark.
NAME: Final = r"[A-Za-z0-9](?:[\w.-]*\w)?"


@dataclass(frozen=True, slots=True)
class Statement:
    """One text of an explanation."""

    what: str
    """``prose``, ``cure``, or of a row its kind with ``row`` before it."""
    where: str
    """Of a row: where it was seen; else the place of the attempt."""
    text: str


@dataclass(slots=True)
class Reading:
    """One statement as it is read: what was named last is meant by "there". Not a value: it moves on."""

    evidence: Evidence
    where: str
    here: tuple[Namespace, ...] = ()
    address: Address | None = None
    of: dict[str, str] = field(default_factory=dict)
    """The parts of the pattern that is checked."""

    def at(self, label: str) -> tuple[Namespace, ...]:
        """The namespaces that people call so; a container's namespace has any of its containers' names."""
        keys = {one.namespace for one in self.evidence.containers if one.name == label}
        keys |= {one.namespace for one in self.evidence.hosts if one.name == label}
        return tuple(one for key, one in self.evidence.namespaces.items() if key in keys or one.label == label)

    def containers(self, name: str) -> tuple[Container, ...]:
        """The containers of a name."""
        return tuple(one for one in self.evidence.containers if one.name == name)

    def __getitem__(self, part: str) -> str:
        return self.of[part]


Check = Callable[[Reading], bool]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What can be said, and whether it holds."""

    text: re.Pattern[str]
    check: Check


def pattern(table: list[Pattern], text: str) -> Callable[[Check], Check]:
    """Enter a check into a table.

    :param text: a regular expression; ``{A}`` in it is an address, ``{N}`` a name; the check gets its named groups
    """

    def enter(check: Check) -> Check:
        table.append(Pattern(re.compile(text.replace("{A}", ADDRESS).replace("{N}", NAME)), check))
        return check

    return enter


def plain(text: str) -> Address:
    """An address without its brackets.

    :raises ValueError: it is none
    """
    return ipaddress.ip_address(text.strip("[]"))


def statements(told: Explanation, place: str) -> Iterator[Statement]:
    """All texts of an explanation, in the order in which they are printed.

    :param place: the name of the place of the attempt
    """
    own = (told.diagnosis,) if told.diagnosis else told.alternatives
    warnings = (*told.warnings, *(warning for one in own for warning in one.warnings))
    for text in dict.fromkeys((told.sentence, told.decide, *warnings)):
        yield from (Statement("prose", place, line) for line in [text] if line)
    for row in told.rows:
        yield Statement(f"row {row.what}", row.where, row.text)
    for cure in (cure for one in own for cure in one.cures):
        yield Statement("cure", place, cure.text)
