"""Making images: once, under a lock, with progress, and with a log that is shown when it fails."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from testbed import machine, prerequisites
from testbed.errors import ImageError
from testbed.host import settings
from testbed.images import base, recipe
from testbed.images.recipe import BASE, Base, Recipe
from testbed.images.store import Built, ImageStore
from testbed.namespaces import Init

Say = Callable[[str], None]

_SHOWN_ON_FAILURE = 15


def ensure(
    wanted: Sequence[str],
    *,
    store: ImageStore,
    recipes: Mapping[str, Recipe] | None = None,
    say: Say = lambda line: None,
) -> dict[str, str]:
    """Make sure that images are in the store, and return their tags by role.

    :param wanted: roles; :data:`testbed.images.recipe.BASE` is one
    :param recipes: the testbed's own unless given
    :param say: told what happens, a line at a time, whenever something has to be built
    :raises ImageError: a build failed; the message has the end of its log and where the rest is
    :raises UnfitError: this machine cannot build
    """
    recipes = recipe.own_recipes() if recipes is None else recipes
    chosen = recipe.base_for(machine.read())
    tags = recipe.tags(list(wanted), recipes, chosen)
    result = {role: tags[role] for role in wanted}
    if all(store.built(tag) for tag in result.values()):
        return result
    with store.building(say):
        order = recipe.in_order(list(wanted), recipes)
        on_base = BASE in wanted or any(BASE in recipes[role].arguments.values() for role in order)
        missing = [role for role in ([BASE] if on_base else []) + order if not store.built(tags[role])]
        if missing:
            say(f"building into {store.folder}: {', '.join(missing)}")
            _build_all(missing, recipes, tags, chosen, store, say)
    return result


def _build_all(
    missing: Sequence[str],
    recipes: Mapping[str, Recipe],
    tags: Mapping[str, str],
    chosen: Base,
    store: ImageStore,
    say: Say,
) -> None:
    prerequisites.require(prerequisites.private_host(machine.read(), machine.podman_version()))
    with Builder(store) as builder:
        if store.interrupted:
            say("an earlier build was cut off; removing what it left")
            builder.sweep()
        store.mark(dirty=True)
        for number, role in enumerate(missing, 1):
            prefix = f"[{number}/{len(missing)}] {role}"
            start = time.monotonic()
            if role == BASE:
                made_from = base.make(builder, chosen, tags[BASE], lambda line, p=prefix: say(f"{p}: {line}"))  # type: ignore[misc]
            else:
                under = store.built(tags[BASE])
                made_from = under.made_from if under else "scratch"
                arguments = {name: tags[needed] for name, needed in recipes[role].arguments.items()}
                _build_one(builder, recipes[role], tags[role], arguments, prefix, say)
            seconds = round(time.monotonic() - start, 1)
            size = builder.size(tags[role])
            store.add(Built(tags[role], made_from, size, seconds))
            say(f"{prefix}: done in {seconds:.0f} s, {size / 1e6:.1f} MB, from {made_from}")
        store.mark(dirty=False)


def _build_one(builder: Builder, what: Recipe, tag: str, arguments: Mapping[str, str], prefix: str, say: Say) -> None:
    command = ["podman", "build", "--network=host", "--isolation=chroot", "--force-rm", "--pull=never", f"--tag={tag}"]
    command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    builder.logged(
        [*command, str(what.context)],
        what.role,
        lambda line: say(f"{prefix}: {line}") if line.startswith(("STEP ", "[")) else None,
    )


class Builder:
    """Podman in namespaces of its own but on the machine's network, writing the image store.

    Killed at any moment it leaves no process and no mount, only files in the store that :meth:`sweep` removes.
    """

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self.init = Init(
            "the image builder",
            {
                "TESTBED_CONTAINERS_CONF": settings.containers_conf(machine.read()),
                "TESTBED_STORAGE_CONF": settings.storage_conf(str(store.storage), []),
            },
            private_network=False,
        )

    def logged(self, command: Sequence[str], role: str, told: Say, *, stdin_from: Sequence[str] | None = None) -> None:
        """Run a command inside, write all it says to the role's log, and pass its lines on.

        :param stdin_from: a command whose output is the first one's input; it logs there too
        :raises ImageError: either failed
        """
        path = self.store.logs / f"{role}.log"
        with path.open("wb") as log:
            source = None
            if stdin_from is not None:
                source = self._start(stdin_from, subprocess.DEVNULL, subprocess.PIPE, log.fileno())
            process = self._start(
                command, source.stdout if source else subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
            )
            if source and source.stdout:
                source.stdout.close()
            assert process.stdout
            with process.stdout as output:
                for line in output:
                    log.write(line)
                    log.flush()
                    told(line.decode(errors="replace").rstrip())
            failed = [p for p in (source, process) if p is not None and p.wait() != 0]
        if failed:
            raise _failure(role, path)

    def _start(
        self, command: Sequence[str], stdin: int | IO[bytes] | None, stdout: int, stderr: int
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.init.command(command),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=self.init.environment,
            start_new_session=True,
        )

    def size(self, tag: str) -> int:
        """Bytes of an image with all its layers."""
        return int(json.loads(self.init.run(["podman", "image", "inspect", tag]))[0]["Size"])

    def sweep(self) -> None:
        """Remove what a build that was cut off left: its working containers and its untagged images."""
        left = self.init.run(["podman", "ps", "--all", "--external", "--quiet"]).split()
        if left:
            self.init.run(["podman", "rm", "--force", *left])
        self.init.run(["podman", "image", "prune", "--force"])

    def close(self) -> None:
        """End everything inside."""
        self.init.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _failure(role: str, path: Path) -> ImageError:
    text = path.read_text(errors="replace")
    end = "\n".join(line for line in text.splitlines() if line.strip()).splitlines()[-_SHOWN_ON_FAILURE:]
    if "no space left on device" in text.lower():
        cause = "the disk is full: free some space, or set TESTBED_CACHE to a folder on another disk"
    else:
        cause = "its log ends with the lines below"
    return ImageError(
        f"image {role!r} could not be built: {cause} (all of it: {path})\n" + "\n".join(f"  | {x}" for x in end)
    )
