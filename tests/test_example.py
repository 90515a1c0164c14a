"""The example projects, on this one installed as a wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.images import ImageStore
from testbed.images.store import CACHE_VARIABLE
from tests.own_store import with_image

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


@pytest.fixture
def run_project(installed: Path, testbed_image_store: ImageStore) -> Callable[..., str]:
    """Runs the tests of a folder on the installed wheel, away from this checkout; what pytest said, if they pass."""
    options = ["-m", "testbed", "-p", "no:cacheprovider", "-q"]

    def run(project: Path, store: ImageStore = testbed_image_store) -> str:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{installed}:{sysconfig.get_path('purelib')}",
            CACHE_VARIABLE: str(store.folder),
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--rootdir", project, project],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.testbed
@pytest.mark.parametrize(("name", "tests"), [("what-passes", 3), ("two-machines", 2)])
def test_another_project_uses_the_fixtures(
    run_project: Callable[..., str], tmp_path: Path, name: str, tests: int
) -> None:
    """The example's tests pass on the installed wheel."""
    example = tmp_path / "example"
    subprocess.run(["cp", "-r", ROOT / "examples" / name, example], check=True)
    assert f"{tests} passed" in run_project(example)


@pytest.mark.testbed
def test_another_project_has_an_image_of_its_own(
    run_project: Callable[..., str],
    testbed_image: Callable[[str], str],
    testbed_image_store: ImageStore,
    tmp_path: Path,
) -> None:
    """The example builds it from its own folder, on an image of the testbed's."""
    example = tmp_path / "example"
    subprocess.run(["cp", "-r", ROOT / "examples" / "published-port", example], check=True)
    with with_image(testbed_image_store, testbed_image("go"), tmp_path / "store") as store:
        assert "2 passed" in run_project(example, store)


@pytest.mark.testbed
def test_the_readmes_sample_is_a_test_that_passes(run_project: Callable[..., str], tmp_path: Path) -> None:
    """Copied from README.md into a file, it is one test, and passes."""
    (sample,) = re.findall(r"\n```python\n(.*?\n)```\n", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_sample.py").write_text(sample, encoding="utf-8")
    assert "1 passed" in run_project(tmp_path)


def test_the_wheel_carries_what_images_are_made_from(installed: Path) -> None:
    """Every role's Containerfile is in the wheel: without the checkout there is no other place for them."""
    roles = {path.parent.name for path in (installed / "testbed" / "_images").glob("*/Containerfile")}
    assert roles == {"agent", "frontend", "go", "ledger", "orders", "portainer", "sshd"}


def test_the_wheel_is_typed(installed: Path) -> None:
    """PEP 561: a project that uses it sees its types."""
    assert (installed / "testbed" / "py.typed").exists()
