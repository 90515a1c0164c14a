"""The plugin as another project meets it: an installed entry point, fixtures, options."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from testbed.background import running
from testbed.background.find import stop
from testbed.images import ImageStore
from testbed.images.store import CACHE_VARIABLE
from testbed.waiting import wait_for
from tests.own_store import with_image

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.testbed

HOST_TEST = """
def test_a_host(private_host):
    "A private host has Podman."
    assert private_host.engine.client.ping()

def test_without_a_host():
    "Nothing special."
"""


@pytest.fixture(autouse=True)
def inner_project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, testbed_image_store: ImageStore
) -> pytest.Pytester:
    """An empty project that shares the outer one's images: pytester gives it a HOME of its own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(testbed_image_store.folder))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    return pytester


def test_tests_that_use_a_host_are_marked_by_themselves(pytester: pytest.Pytester) -> None:
    """``-m testbed`` selects whatever uses a host, and nothing else."""
    pytester.makepyfile(HOST_TEST)
    pytester.runpytest_subprocess("-m", "testbed").assert_outcomes(passed=1, deselected=1)


def test_each_xdist_worker_has_hosts_of_its_own(pytester: pytest.Pytester) -> None:
    """With ``-n 2`` every worker makes its own hosts, each with the same 10.88.0.1, and all pass."""
    pytester.makepyfile(
        """
        import pytest
        from testbed.containers import HostContainer

        @pytest.mark.parametrize("number", range(4))
        def test_podman0(private_host, testbed_image, number):
            c = HostContainer(private_host, testbed_image("base"), "c").on("podman").with_command(["sleep", "infinity"])
            c.start()
            assert "10.88.0.1/16" in private_host.run(["ip", "address", "show", "podman0"])
        """
    )
    pytester.runpytest_subprocess("-m", "testbed", "-n", "2").assert_outcomes(passed=4)


def test_a_failing_comparison_shows_only_the_wrong_cells(pytester: pytest.Pytester) -> None:
    """Expected, observed and the command to repeat are printed for the cell that differs, and for no other."""
    pytester.makepyfile(
        """
        from dataclasses import replace
        from testbed.model import Outcome
        from testbed.predict.unresolved import NotRunning
        from testbed.bind import parse
        from testbed.report.check import as_expected
        from testbed.scenarios.portainer import matrix

        def test_matrix(portainer_lab):
            cells = list(matrix.cells(portainer_lab, [parse("127.0.0.1")]))
            ending = NotRunning("the agent")
            wrong = replace(cells[0].expected, outcome=Outcome.TIMED_OUT, text="timed out", ending=ending)
            as_expected([replace(cells[0], expected=wrong), *cells[1:]])
        """
    )
    result = pytester.runpytest_subprocess("-m", "testbed")
    result.assert_outcomes(failed=1)
    out = result.stdout.str()
    assert "1 of 56 cells differ" in out
    assert "laptop to 127.0.0.1, tunnel bound to 127.0.0.1" in out
    assert "expected: timed out timed out (the agent does not run)" in out
    assert re.search(r"observed: connected to 127\.0\.0\.1:19001, answered 204 by Portainer-Agent 2\.23\.0", out)
    assert "by hand:  testbed exec laptop -- curl -kv -m 3 https://127.0.0.1:19001/ping" in out
    assert "portainer to" not in out


LABS: Final = [
    {"laptop", "remote", "neighbour"},
    {"laptop", "remote", "neighbour"},
    {"host"},
    {"one", "other"},
    {"laptop"},
    {"here", "there"},
]
#: What 'testbed list' has each of them to be of: a scenario, else the test that made its hosts.
OF: Final = ["portainer", "portainer", "test_host", "test_hosts", "switch", "test_topology"]
#: Asks for each of them in turn, and says of each that there is none, or some.
LAB_TESTS: Final = """
def test_shared_lab(portainer_lab):
    assert {word} portainer_lab.hosts

def test_fresh_lab(make_portainer_lab):
    assert {word} make_portainer_lab().hosts

def test_host(private_host):
    assert {word} private_host.name

def test_hosts(make_private_host):
    assert {word} (make_private_host("one") and make_private_host("other"))

def test_scenario(make_lab):
    assert {word} make_lab("switch").hosts

def test_topology(make_lab):
    from testbed.topology import HostSpec, Topology
    assert {word} make_lab(Topology((HostSpec("here"), HostSpec("there")))).hosts
"""


def test_a_lab_is_kept_when_its_test_failed(pytester: pytest.Pytester) -> None:
    """With --testbed-keep each report says how to enter its hosts, which go on after pytest has ended."""
    pytester.makepyfile(LAB_TESTS.format(word="not"))
    result = pytester.runpytest_subprocess("-m", "testbed", "--testbed-keep")
    result.assert_outcomes(failed=6)
    up = {lab.name: lab for lab in running()}
    labs = [up[name] for name in re.findall(r"testbed down (pytest-\S+)", result.stdout.str()) if name in up]
    pids = [Path(f"/proc/{pid}") for lab in labs for pid in lab.hosts.values()]
    try:
        assert [set(lab.hosts) for lab in labs] == LABS
        assert [lab.scenario for lab in labs] == OF
        assert all(pid.exists() for pid in pids)
    finally:
        for lab in labs:
            stop(lab)
    wait_for(lambda: not any(pid.exists() for pid in pids), "their hosts to be reaped")


