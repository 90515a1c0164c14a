"""Images: small, built once, and what happens when a build fails, is cut off or meets another."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from testbed import images, tools
from testbed.errors import ImageError
from testbed.host.private import PrivateHost
from testbed.images import ImageStore, Recipe, base
from testbed.images.builder import Builder
from testbed.images.recipe import BASE
from tests.host.leftovers import Run, Stage
from tests.host.placed import Place, place

Image = Callable[[str], str]

MEGABYTE: Final = 1_000_000


@pytest.mark.parametrize(("role", "megabytes"), [("portainer", 10), ("agent", 10), ("base", 90)])
def test_an_image_is_small(testbed_image: Image, testbed_image_store: ImageStore, role: str, megabytes: int) -> None:
    """The images that everybody has to build stay small."""
    built = testbed_image_store.built(testbed_image(role))
    assert built is not None
    assert 0 < built.size <= megabytes * MEGABYTE


def test_an_image_says_what_it_was_made_from(testbed_image: Image, testbed_image_store: ImageStore) -> None:
    """The record of the base says whether it came from a registry image or from the distribution's packages."""
    built = testbed_image_store.built(testbed_image("base"))
    assert built is not None
    assert built.made_from.startswith(("registry image ", "the packages of "))


# Recipes of one's own, in a store of one's own


def recipe(folder: Path, containerfile: str, *, role: str = "app", **arguments: str) -> dict[str, Recipe]:
    """A recipe with a Containerfile and one file, ``data``."""
    folder.mkdir(exist_ok=True)
    (folder / "Containerfile").write_text(containerfile, encoding="utf-8")
    (folder / "data").write_text("data\n", encoding="utf-8")
    return {role: Recipe(role, folder, arguments)}


GOOD: Final = "FROM scratch\nCOPY data /data\n"


@pytest.fixture
def store(testbed_session: None, tmp_path: Path) -> Iterator[ImageStore]:
    """An empty store; its layers belong to ids that only this process may remove."""
    store = ImageStore(tmp_path / "store")
    yield store
    shutil.rmtree(store.folder, ignore_errors=True)


def test_an_image_is_built_once(store: ImageStore, tmp_path: Path) -> None:
    """What is in the store is not built again, and nothing is said of it."""
    said: list[str] = []
    recipes = recipe(tmp_path / "app", GOOD)
    first = images.ensure(["app"], store=store, recipes=recipes, say=said.append)
    assert said[0].startswith("building ")
    assert said[0].endswith(f" into {store.folder}: app")
    said.clear()
    assert images.ensure(["app"], store=store, recipes=recipes, say=said.append) == first
    assert said == []


def test_changed_content_is_another_image(store: ImageStore, tmp_path: Path) -> None:
    """A changed file makes another image, beside the old one."""
    recipes = recipe(tmp_path / "app", GOOD)
    old = images.ensure(["app"], store=store, recipes=recipes)["app"]
    (tmp_path / "app/data").write_text("other data\n", encoding="utf-8")
    new = images.ensure(["app"], store=store, recipes=recipes)["app"]
    assert new != old
    assert {record.tag for record in store.all_built()} == {old, new}


def test_a_build_that_fails_shows_the_end_of_its_log(store: ImageStore, tmp_path: Path) -> None:
    """The error of a build names the image, the log, and ends with what the build said last; nothing is recorded."""
    with pytest.raises(ImageError) as caught:
        images.ensure(["app"], store=store, recipes=recipe(tmp_path / "app", "FROM scratch\nCOPY missing /missing\n"))
    first, *shown = str(caught.value).splitlines()
    log = store.logs / "app.log"
    assert first == f"image 'app' could not be built: its log ends with the lines below (all of it: {log})"
    assert all(line.startswith("  | ") for line in shown)
    assert shown[-1].removeprefix("  | ") == log.read_text(encoding="utf-8").splitlines()[-1]
    assert "missing" in shown[-1]
    assert store.all_built() == []


