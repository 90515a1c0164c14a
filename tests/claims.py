"""What the essays claim and which test holds it: docs/claims.toml, of which ``python -m tests.claims`` makes a page."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = ROOT / "docs" / "claims.toml"
PAGE: Final = ROOT / "docs" / "claims.md"

_NOT_YET: Final = "not yet"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an essay, with the tests (``path::name``) that hold it, and where the kernel differs from it."""

    id: str
    text: str
    tests: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Essay:
    """An essay's claims, in its own order."""

    title: str
    claims: tuple[Claim, ...]

    @property
    def held(self) -> int:
        """How many of them have a test."""
        return sum(bool(claim.tests) for claim in self.claims)


def read(path: Path) -> tuple[Essay, ...]:
    """The essays of a table such as docs/claims.toml.

    :raises KeyError: a row lacks its id, its claim or its tests
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Essay(essay["title"], tuple(_claim(row) for row in essay.get("claims", ()))) for essay in table["essays"]
    )


def _claim(row: Mapping[str, Any]) -> Claim:
    return Claim(row["id"], row["claim"], tuple(row["tests"]), row.get("note", ""))


def page(essays: Iterable[Essay]) -> str:
    """The table as Markdown: how many claims of each essay are held, then a row for each."""
    return "\n".join(_lines(tuple(essays))) + "\n"


def _lines(essays: tuple[Essay, ...]) -> Iterator[str]:
    yield "# What the essays claim, and which test holds it"
    yield ""
    yield "<!-- Made by `python -m tests.claims` of claims.toml: edit that. -->"
    yield ""
    yield f"Held: {'; '.join(f'{essay.title} {essay.held} of {len(essay.claims)}' for essay in essays)}."
    for essay in essays:
        yield from ("", f"## {essay.title}", "", "| Id | Claim | Held by | Note |", "|---|---|---|---|")
        for claim in essay.claims:
            tests = "<br>".join(f"`{test}`" for test in claim.tests) or _NOT_YET
            yield f"| {claim.id} | {_cell(claim.text)} | {tests} | {_cell(claim.note)} |"


def _cell(text: str) -> str:
    """A text as it stands in a table: Markdown reads a bar as the cell's end and a star as emphasis."""
    return text.replace("|", r"\|").replace("*", r"\*")


def names_of_tests(path: Path) -> frozenset[str]:
    """The names of the test functions that a file has at its top level or below a condition there.

    :raises OSError: there is no such file
    """
    return frozenset(_functions(ast.parse(path.read_text(encoding="utf-8")).body))


def _functions(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith("test_"):
            yield statement.name
        elif isinstance(statement, ast.If):
            yield from _functions([*statement.body, *statement.orelse])


if __name__ == "__main__":
    PAGE.write_text(page(read(TABLE)), encoding="utf-8")
