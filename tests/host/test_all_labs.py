"""Commands that act on whatever labs there are, or take a scenario's own name: where nobody else has a lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from testbed import tools
from tests.host.leftovers import TESTBED, Run, Stage

SCENARIO: Final = "namespaces"
#: Of the machine's own Podman, which 'clean' looks after.
MACHINES_PODMAN: Final = Path("/var/lib/containers")


def typed(stage: Stage, *words: str) -> Run:
    """A command on the stage, which has ended."""
    run = stage.start(*words)
    run.wait(seconds=100)
    return run


def said(stage: Stage, *words: str) -> tuple[int, str, str]:
    """What ``testbed`` ends with, prints, and says last on standard error."""
    run = stage.start(TESTBED, *words)
    status = run.wait(seconds=100)
    return status, run.stdout, "".join(run.stderr.splitlines()[-1:])


@pytest.fixture(scope="module")
def stage(testbed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The machine that all of them type on. Its Podman has nothing: the real one's is not to be looked after here."""
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        if MACHINES_PODMAN.is_dir():
            stage.output(tools.need("mount", "mount"), "-t", "tmpfs", "tmpfs", str(MACHINES_PODMAN))
        yield stage


def listed(stage: Stage) -> list[str]:
    """The names of the labs that run."""
    return [lab["name"] for lab in json.loads(stage.output(TESTBED, "list", "--json"))["labs"]]


def have(stage: Stage, *names: str) -> None:
    """See to it that these labs run, and no others: a lab that a test has left up the next one need not start."""
    running = listed(stage)
    for name in running:
        if name not in names:
            stage.output(TESTBED, "down", name)
    for name in names:
        if name not in running:
            status, _, error = said(stage, "up", SCENARIO, "--name", name)
            assert status == 0, error


def test_down_without_a_name_says_that_nothing_runs(stage: Stage) -> None:
    """Without any lab there is nothing to end."""
    have(stage)
    assert said(stage, "down") == (2, "", "testbed: no lab is running; see 'testbed list'")


def test_down_without_a_name_ends_none_of_several(stage: Stage) -> None:
    """Where two labs run, it asks which, and both go on."""
    have(stage, "one", "two")
    assert said(stage, "down") == (2, "", "testbed: several labs are running (one, two): say which")
    assert listed(stage) == ["one", "two"]


def test_clean_ends_every_lab_and_keeps_the_images(stage: Stage) -> None:
    """Each lab is named as it ends, and none runs afterwards; the image store is as it was."""
    store = stage.path("/tmp/store")
    (store / "storage").mkdir(parents=True)
    have(stage, "one", "two")
    run = typed(stage, "env", "TESTBED_CACHE=/tmp/store", TESTBED, "clean")
    assert run.stdout == "ended the lab one\nended the lab two\nnothing of ours is left\n"
    assert listed(stage) == []
    assert (store / "storage").is_dir()


def test_clean_with_images_removes_the_store(stage: Stage) -> None:
    """The whole folder of the image store goes, and is named."""
    have(stage)
    store = stage.path("/tmp/other-store")
    for folder in ("storage/overlay", "built", "logs"):
        (store / folder).mkdir(parents=True)
        (store / folder / "file").write_text("{}", encoding="utf-8")
    run = typed(stage, "env", "TESTBED_CACHE=/tmp/other-store", TESTBED, "clean", "--images")
    assert (run.stdout, run.stderr) == ("removed the images in /tmp/other-store\nnothing of ours is left\n", "")
    assert not store.exists()


def test_keep_leaves_a_lab_running(stage: Stage) -> None:
    """After the run a lab of the scenario's name is up, reached by exec and ended by down."""
    have(stage)
    status, shown, error = said(stage, "run", SCENARIO, "--keep")
    assert status == 0, error
    assert shown.splitlines()[-1].startswith("✓ ")
    assert error == f"kept: testbed list; testbed exec NAME -- COMMAND; testbed down {SCENARIO}"
    (lab,) = json.loads(stage.output(TESTBED, "list", "--json"))["labs"]
    host = next(iter(lab["hosts"]))
    assert (lab["name"], lab["scenario"]) == (SCENARIO, SCENARIO)
    assert stage.output(TESTBED, "exec", host, "--", "hostname") == f"{host}\n"
    assert said(stage, "down", SCENARIO)[0] == 0


def test_keep_hears_before_the_run_that_the_name_is_taken(stage: Stage) -> None:
    """A lab of that name is up: exit 2 and who has it, and nothing of the run was told."""
    have(stage, SCENARIO)
    line = f"testbed: a lab called '{SCENARIO}' is running already: 'testbed down {SCENARIO}' ends it"
    assert said(stage, "run", SCENARIO, "--keep") == (2, "", line)
    assert listed(stage) == [SCENARIO]


def test_down_without_a_name_ends_the_only_lab(stage: Stage) -> None:
    """Where one lab runs it is that one."""
    have(stage, SCENARIO)
    assert said(stage, "down") == (0, f"{SCENARIO} is gone, with all that was on it\n", "")
    assert listed(stage) == []


def test_a_lab_belongs_to_its_user_where_root_starts_it(stage: Stage) -> None:
    """Who has become root of a user namespace names the user whose lab it is, as ``run --keep`` does."""
    have(stage)
    run = stage.python(
        "from testbed.background import running, spawn\n"
        f"spawn.up({SCENARIO!r}, name='theirs', options={{}}, say=print, uid=4711)\n"
        "print('of root:', [lab.name for lab in running()])\n"
        "print('of the user:', [lab.name for lab in running(4711)])\n"
    )
    assert run.wait() == 0, run.stderr
    assert run.stdout.splitlines()[-2:] == ["of root: []", "of the user: ['theirs']"]
