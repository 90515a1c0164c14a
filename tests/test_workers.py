"""How the tests are shared out among workers: tests/conftest.py, in a small project that has it too."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Final, cast

import pytest

from tests.conftest import pytest_xdist_auto_num_workers, shares

pytest_plugins = ["pytester"]

#: A file whose tests note which worker each ran in, and another that shares something as well.
PURE: Final = """
import os
import pytest

@pytest.mark.parametrize("number", range(6))
def test_noted(request, number):
    with open(request.path.with_suffix(".workers"), "a") as workers:
        print(os.environ.get("PYTEST_XDIST_WORKER"), file=workers)
"""
SHARES: Final = f"""{PURE}
@pytest.fixture(scope="module", autouse=True)
def lab():
    return object()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests are shared out as this one's are."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider")
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
    for name, text in (("test_shares", SHARES), ("test_each", PURE), ("unit/test_pure", PURE)):
        path = pytester.path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return pytester


def workers(project: pytest.Pytester, name: str) -> set[str]:
    """The workers that the tests of a file ran in."""
    return set((project.path / f"{name}.workers").read_text(encoding="utf-8").split())


def test_what_is_shared_stays_in_one_worker(project: pytest.Pytester) -> None:
    """A file that has a lab for all its tests is one worker's, one without hosts too; other tests go to anybody."""
    project.runpytest_subprocess("-n", "3").assert_outcomes(passed=18)
    assert [len(workers(project, name)) for name in ("test_shares", "unit/test_pure")] == [1, 1]
    assert len(workers(project, "test_each")) > 1


SEVERAL: Final = min(3 * len(os.sched_getaffinity(0)), 16)


@pytest.mark.parametrize(
    ("words", "options", "number"),
    [
        (("tests",), {}, SEVERAL),
        (("tests/unit", "tests/conftest.py"), {}, SEVERAL),
        (("tests/conftest.py", "tests/browser.py::test"), {}, 2),
        (("tests/conftest.py",), {}, 0),
        (("tests/conftest.py::test_one", "tests/conftest.py::test_other"), {}, 0),
        (("tests",), {"trace": True}, 0),
        (("tests",), {"testbed_host": "local"}, 0),
    ],
)
def test_workers_are_as_many_as_there_is_work_for(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], options: dict[str, object], number: int
) -> None:
    """-n auto is by the processors, but a file, a debugger and the machine itself are for one process alone."""
    monkeypatch.chdir(Path(__file__).parents[1])
    chosen = SimpleNamespace(trace=False, testbed_host="private")
    vars(chosen).update(options)
    config = SimpleNamespace(args=list(words), option=chosen)
    assert pytest_xdist_auto_num_workers(cast(pytest.Config, config)) == number


def test_no_file_that_is_shared_out_has_a_fixture_for_all_its_tests(request: pytest.FixtureRequest) -> None:
    """A fixture that several tests share is seen in the text of their file: else each worker would make it anew."""
    missed = set()
    for item in request.session.items:
        assert isinstance(item, pytest.Function)
        for name, known in item._fixtureinfo.name2fixturedefs.items():
            lasting = known[-1].scope in ("class", "module", "package") or name == "_portainer_lab"
            if lasting and not shares(item.path):
                missed.add(f"{item.path.name}: {name}")
    assert missed == set()