def test_after_a_build_that_failed_the_next_works(store: ImageStore, tmp_path: Path) -> None:
    """A build that failed does not stand in the way of the next one."""
    with pytest.raises(ImageError):
        images.ensure(["app"], store=store, recipes=recipe(tmp_path / "app", "FROM scratch\nCOPY missing /missing\n"))
    tag = images.ensure(["app"], store=store, recipes=recipe(tmp_path / "app", GOOD))["app"]
    assert [record.tag for record in store.all_built()] == [tag]
    assert not store.interrupted


def test_a_store_that_cannot_be_written_is_named(testbed_session: None, tmp_path: Path) -> None:
    """A store in a place where no folder can be made is an error that says where another may be named."""
    (tmp_path / "file").touch()
    store = ImageStore(tmp_path / "file/store")
    with pytest.raises(ImageError) as caught:
        images.ensure(["app"], store=store, recipes=recipe(tmp_path / "app", GOOD))
    assert str(caught.value) == (
        f"the image store {store.folder} cannot be written (Not a directory): set TESTBED_CACHE to a folder that can"
    )


@pytest.fixture(scope="module")
def store_with_base(
    testbed_image: Image, testbed_image_store: ImageStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ImageStore]:
    """A store that has a copy of the base, so that nothing is built into the one that everybody uses."""
    tag = testbed_image(BASE)
    record = testbed_image_store.built(tag)
    assert record is not None
    store = ImageStore(tmp_path_factory.mktemp("with-base") / "store")
    try:
        with store.building(lambda line: None), Builder(store) as builder:
            base._copy(builder, tag, testbed_image_store.storage, tag)
        store.add(record)
        yield store
    finally:
        shutil.rmtree(store.folder, ignore_errors=True)


ON_BASE: Final = "ARG BASE\nFROM $BASE\n"


def test_an_image_of_ones_own_on_the_base(
    store_with_base: ImageStore, make_private_host: Callable[..., PrivateHost], tmp_path: Path
) -> None:
    """A recipe that names the base is built on it, and a container of it runs."""
    recipes = recipe(tmp_path / "own", f"{ON_BASE}COPY data /data\nRUN cat /data >/made\n", BASE=BASE)
    tag = images.ensure(["app"], store=store_with_base, recipes=recipes)["app"]
    container = place(make_private_host(image_store=store_with_base.storage), tag, Place.DEFAULT)
    assert container.exec(["cat", "/made"]).output == b"data\n"


def test_a_command_that_fails_in_a_build_is_shown(store_with_base: ImageStore, tmp_path: Path) -> None:
    """What a failing RUN printed is in the error, and the image is not recorded."""
    recipes = recipe(tmp_path / "own", f"{ON_BASE}RUN echo no such compiler >&2; false\n", BASE=BASE)
    before = store_with_base.all_built()
    with pytest.raises(ImageError) as caught:
        images.ensure(["app"], store=store_with_base, recipes=recipes)
    assert "  | no such compiler\n" in str(caught.value)
    assert store_with_base.all_built() == before


# Builds as processes of their own, on a stage

#: Builds the recipe in /tmp/app into /tmp/store. It says each line, and at the one with ``word`` waits to be told more.
BUILD: Final = """
import os, sys
from pathlib import Path
from testbed import images
from testbed.errors import Error
from testbed.images import ImageStore, Recipe
from testbed.images.builder import Builder

def say(line):
    print(line, flush=True)
    if {word!r} in line:
        print("held by", os.getpid(), flush=True)
        sys.stdin.readline()

store = ImageStore(Path("/tmp/store"))
try:
    recipes = {{"app": Recipe("app", Path("/tmp/app"))}}
    print("tag", images.ensure(["app"], store=store, recipes=recipes, say=say)["app"])
except Error as exc:
    sys.exit(f"{{type(exc).__name__}}: {{exc}}")
with Builder(store) as builder:
    print("left", builder.init.run(["podman", "ps", "--all", "--external", "--quiet"]).split())
    print("untagged", builder.init.run(["podman", "images", "--filter", "dangling=true", "--quiet"]).split())
"""
NEVER: Final = "no line has this"


