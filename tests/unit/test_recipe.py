"""Tags that follow from content."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.errors import ImageError
from testbed.images import recipe
from testbed.images.recipe import BASE, Base, Recipe, arguments_of, base_for, in_order, own_recipes, tags
from tests.unit.stand_ins import a_machine

BOOKWORM = Base("bookworm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a small image."""
    made = tmp_path / "app"
    (made / "sub").mkdir(parents=True)
    (made / "Containerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    (made / "run").write_text("#!/bin/sh\n")
    (made / "sub" / "file").write_text("content")
    return made


def tag_of(folder: Path, arguments: dict[str, str] | None = None, base: Base = BOOKWORM) -> str:
    """The tag of an image made from a folder."""
    return tags(["app"], {"app": Recipe("app", folder, arguments or {})}, base)["app"]


def test_same_content_has_the_same_tag(folder: Path, tmp_path: Path) -> None:
    """A copy elsewhere, with other times, has the same tag: images are shared by checkouts and by CI runs."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    os.utime(copy / "run", (0, 0))
    assert tag_of(copy) == tag_of(folder)


def test_tag_names_its_role() -> None:
    """A tag is the role's in the testbed's own local namespace, with twelve digits of its digest."""
    name, digest = tags([], {}, BOOKWORM)[BASE].split(":")
    assert name == "localhost/testbed/base"
    assert len(digest) == 12
    assert int(digest, 16) >= 0


def _byte(folder: Path) -> None:
    (folder / "sub" / "file").write_text("Content")


def _file_name(folder: Path) -> None:
    (folder / "sub" / "file").rename(folder / "sub" / "File")


def _folder_name(folder: Path) -> None:
    (folder / "sub").rename(folder / "bus")


def _executable(folder: Path) -> None:
    (folder / "run").chmod(0o755)


def _containerfile(folder: Path) -> None:
    (folder / "Containerfile").write_text("FROM scratch\n")


def _new_file(folder: Path) -> None:
    (folder / "empty").touch()


def _moved_border(folder: Path) -> None:
    """The same bytes in a row, but for where one file ends and the next begins."""
    (folder / "run").write_text("#!/bin/sh\nx")
    (folder / "sub" / "file").write_text("ontent")


@pytest.mark.parametrize(
    "change",
    [_byte, _file_name, _folder_name, _executable, _containerfile, _new_file, _moved_border],
    ids=lambda change: change.__name__.strip("_"),
)
def test_other_content_has_another_tag(change: Callable[[Path], None], folder: Path) -> None:
    """A byte, a name, an executable bit, a new file: each gives another tag."""
    before = tag_of(folder)
    change(folder)
    assert tag_of(folder) != before


@pytest.mark.parametrize("path", ["__pycache__/x.pyc", ".git/HEAD", "sub/__pycache__/x.pyc"])
def test_what_tools_leave_behind_is_passed_over(path: str, folder: Path) -> None:
    """Python's and git's own folders are no part of the content."""
    before = tag_of(folder)
    (folder / path).parent.mkdir()
    (folder / path).write_text("x")
    assert tag_of(folder) == before


@pytest.mark.parametrize(
    "base", [Base("trixie"), Base("bookworm", "docker.io/library/debian:12")], ids=["release", "registry image"]
)
def test_base_is_part_of_the_tag_of_what_is_built_on_it(base: Base, folder: Path) -> None:
    """Another base gives itself and everything above it another tag."""
    arguments = {"BASE": BASE}
    assert tags([], {}, base)[BASE] != tags([], {}, BOOKWORM)[BASE]
    assert tag_of(folder, arguments, base) != tag_of(folder, arguments)


def test_base_is_no_part_of_the_tag_of_what_is_not_built_on_it(folder: Path) -> None:
    """An image FROM scratch keeps its tag whatever the base is."""
    assert tag_of(folder, {}, Base("trixie")) == tag_of(folder, {})


def test_change_below_changes_everything_above(folder: Path, tmp_path: Path) -> None:
    """A byte in an image that an argument names, also through another image, gives another tag."""
    middle = tmp_path / "middle"
    middle.mkdir()
    (middle / "Containerfile").write_text("ARG LOW\n")
    recipes = {
        "low": Recipe("low", folder),
        "middle": Recipe("middle", middle, {"LOW": "low"}),
        "top": Recipe("top", middle, {"MIDDLE": "middle"}),
        "aside": Recipe("aside", middle),
    }
    before = tags(["top", "aside"], recipes, BOOKWORM)
    _byte(folder)
    after = tags(["top", "aside"], recipes, BOOKWORM)
    assert {role for role in after if after[role] != before[role]} == {"low", "middle", "top"}


def test_arguments_name_is_part_of_the_tag(folder: Path) -> None:
    """The same image as another argument is another build."""
    assert tag_of(folder, {"BASE": BASE}) != tag_of(folder, {"GO": BASE})


def test_order_of_arguments_does_not_count(folder: Path) -> None:
    """Arguments are a mapping: writing them in another order changes nothing."""
    assert tag_of(folder, {"A": BASE, "B": BASE}) == tag_of(folder, {"B": BASE, "A": BASE})


@pytest.mark.parametrize(
    ("wanted", "order"),
    [
        (["portainer", "agent"], ["go", "portainer", "agent"]),
        (["agent", "go"], ["go", "agent"]),
        (["sshd", "sshd"], ["sshd"]),
        ([BASE], []),
        ([], []),
    ],
    ids=["what is needed first", "once each", "asked for twice", "the base is not listed", "nothing"],
)
def test_images_are_made_after_what_they_are_made_from(wanted: list[str], order: list[str]) -> None:
    """The wanted roles and what they need stand in an order in which they can be built."""
    assert in_order(wanted, own_recipes()) == order


def test_unknown_role_is_refused() -> None:
    """A role that nobody knows is an ImageError with the ones there are."""
    with pytest.raises(ImageError) as caught:
        in_order(["porttainer"], own_recipes())
    known = "agent, base, frontend, go, ledger, orders, portainer, sshd"
    assert str(caught.value) == f"no image is called 'porttainer': there are {known}"


def test_folder_without_a_containerfile_is_refused(tmp_path: Path) -> None:
    """A folder that is no image is an ImageError with its path."""
    with pytest.raises(ImageError) as caught:
        tag_of(tmp_path)
    assert str(caught.value) == f"{tmp_path} has no Containerfile: name the folder that has one"


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("ARG BASE\nFROM ${BASE}\n", {"BASE": BASE}),
        ("# ARG NONE\nARG GO\nARG BASE\nFROM ${GO} AS build\nFROM ${BASE}\n", {"GO": "go", "BASE": BASE}),
        ("ARG VERSION=1.25\nARG BASE\nFROM ${BASE}\nARG LATER\n", {"BASE": BASE}),
        ("FROM scratch\n", {}),
    ],
    ids=["one", "two", "with a default, and behind FROM", "none"],
)
def test_arguments_before_the_first_from_name_images(folder: Path, text: str, arguments: dict[str, str]) -> None:
    """``ARG NAME`` without a default, before the first FROM, is the image of that role; no other argument is."""
    (folder / "Containerfile").write_text(text)
    assert arguments_of(folder, {BASE, "go"}) == arguments


def test_argument_that_names_no_image_is_refused(folder: Path) -> None:
    """An argument called as no image is: an ImageError with the file, the argument and the images there are."""
    (folder / "Containerfile").write_text("ARG BAES\nFROM ${BAES}\n")
    with pytest.raises(ImageError) as caught:
        arguments_of(folder, {BASE, "go"})
    file = folder / "Containerfile"
    assert str(caught.value) == f"{file} takes 'BAES', and no image is called 'baes': there are base, go"


def test_own_images_are_all_there() -> None:
    """Each of the testbed's own recipes has its folder and a tag of its own."""
    recipes = own_recipes()
    found = tags(list(recipes), recipes, BOOKWORM)
    assert set(found) == {BASE, *recipes}
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("role", own_recipes())
def test_own_containerfile_takes_the_arguments_of_its_recipe(role: str) -> None:
    """Each argument of a recipe is one that its Containerfile declares, so that no image is built on another."""
    made = own_recipes()[role]
    lines = (made.context / "Containerfile").read_text().splitlines()
    declared = {line.split()[1].partition("=")[0] for line in lines if line.startswith("ARG ")}
    assert set(made.arguments) <= declared


@pytest.mark.parametrize(
    ("distribution", "codename", "chosen"),
    [
        ("debian", "trixie", Base("trixie")),
        ("ubuntu", "noble", Base("noble", distribution="ubuntu")),
        ("fedora", "", Base("bookworm")),
        ("debian", "", Base("bookworm")),
    ],
    ids=["Debian", "Ubuntu", "other distribution", "Debian without a codename"],
)
def test_base_is_the_machines_own_release(
    distribution: str, codename: str, chosen: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Debian and Ubuntu the base is their own release, elsewhere Debian 12."""
    monkeypatch.delenv(recipe.BASE_VARIABLE, raising=False)
    assert base_for(a_machine(distribution=distribution, codename=codename)) == chosen


def test_base_image_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """TESTBED_BASE_IMAGE names a registry image to build on."""
    monkeypatch.setenv("TESTBED_BASE_IMAGE", "quay.io/x:1")
    assert base_for(a_machine()) == Base("bookworm", "quay.io/x:1")


def test_images_made_from_each_other_are_refused(tmp_path: Path) -> None:
    """A circle of build arguments is named, not followed for ever."""
    recipes = {"a": Recipe("a", tmp_path, {"X": "b"}), "b": Recipe("b", tmp_path, {"X": "a"})}
    with pytest.raises(ImageError, match=r"in a circle: (a from b from a|b from a from b)"):
        in_order(["a"], recipes)
