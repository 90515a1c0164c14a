"""Making images: once, under a lock, with progress, and with a log that is shown when it fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from testbed import machine, prerequisites
from testbed.images import base, recipe
from testbed.images.builder import Builder, Say
from testbed.images.recipe import BASE, Base, Recipe
from testbed.images.store import Built, ImageStore


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
    command += ["--format=docker"]  # OCI's has no place for a health check
    command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    builder.logged(
        [*command, str(what.context)],
        what.role,
        lambda line: say(f"{prefix}: {line}") if line.startswith(("STEP ", "[")) else None,
    )
