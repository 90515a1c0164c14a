"""The pages of docs/causes/: one for each code, all of one shape, with symptoms that are read back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from testbed.errors import Error
from testbed.explain.codes import Cause
from testbed.explain.pasted import read

FOLDER = Path(__file__).parents[2] / "docs" / "causes"
SECTIONS = ["Symptom", "Why", "See it by hand", "Cure", "Seen in the wild"]
CODES = [str(cause) for cause in Cause]
#: A client's whole text, as the symptoms show it: one that can be pasted.
WHOLE = re.compile(r'`((?:Get "https?://|curl: \([0-9]+\) |\[Errno -?[0-9]+\] )[^`]+)`')
#: How a cure says whom 0.0.0.0 lets in.
SAID = re.compile(r"LAN|(?i:inside a container)|inside the container")

T = TypeVar("T")


def page(code: str) -> str:
    """The text of a code's page."""
    return (FOLDER / f"{code}.md").read_text()


def title(code: str) -> str:
    """The first line of a code's page, without its mark."""
    return page(code).splitlines()[0].removeprefix("# ")


def section(code: str, name: str) -> str:
    """The text below a heading of a code's page, up to the next one; empty where the page has no such heading."""
    return page(code).partition(f"\n## {name}\n")[2].split("\n## ", 1)[0].strip()


def wrong(found: Callable[[str], T], good: Callable[[T], object]) -> dict[str, T]:
    """All pages that are not as they should be, by code, with what was found there."""
    return {code: seen for code in CODES if not good(seen := found(code))}


def test_folder_has_a_page_for_each_code_and_nothing_else() -> None:
    """A new code needs a page, and a page without a code is stale."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*(f"{code}.md" for code in CODES), "README.md"])


def test_every_page_has_title_code_and_sections_in_order() -> None:
    """Every page has the same headings in the same order, each with something below it."""

    def unshapely(code: str) -> list[str]:
        prose = re.sub(r"```.*?```", "", page(code), flags=re.DOTALL).splitlines()
        headings = [line for line in prose if line[:1] == "#"]
        named = page(code).splitlines()[2]
        return [
            *(headings if headings != [f"# {title(code)}", *(f"## {name}" for name in SECTIONS)] else []),
            *([named] if named != f"Code: `{code}`" else []),
            *(f"{name}: empty" for name in SECTIONS if not section(code, name)),
        ]

    assert wrong(unshapely, lambda found: found == []) == {}


def test_every_page_fits_a_screen_or_two() -> None:
    """A page that is longer than fifty lines is not read by somebody whose connection is broken."""
    assert wrong(lambda code: len(page(code).splitlines()), lambda lines: lines <= 50) == {}


def test_every_symptom_is_told_for_each_common_client() -> None:
    """Somebody who searches for the words that Go, curl or Python printed finds them, or how they differ."""

    def left_out(code: str) -> list[str]:
        return [name for name in ("Go", "curl", "Python") if name not in section(code, "Symptom")]

    assert wrong(left_out, lambda names: names == []) == {}


def test_symptoms_that_can_be_pasted_are_read() -> None:
    """A text that a page shows as a client's is one that explain reads, and most pages show whole texts."""
    shown = {code: WHOLE.findall(section(code, "Symptom")) for code in CODES}
    assert sum(map(bool, shown.values())) > len(CODES) * 3 / 4

    def not_read(code: str) -> list[str]:
        return [text for text in shown[code] if read_back(text) is None]

    assert wrong(not_read, lambda texts: texts == []) == {}


def read_back(text: str) -> str | None:
    """The part of a pasted text that explain takes for a client's; None where it refuses it or makes up another."""
    try:
        found = read(text).text
    except Error:
        return None
    return found if found in text else None


def test_all_cures_are_numbered_from_one() -> None:
    """The first cure is the one to prefer, so they have an order."""

    def numbers(code: str) -> list[int]:
        return [int(number) for number in re.findall(r"^(\d+)\. ", section(code, "Cure"), re.MULTILINE)]

    assert wrong(numbers, lambda found: found == list(range(1, len(found) + 1)) != []) == {}


def test_every_cure_that_opens_all_addresses_says_so() -> None:
    """Listening on 0.0.0.0 of the host opens the port to the LAN; inside a container it does not."""

    def silent(code: str) -> list[str]:
        lines = section(code, "Cure").splitlines()
        return [line for line in lines if "0.0.0.0" in line and not SAID.search(line)]

    assert wrong(silent, lambda lines: lines == []) == {}


def test_all_reports_are_https_and_named_once() -> None:
    """Links to real reports are whole, safe and not repeated; a page without any says so in words."""

    def links(code: str) -> list[str]:
        return re.findall(r"https?://[^\s<>)]+", section(code, "Seen in the wild"))

    assert wrong(links, lambda found: all(x.startswith("https://") for x in found)) == {}
    assert wrong(links, lambda found: len(found) == len(set(found))) == {}


def test_index_lists_every_page_once_with_its_own_title() -> None:
    """The table of the index has the codes in the catalogue's order, and the pages' titles."""
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+) \| \[(.+)\]\((.+)\) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    assert rows == [(code, title(code), f"{code}.md", f"{code}.md") for code in CODES]