def build(stage: Stage, *, hold_at: str = NEVER) -> Run:
    """Start a build on a stage."""
    return stage.python(BUILD.format(word=hold_at))


@pytest.fixture
def context(stage: Stage) -> Path:
    """The folder of the recipe on the stage, as a path that works outside."""
    folder = stage.path("/tmp/app")
    recipe(folder, GOOD)
    return folder


def test_two_runs_build_an_image_once(stage: Stage, context: Path) -> None:
    """Of two runs that need the same image one builds it, and the other says whom it waits for and takes it."""
    first = build(stage, hold_at="STEP 2/2")
    first.await_output("held by")
    pid = first.stdout.split("held by ")[1].split()[0]
    second = build(stage)
    second.await_output(f"another run (pid {pid}) is building images; waiting for it")
    first.tell("go on")
    assert (first.wait(), second.wait()) == (0, 0), first.stderr + second.stderr
    assert " into /tmp/store: app\n" in first.stdout
    assert " into /tmp/store: app\n" not in second.stdout
    (tag,) = [line for line in first.stdout.splitlines() if line.startswith("tag ")]
    assert tag in second.stdout.splitlines()


def test_a_killed_build_is_swept_by_the_next(stage: Stage, context: Path) -> None:
    """A killed build leaves no process and no mount and records nothing; the next says what it removes, and works."""
    before = stage.take()
    killed = build(stage, hold_at="STEP 2/2")
    killed.await_output("held by")
    assert stage.take().since(before)["processes"]
    killed.kill(signal.SIGKILL)
    stage.await_nothing_since(before, but="files")
    assert not list(stage.path("/tmp/store").glob("built/*"))
    following = build(stage)
    assert following.wait() == 0, following.stderr
    assert "an earlier build was cut off; removing what it left" in following.stdout
    assert "left []\nuntagged []\n" in following.stdout
    stage.await_nothing_since(before, but="files")


def test_a_waiting_run_goes_on_when_the_building_one_is_killed(stage: Stage, context: Path) -> None:
    """A run that waits for another's build does it itself when the other is killed."""
    killed = build(stage, hold_at="STEP 2/2")
    killed.await_output("held by")
    waiting = build(stage)
    waiting.await_output("waiting for it")
    killed.kill(signal.SIGKILL)
    assert waiting.wait() == 0, waiting.stderr
    assert "an earlier build was cut off; removing what it left" in waiting.stdout


@pytest.mark.parametrize(
    "room",
    [
        "16k",  # not even the log has room
        "64k",
        "1m",
        "5m",  # room for one copy of the file, and Podman makes two
    ],
)
def test_a_full_disk_is_named(stage: Stage, context: Path, room: str) -> None:
    """When the disk is full the error says so and what to do; with more space the next run works."""
    (context / "large").write_bytes(bytes(4 * MEGABYTE))
    (context / "Containerfile").write_text("FROM scratch\nCOPY large /large\n", encoding="utf-8")
    stage.path("/tmp/store").mkdir()
    mount = tools.need("mount", "mount")
    stage.output(mount, "-t", "tmpfs", "-o", f"size={room}", "tmpfs", "/tmp/store")
    failed = build(stage)
    assert failed.wait() == 1
    # Who runs out of it first depends on what Podman's own notes take, which is more from 5 on.
    whose = r"(the image store /tmp/store cannot be written|image 'app' could not be built)"
    cure = r"the disk is full: free some space, or set TESTBED_CACHE to a folder on another disk"
    assert re.match(f"ImageError: {whose}: {cure}", failed.stderr), failed.stderr
    assert not list(stage.path("/tmp/store").glob("built/*.json"))
    stage.output(mount, "-o", "remount,size=100m", "/tmp/store")
    following = build(stage)
    assert following.wait() == 0, following.stderr
    assert "left []\nuntagged []\n" in following.stdout
