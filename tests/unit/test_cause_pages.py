"""The pages of docs/causes/: one for each code, all of one shape, with symptoms that are read back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testbed.explain.codes import Cause
from testbed.explain.pasted import read

FOLDER = Path(__file__).parents[2] / "docs" / "causes"
SECTIONS = ["Symptom", "Why", "See it by hand", "Cure", "Seen in the wild"]
CODES = [str(cause) for cause in Cause]
#: A client's whole text, as the symptoms show it: one that can be pasted.
WHOLE = re.compile(r'`((?:Get "https?://|curl: \([0-9]+\) |\[Errno -?[0-9]+\] )[^`]+)`')


def page(code: str) -> str:
    """The text of a code's page."""
    return (FOLDER / f"{code}.md").read_text()


def title(code: str) -> str:
    """The first line of a code's page, without its mark."""
    return page(code).splitlines()[0].removeprefix("# ")


def section(code: str, name: str) -> str:
    """What stands below a heading."""
    return page(code).split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0].strip()


def test_folder_has_a_page_for_each_code_and_nothing_else() -> None:
    """A new code needs a page, and a page without a code is stale."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*(f"{code}.md" for code in CODES), "README.md"])


@pytest.mark.parametrize("code", CODES)
def test_page_has_title_code_and_sections_in_order(code: str) -> None:
    """Every page has the same headings in the same order, each with something below it."""
    lines = page(code).splitlines()
    headings = [line for line in re.sub(r"```.*?```", "", page(code), flags=re.DOTALL).splitlines() if line[:1] == "#"]
    assert headings == [f"# {title(code)}", *(f"## {name}" for name in SECTIONS)]
    assert lines[2] == f"Code: `{code}`"
    assert all(section(code, name) for name in SECTIONS)


@pytest.mark.parametrize("code", CODES)
def test_page_fits_a_screen_or_two(code: str) -> None:
    """A page that is longer than fifty lines is not read by somebody whose connection is broken."""
    assert len(page(code).splitlines()) <= 50


@pytest.mark.parametrize("code", CODES)
def test_symptom_is_told_for_each_common_client(code: str) -> None:
    """Somebody who searches for the words that Go, curl or Python printed finds them, or how they differ."""
    symptom = section(code, "Symptom")
    assert [name for name in ("Go", "curl", "Python") if name not in symptom] == []


@pytest.mark.parametrize("code", CODES)
def test_symptom_that_can_be_pasted_is_read(code: str) -> None:
    """What a page shows as a client's text is one that explain reads: it raises for any other."""
    for text in WHOLE.findall(section(code, "Symptom")):
        assert read(text).text in text


def test_pages_show_texts_that_can_be_pasted() -> None:
    """The test above has something to read: most pages show whole texts."""
    assert sum(bool(WHOLE.search(section(code, "Symptom"))) for code in CODES) > len(CODES) * 3 / 4


@pytest.mark.parametrize("code", CODES)
def test_cures_are_numbered_from_one(code: str) -> None:
    """The first cure is the one to prefer, so they have an order."""
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", section(code, "Cure"), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1)) != []


@pytest.mark.parametrize("code", CODES)
def test_cure_that_opens_every_address_says_so(code: str) -> None:
    """Listening on 0.0.0.0 of the host opens the port to the LAN; inside a container it does not."""
    for line in section(code, "Cure").splitlines():
        if re.search(r"0\.0\.0\.0", line):
            assert "LAN" in line or "inside a container" in line.lower() or "inside the container" in line


@pytest.mark.parametrize("code", CODES)
def test_reports_are_https_and_named_once(code: str) -> None:
    """Links to real reports are whole, safe and not repeated; a page without any says so in words."""
    links = re.findall(r"https?://[^\s<>)]+", section(code, "Seen in the wild"))
    assert all(link.startswith("https://") for link in links)
    assert len(links) == len(set(links))


def test_index_lists_every_page_once_with_its_own_title() -> None:
    """The table of the index has the codes in the catalogue's order, and the pages' titles."""
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+) \| \[(.+)\]\((.+)\) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    assert rows == [(code, title(code), f"{code}.md", f"{code}.md") for code in CODES]
