"""The example of docs/adding/scenario.md, added as the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.images import ImageStore
from testbed.images.store import CACHE_VARIABLE

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "adding" / "scenario.md"
#: A file's name in backquotes, a colon, and its text.
_FILE: Final = re.compile(r"`([^`\n]+\.py)`:\n\n```python\n(.*?)```\n", re.DOTALL)
#: Runs something where the folder of further scenarios is part of the package, as a file of the checkout would be.
_WITH: Final = "import sys; from testbed import scenarios; scenarios.__path__.append(sys.argv.pop(1)); "


@pytest.fixture
def added(tmp_path: Path) -> Path:
    """A folder with the files of the page, as they would stand in the checkout."""
    files = _FILE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(files) == 4
    for name, text in files:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def _run(program: str, added: Path, *words: str, store: ImageStore) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _WITH + program, str(added / "testbed" / "scenarios"), *words]
    environment = {**os.environ, CACHE_VARIABLE: str(store.folder)}
    return subprocess.run(command, cwd=added, env=environment, capture_output=True, text=True, check=False)


def _told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.testbed
def test_the_command_line_runs_it(added: Path, testbed_image_store: ImageStore) -> None:
    """``testbed run`` finds it by its folder alone, and everything that it claims is borne out."""
    program = "from testbed.cli import main; main()"
    found = _told(_run(program, added, "run", "airport", "--json", store=testbed_image_store))
    assert (found["scenario"], found["ok"], len(found["scenes"])) == ("airport", True, 2)


@pytest.mark.testbed
def test_its_own_test_passes(added: Path, testbed_image_store: ImageStore) -> None:
    """``make_lab`` makes its lab by the name."""
    program = "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ("-q", "-p", "no:cacheprovider", "-m", "testbed", "--rootdir", str(added), str(added / "tests"))
    done = _run(program, added, *options, store=testbed_image_store)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout
