"""``scripts/setup``, on a checkout of its own: what it runs is written down by stand-ins, and nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
#: What changes the machine: none of it may run where nothing is missing.
PRIVILEGED = ("apt-get", "dpkg", "sudo", "usermod", "chmod")


class Did(NamedTuple):
    """What a set-up ran, and what it said."""

    ran: list[str]
    said: str


@pytest.fixture
def set_up(tmp_path: Path) -> Callable[[Sequence[str]], Did]:
    """Sets a checkout up, in which the stand-in for pip installs two programs that only note their calls."""
    root, stand_ins, notes = tmp_path / "checkout", tmp_path / "bin", tmp_path / "notes"
    (root / "scripts").mkdir(parents=True)
    shutil.copy2(ROOT / "scripts" / "setup", root / "scripts")
    shutil.copy2(ROOT / "pyproject.toml", root)
    stand_ins.mkdir()

    def program(name: str, *lines: str) -> Path:
        path = stand_ins / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
        path.chmod(0o755)
        return path

    for name in PRIVILEGED:
        program(name, f'echo "{name} $*" >>"{notes}"')
    for name in ("testbed", "pytest"):
        program(f"venv-{name}", f'echo "{name} $*" >>"{notes}"')
    program(
        "venv-python",
        f'[ "$1 $2" = "-m pip" ] || exec "{root}/.venv/bin/python3" "$@"',
        f'echo "pip $3" >>"{notes}"',
        *(f'cp -p "{stand_ins}/venv-{name}" "{root}/.venv/bin/{name}"' for name in ("testbed", "pytest")),
    )
    python = program(
        "make-venv",
        f'[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"',
        f'echo "venv" >>"{notes}"',
        f'"{sys.executable}" -m venv --without-pip "$3"',
        'interpreter=$(readlink -f "$3/bin/python")',
        'rm "$3"/bin/python*',
        'ln -s "$interpreter" "$3/bin/python3"',
        f'cp -p "{stand_ins}/venv-python" "$3/bin/python"',
    )
    environment = {**os.environ, "PATH": f"{stand_ins}:{os.environ['PATH']}", "PYTHON": str(python)}

    def run(words: Sequence[str]) -> Did:
        notes.write_text("", encoding="utf-8")
        done = subprocess.run(
            [root / "scripts" / "setup", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return Did(notes.read_text(encoding="utf-8").splitlines(), done.stdout)

    return run


@pytest.mark.testbed
@pytest.mark.parametrize("words", [[], ["test"]], ids=["to run", "to test"])
def test_a_second_set_up_has_nothing_to_do(set_up: Callable[[Sequence[str]], Did], words: list[str]) -> None:
    """The first makes .venv and installs into it; the second only looks whether an image is missing, and is silent."""
    assert set_up(words).ran == ["venv", "pip install", "testbed build"]
    assert set_up(words) == Did(["testbed build"], "")


@pytest.mark.testbed
def test_a_changed_project_file_is_for_pip(set_up: Callable[[Sequence[str]], Did], tmp_path: Path) -> None:
    """Another dependency in pyproject.toml: pip runs again, in the .venv that is there."""
    set_up([])
    with (tmp_path / "checkout" / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# one more line\n")
    assert set_up([]).ran == ["pip install", "testbed build"]
