"""What an image is made from, and the tag that follows from it: same content, same tag. Reads files, builds nothing."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Final

from testbed.errors import ImageError
from testbed.machine_facts import Machine
from testbed.prerequisites import APT

BASE: Final = "base"
#: Names a registry image to use as base instead of the distribution's packages.
BASE_VARIABLE: Final = "TESTBED_BASE_IMAGE"
_DEFAULT_CODENAME: Final = "bookworm"
_HASH_LENGTH: Final = 12
#: Part of the base's tag: raise it when the way of making the base changes.
_BASE_VERSION: Final = "2"
_PASSED_OVER: Final = frozenset({"__pycache__", ".git"})


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: a folder with a Containerfile, and the images that its build arguments name.

    :param role: the image's name, such as ``agent``
    :param context: the folder
    :param arguments: build argument to the role of the image that it is to name, such as ``{"BASE": "base"}``
    """

    role: str
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Base:
    """What the base image is made from."""

    codename: str
    """The release of the distribution whose packages it is made from."""
    registry_image: str = ""
    """A registry image to use instead; empty for the distribution's packages."""
    distribution: str = "debian"
    """Whose release it is, ID of os-release(5); no part of the tag, because no two of them share a codename."""

    @property
    def slim_image(self) -> str:
        """The distribution's own image of this release in the registries, the smallest there is."""
        return f"{self.distribution}:{self.codename}" + ("-slim" if self.distribution == "debian" else "")


def base_for(machine: Machine) -> Base:
    """The base of this machine: the image named by TESTBED_BASE_IMAGE, else its own release."""
    named = os.environ.get(BASE_VARIABLE, "")
    if machine.distribution in APT and machine.codename:
        return Base(machine.codename, named, machine.distribution)
    return Base(_DEFAULT_CODENAME, named)


def own_recipes() -> dict[str, Recipe]:
    """The testbed's own images, by role: each folder of images/ that has a Containerfile is one.

    :raises ImageError: a Containerfile's build arguments name no images
    """
    folders = sorted(path.parent for path in _images_folder().glob("*/Containerfile"))
    return {
        folder.name: Recipe(folder.name, folder, arguments_of(folder, {BASE, *(other.name for other in folders)}))
        for folder in folders
    }


def arguments_of(folder: Path, roles: Collection[str]) -> dict[str, str]:
    """The build arguments of a Containerfile that name images: those before its first FROM, without a default.

    ``ARG GO`` is the image of the role ``go``. Only those arguments can stand in a FROM (Dockerfile reference,
    "Understand how ARG and FROM interact").

    :param folder: has the Containerfile
    :param roles: the images there are
    :returns: build argument to role
    :raises ImageError: an argument is called as no image is
    """
    found = {}
    for line in (folder / "Containerfile").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            break
        if words[:1] == ["ARG"] and "=" not in line:
            role = words[1].lower().replace("_", "-")
            if role not in roles:
                raise ImageError(
                    f"{folder / 'Containerfile'} takes {words[1]!r}, and no image is called {role!r}: "
                    f"there are {', '.join(sorted(roles))}"
                )
            found[words[1]] = role
    return found


def in_order(wanted: list[str], recipes: Mapping[str, Recipe]) -> list[str]:
    """The wanted roles and all they are made from, each after what it needs; the base is not listed.

    :raises ImageError: a role is unknown, or made from itself
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    seen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        role = waiting.pop(0)
        if role == BASE or role in seen:
            continue
        if role not in recipes:
            raise ImageError(f"no image is called {role!r}: there are {', '.join(sorted({BASE, *recipes}))}")
        seen.add(role)
        needed = list(recipes[role].arguments.values())
        sorter.add(role, *needed)
        waiting += needed
    try:
        return [role for role in sorter.static_order() if role != BASE]
    except CycleError as exc:
        raise ImageError(f"images are made from each other in a circle: {' from '.join(exc.args[1])}") from exc


def tags(wanted: list[str], recipes: Mapping[str, Recipe], base: Base) -> dict[str, str]:
    """The tag of every image in :func:`in_order`, and of the base: it changes when any content below it does.

    :raises ImageError: a role is unknown, or its folder has no Containerfile
    """
    named = f"{base.codename} {base.registry_image} {platform.machine()} {_BASE_VERSION}"
    found = {BASE: _tag(BASE, hashlib.sha256(named.encode()).hexdigest())}
    for role in in_order(wanted, recipes):
        recipe = recipes[role]
        digest = hashlib.sha256(_content(recipe.context).encode())
        for argument, needed in sorted(recipe.arguments.items()):
            digest.update(f"{argument}={found[needed]}\n".encode())
        found[role] = _tag(role, digest.hexdigest())
    return found


def environment(tags: Mapping[str, str]) -> dict[str, str]:
    """The variables by which compose files name images, such as ``TESTBED_IMAGE_BASE``, each with its tag.

    :param tags: by role
    """
    return {f"TESTBED_IMAGE_{role.upper().replace('-', '_')}": tag for role, tag in tags.items()}


def _tag(role: str, digest: str) -> str:
    return f"localhost/testbed/{role}:{digest[:_HASH_LENGTH]}"


def _content(folder: Path) -> str:
    """One digest over names, modes and bytes of a folder's files."""
    if not (folder / "Containerfile").is_file():
        raise ImageError(f"{folder} has no Containerfile: name the folder that has one")
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _PASSED_OVER & set(path.relative_to(folder).parts):
            executable = os.access(path, os.X_OK)
            digest.update(f"{path.relative_to(folder)} {executable} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _images_folder() -> Path:
    """images/ beside the package in a checkout, inside it in an installed wheel."""
    package = Path(str(resources.files("testbed")))
    checkout = package.parent / "images"
    return checkout if (checkout / "agent" / "Containerfile").is_file() else package / "_images"