def test_no_lab_is_kept_without_a_failure(pytester: pytest.Pytester) -> None:
    """With --testbed-keep and every test passed, nothing stays."""
    before = kept()
    pytester.makepyfile(LAB_TESTS.format(word=""))
    pytester.runpytest_subprocess("-m", "testbed", "--testbed-keep").assert_outcomes(passed=6)
    assert kept() <= before


def kept() -> set[str]:
    """The labs that runs of pytest have kept; others may come and go meanwhile."""
    return {lab.name for lab in running() if lab.name.startswith("pytest-")}


def test_a_machine_that_cannot_run_it_is_told_in_one_line(pytester: pytest.Pytester) -> None:
    """What this machine lacks ends pytest with exit code 2 and the cure, not with a traceback for each test."""
    pytester.makeconftest(
        """
        import testbed.plugin
        from testbed.errors import UnfitError

        def cannot():
            raise UnfitError("newuidmap: not installed; as root: apt-get install uidmap")

        testbed.plugin.become_root = cannot
        testbed.plugin.is_root = lambda: False
        """
    )
    pytester.makepyfile(HOST_TEST)
    result = pytester.runpytest_subprocess()
    assert result.ret == 2
    assert (
        "testbed: newuidmap: not installed; as root: apt-get install uidmap"
        in result.stdout.str() + result.stderr.str()
    )
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_settings_are_fixtures_to_override(pytester: pytest.Pytester) -> None:
    """A project keeps its images elsewhere by overriding ``testbed_image_store``."""
    pytester.makepyfile(
        """
        import pytest
        from testbed.images import ImageStore, Recipe

        @pytest.fixture(scope="session")
        def testbed_image_store(tmp_path_factory):
            return ImageStore(tmp_path_factory.mktemp("store"))

        @pytest.fixture(scope="session")
        def testbed_recipes(tmp_path_factory):
            folder = tmp_path_factory.mktemp("thing")
            (folder / "Containerfile").write_text("FROM scratch\\nCOPY word /word\\n")
            (folder / "word").write_text("hello")
            return {"thing": Recipe("thing", folder)}

        def test_own_image(testbed_image, testbed_image_store):
            tag = testbed_image("thing")
            assert testbed_image_store.built(tag).made_from == "scratch"
        """
    )
    pytester.runpytest_subprocess("-m", "testbed").assert_outcomes(passed=1)


def test_a_lab_is_of_a_scenario_by_name_or_value(pytester: pytest.Pytester) -> None:
    """``make_lab`` takes a name or a value, and what a lab has is gone with its test."""
    pytester.makepyfile(
        """
        from pathlib import Path

        import pytest
        from testbed.errors import UsageError
        from testbed.scenarios import table
        from testbed.scenarios.switch.lab import SwitchLab

        made = []

        def test_by_name_and_by_value(make_lab):
            labs = [make_lab("switch"), make_lab(table.find("switch"))]
            assert [type(lab) for lab in labs] == [SwitchLab, SwitchLab]
            assert labs[0].hosts["laptop"].pid != labs[1].hosts["laptop"].pid
            made.extend(lab.hosts["laptop"].pid for lab in labs)

        def test_they_are_gone():
            assert [pid for pid in made if Path(f"/proc/{pid}").exists()] == []

        def test_a_name_that_no_scenario_has(make_lab):
            with pytest.raises(UsageError, match="no scenario is called 'nope'"):
                make_lab("nope")

        def test_a_shared_lab_is_the_same_for_each_test_one(shared_lab, portainer_lab):
            made[:] = [shared_lab("switch"), portainer_lab]

        def test_a_shared_lab_is_the_same_for_each_test_two(shared_lab, portainer_lab):
            assert made == [shared_lab("switch"), shared_lab("portainer")]
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=5)


def test_a_lab_is_of_a_topology_with_images_of_the_projects_own(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    testbed_image: Callable[[str], str],
    testbed_image_store: ImageStore,
    tmp_path: Path,
) -> None:
    """``make_lab`` takes a topology, and builds what the project's recipes say."""
    pytester.makepyfile(
        """
        import pytest
        from testbed.images import Recipe
        from testbed.topology import AttachmentSpec, ContainerSpec, HostSpec, Topology

        @pytest.fixture(scope="session")
        def testbed_recipes(tmp_path_factory):
            folder = tmp_path_factory.mktemp("thing")
            (folder / "Containerfile").write_text("ARG BASE\\nFROM $BASE\\nCOPY word /word\\n")
            (folder / "word").write_text("hello")
            return {"thing": Recipe("thing", folder, {"BASE": "base"})}

        def test_a_topology_with_an_image_of_the_projects_own(make_lab):
            command = ("sleep", "infinity")
            thing = ContainerSpec("here", "thing", "thing", (AttachmentSpec("podman"),), command=command)
            lab = make_lab(Topology((HostSpec("here"),), containers=(thing,)))
            assert lab.hosts["here"].run(["podman", "exec", "thing", "cat", "/word"]) == "hello"
        """
    )
    with with_image(testbed_image_store, testbed_image("base"), tmp_path / "store") as store:
        monkeypatch.setenv(CACHE_VARIABLE, str(store.folder))
        pytester.runpytest_subprocess().assert_outcomes(passed=1)
