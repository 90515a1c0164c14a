"""Images: small, built once, and what happens when a build fails, is cut off or meets another."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import tarfile
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from testbed import images, tools
from testbed.errors import ImageError
from testbed.host.private import PrivateHost
from testbed.images import ImageStore, Recipe, base
from testbed.images.builder import Builder
from testbed.images.recipe import BASE, Base
from tests.host.leftovers import Run, Stage
from tests.host.placed import Placement, place
from tests.own_store import with_image

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
    folder = tmp_path_factory.mktemp("with-base") / "store"
    with with_image(testbed_image_store, testbed_image(BASE), folder) as store:
        yield store


ON_BASE: Final = "ARG BASE\nFROM $BASE\n"


def test_an_image_of_ones_own_on_the_base(
    store_with_base: ImageStore, make_private_host: Callable[..., PrivateHost], tmp_path: Path
) -> None:
    """A recipe that names the base is built on it, and a container of it runs."""
    recipes = recipe(tmp_path / "own", f"{ON_BASE}COPY data /data\nRUN cat /data >/made\n", BASE=BASE)
    tag = images.ensure(["app"], store=store_with_base, recipes=recipes)["app"]
    container = place(make_private_host(image_store=store_with_base.storage), tag, Placement.DEFAULT)
    made = container.host.process(container.pid) / "root/made"
    assert made.read_bytes() == b"data\n"


def test_a_command_that_fails_in_a_build_is_shown(store_with_base: ImageStore, tmp_path: Path) -> None:
    """What a failing RUN printed is in the error, and the image is not recorded."""
    recipes = recipe(tmp_path / "own", f"{ON_BASE}RUN echo no such compiler >&2; false\n", BASE=BASE)
    before = store_with_base.all_built()
    with pytest.raises(ImageError) as caught:
        images.ensure(["app"], store=store_with_base, recipes=recipes)
    assert "  | no such compiler\n" in str(caught.value)
    assert store_with_base.all_built() == before


# What the base is made from

SLIM: Final = "docker.io/library/debian:bookworm-slim"
UBUNTU: Final = "docker.io/library/ubuntu:noble"
MINE: Final = "localhost/mine:latest"
#: Its name only ends as another's.
ANOTHER: Final = "quay.io/x/my-ubuntu:jammy"
NEW: Final = "localhost/new/base:1"


def add_image(builder: Builder, name: str) -> None:
    """Add an image of one file to a builder's store; it says by a label what it was called first."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("file"))
    builder.init.run(["podman", "import", f"--change=LABEL first={name}", "-", name], stdin=packed.getvalue())


def first_name(builder: Builder, name: str) -> str:
    """What an image of a builder's store was called first."""
    return builder.init.run(["podman", "image", "inspect", "--format={{.Labels.first}}", name]).strip()


@pytest.fixture(scope="module")
def own_images(testbed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageStore]:
    """What a machine's own Podman has: some small images."""
    store = ImageStore(tmp_path_factory.mktemp("own") / "store")
    try:
        with store.building(lambda line: None), Builder(store) as builder:
            for name in (SLIM, UBUNTU, MINE, ANOTHER):
                add_image(builder, name)
        yield store
    finally:
        shutil.rmtree(store.folder, ignore_errors=True)


@pytest.fixture
def builder(store: ImageStore) -> Iterator[Builder]:
    """Podman at work on an empty store."""
    with store.building(lambda line: None), Builder(store) as builder:
        yield builder


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Base("bookworm"), SLIM),
        (Base("noble", distribution="ubuntu"), UBUNTU),
        (Base("bookworm", MINE), MINE),
        (Base("bookworm", "mine"), MINE),
        (Base("trixie", "debian:bookworm-slim"), SLIM),
    ],
    ids=["Debian", "Ubuntu", "named in full", "named as Podman lets one name it", "named without its registry"],
)
def test_the_base_is_an_image_at_hand(
    own_images: ImageStore, builder: Builder, monkeypatch: pytest.MonkeyPatch, wanted: Base, found: str
) -> None:
    """The slim image of the release, or the image that was named, is copied from the machine's own Podman."""
    monkeypatch.setattr(base, "_OWN_STORES", (own_images.storage,))
    said: list[str] = []
    assert base.make(builder, wanted, NEW, said.append) == f"registry image {found}"
    assert first_name(builder, NEW) == found
    assert said == [f"from {found}, which this machine's own Podman has"]


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for what mmdebstrap prints, which takes a quarter of a minute: a tar archive."""
    monkeypatch.setattr(base, "_mmdebstrap", lambda codename: ["tar", "--create", "--directory=/etc", "passwd"])


def test_an_image_of_another_name_is_not_the_base(
    own_images: ImageStore, builder: Builder, packages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the machine's own Podman has only other images, the distribution's packages are the base."""
    monkeypatch.setattr(base, "_OWN_STORES", (own_images.storage,))
    assert base.make(builder, Base("jammy", distribution="ubuntu"), NEW, lambda line: None) == "the packages of jammy"
    assert builder.size(NEW) > 0


def test_a_store_that_podman_cannot_read_is_passed_over(
    own_images: ImageStore, builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store whose list of images is none is left alone, and the next one is looked at."""
    (tmp_path / "overlay-images/images.json").mkdir(parents=True)
    monkeypatch.setattr(base, "_OWN_STORES", (tmp_path, own_images.storage))
    assert base.make(builder, Base("bookworm"), NEW, lambda line: None) == f"registry image {SLIM}"


class _Registry(BaseHTTPRequestHandler):
    """A registry (OCI distribution spec) that has one image, from a folder that ``podman push dir:`` has filled."""

    folder: Path

    def do_GET(self) -> None:
        """Answer the spec's first question, or with the manifest or a blob."""
        kind, _, digest = self.path.partition("/v2/")[2].partition("/")[2].partition("/")
        file = {"manifests": "manifest.json", "blobs": digest.removeprefix("sha256:")}.get(kind)
        body = (self.folder / file).read_bytes() if file else b"{}"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", json.loads(body)["mediaType"] if kind == "manifests" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(own_images: ImageStore, tmp_path: Path) -> Iterator[str]:
    """The address of a registry that has an image under every name."""
    with Builder(own_images) as builder:
        builder.init.run(["podman", "push", "--format=v2s2", SLIM, f"dir:{tmp_path}/pushed"])
    handler = type("Registry", (_Registry,), {"folder": tmp_path / "pushed"})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_named_image_that_is_not_at_hand_is_pulled(
    registry: str, builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that TESTBED_BASE_IMAGE names comes from its registry where the machine's own Podman has it not."""
    monkeypatch.setattr(base, "_OWN_STORES", ())
    trusted = tmp_path / "registries.conf"
    trusted.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n', encoding="utf-8")
    monkeypatch.setitem(builder.init.environment, "CONTAINERS_REGISTRIES_CONF", str(trusted))
    said: list[str] = []
    name = f"{registry}/debian:12"
    assert base.make(builder, Base("bookworm", name), NEW, said.append) == f"registry image {name}"
    assert first_name(builder, NEW) == SLIM
    assert said == [f"from the registry image {name}"]


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
