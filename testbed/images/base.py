"""The base image: a registry image where one is named or at hand, else the distribution's own packages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from testbed import machine as machines
from testbed import prerequisites
from testbed.errors import CommandError
from testbed.host import settings
from testbed.images.builder import Builder
from testbed.images.recipe import Base

#: Left out of every package: nobody reads it in a container, and it is a third of the size.
_LEFT_OUT: Final = ("doc", "man", "locale", "info", "i18n", "lintian", "bug", "zoneinfo")
_MERGED_USR: Final = "/usr/share/mmdebstrap/hooks/merged-usr"
#: Where a machine's own Podman keeps its images (containers-storage.conf(5)): root's, and a user's.
_OWN_STORES: Final = (Path("/var/lib/containers/storage"), Path.home() / ".local/share/containers/storage")


def make(builder: Builder, base: Base, tag: str, say: Callable[[str], None]) -> str:
    """Make the base image and return what it was made from.

    :raises ImageError: it could not be made
    """
    at_hand = _at_hand(builder, base.registry_image or base.slim_image)
    if at_hand is not None:
        image, store = at_hand
        say(f"from {image}, which this machine's own Podman has")
        _copy(builder, image, store, tag)
        return f"registry image {image}"
    if base.registry_image:
        say(f"from the registry image {base.registry_image}")
        builder.logged(["podman", "pull", base.registry_image], "base", lambda line: None)
        builder.init.run(["podman", "tag", base.registry_image, tag])
        return f"registry image {base.registry_image}"
    say(f"from the packages of {base.codename}, by mmdebstrap")
    prerequisites.require(prerequisites.images(machines.read()))
    builder.logged(
        ["podman", "import", "-", tag],
        "base",
        lambda line: None,
        stdin_from=_mmdebstrap(base.codename),
    )
    return f"the packages of {base.codename}"


def _mmdebstrap(codename: str) -> list[str]:
    hook = [f"--hook-dir={_MERGED_USR}"] if Path(_MERGED_USR).is_dir() else []
    return [
        "env",
        "TMPDIR=/var/tmp",  # the builder's own, which goes with it: a killed mmdebstrap leaves what it has unpacked
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        "--include=usr-is-merged",  # else init-system-helpers takes usrmerge, and all of Perl with it
        *hook,
        # The machine's own resolver and name have no business in a container.
        '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in _LEFT_OUT),
        codename,
        "-",
    ]


def _reader(store: Path) -> list[str]:
    """A Podman that has another store's images and writes nothing into it."""
    conf = settings.storage_conf("/run/testbed/reader", [store])
    script = (
        'printf %s "$1" >/run/testbed/reader.conf; shift; CONTAINERS_STORAGE_CONF=/run/testbed/reader.conf exec "$@"'
    )
    return ["sh", "-c", script, "sh", conf, "podman"]


def _at_hand(builder: Builder, wanted: str) -> tuple[str, Path] | None:
    """An image by its whole name, and the store of the machine's own Podman that has it.

    :param wanted: its name, which need not have a registry, nor a tag where that is ``latest``
    """
    tagged = wanted if ":" in wanted.rpartition("/")[2] else f"{wanted}:latest"
    for store in _OWN_STORES:
        if not os.access(store / "overlay-images", os.R_OK | os.X_OK):
            continue
        try:
            names = builder.init.run([*_reader(store), "images", "--format", "{{.Repository}}:{{.Tag}}"]).split()
        except CommandError:
            continue  # somebody else's store, or one that this Podman cannot read
        for name in names:
            if name == tagged or name.endswith(f"/{tagged}"):
                return name, store
    return None


def _copy(builder: Builder, image: str, store: Path, tag: str) -> None:
    builder.logged(
        ["podman", "load"],
        "base",
        lambda line: None,
        stdin_from=[*_reader(store), "save", "--format", "docker-archive", image],
    )
    builder.init.run(["podman", "tag", image, tag])
