"""Finding the distribution's programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import tools
from testbed.errors import UnfitError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An executable in a folder that is on no PATH."""
    path = tmp_path / "made-up"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_callers_path_comes_first(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the caller's own PATH is preferred to the system's of the same name."""
    own = program.rename(program.with_name("sh"))
    monkeypatch.setenv("PATH", str(own.parent))
    assert tools.find("sh") == str(own)


def test_systems_folders_are_searched_too(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of an sbin folder is found though an ordinary user's PATH has none."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(tools, "SEARCH_PATH", str(program.parent))
    assert tools.find("made-up") == str(program)


@pytest.mark.parametrize("folder", ["/usr/sbin", "/sbin", "/usr/local/sbin"])
def test_sbin_is_among_the_systems_folders(folder: str) -> None:
    """ip, iptables and the like live in sbin."""
    assert folder in tools.SEARCH_PATH.split(":")


@pytest.mark.parametrize("path", ["", None], ids=["empty", "unset"])
def test_search_path_never_has_the_working_folder(path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a PATH the search is the system's folders: an empty entry would mean the working folder."""
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    assert tools.search_path() == tools.SEARCH_PATH


def test_needed_program_is_found(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """need() gives the path of a program that is there."""
    monkeypatch.setenv("PATH", str(program.parent))
    assert tools.need("made-up", "made-up-package") == str(program)


def test_missing_program_is_an_error_with_its_package() -> None:
    """need() of a program that is not there names the program and the package to install."""
    with pytest.raises(UnfitError) as caught:
        tools.need("made-up", "made-up-package")
    assert str(caught.value) == (
        "made-up is not installed: run 'apt-get install made-up-package' (or see 'testbed doctor')"
    )
