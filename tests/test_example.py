"""The example projects, on this one installed as a wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from testbed.images import ImageStore
from testbed.images.store import CACHE_VARIABLE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was installed, and nothing else."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT],
        check=True,
        capture_output=True,
        text=True,
    )
    (wheel,) = wheels.glob("testbed-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True, capture_output=True, text=True)
    return site


@pytest.mark.testbed
@pytest.mark.parametrize(("name", "tests"), [("published-port", 2), ("what-passes", 3)])
def test_another_project_uses_the_fixtures(
    installed: Path, tmp_path: Path, testbed_image_store: ImageStore, name: str, tests: int
) -> None:
    """The example's tests pass on the installed wheel, away from this checkout."""
    example = tmp_path / "example"
    subprocess.run(["cp", "-r", ROOT / "examples" / name, example], check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{installed}:{sysconfig.get_path('purelib')}",
        CACHE_VARIABLE: str(testbed_image_store.folder),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-m",
            "testbed",
            "-p",
            "no:cacheprovider",
            "-q",
            "--rootdir",
            example,
            example,
        ],
        cwd=example,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{tests} passed" in done.stdout


def test_the_wheel_carries_what_images_are_made_from(installed: Path) -> None:
    """Every role's Containerfile is in the wheel: without the checkout there is no other place for them."""
    roles = {path.parent.name for path in (installed / "testbed" / "_images").glob("*/Containerfile")}
    assert roles == {"agent", "frontend", "go", "ledger", "orders", "portainer", "sshd"}


def test_the_wheel_is_typed(installed: Path) -> None:
    """PEP 561: a project that uses it sees its types."""
    assert (installed / "testbed" / "py.typed").exists()
