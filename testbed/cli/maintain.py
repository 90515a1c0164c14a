"""``testbed build`` and ``testbed clean``: what is kept on disk, and what is left running."""

from __future__ import annotations

from typing import Final

import click

from testbed import images
from testbed.background import running
from testbed.background.find import stop
from testbed.cli.ending import leaving
from testbed.cli.progress import status
from testbed.host.local import clean_local
from testbed.images import ImageStore, environment, own_recipes
from testbed.namespaces import become_root
from testbed.report.console import make, plain

#: What a build that is cut off leaves.
_LEFT: Final = "the images that are done stay, and the next build removes what is half made"


@click.command(
    epilog="""
\b
Examples:
  testbed build
  TESTBED_BASE_IMAGE=NAME testbed build    on a registry image
  testbed build --env >compose/.env        the tags, where podman-compose looks for them
"""
)
@click.option("--env", "as_environment", is_flag=True, help="Print their tags, as lines of an environment file.")
def build(as_environment: bool) -> None:
    """Build the images that are not built yet; says what they are made from. Silent when there is nothing to do."""
    become_root()
    with leaving(_LEFT), status("looking at the images") as say:
        tags = images.ensure(["base", *own_recipes()], store=ImageStore(), say=say)
    if as_environment:
        for variable, tag in environment(tags).items():
            click.echo(f"{variable}={tag}")


@click.command(epilog="\b\nExamples:\n  testbed clean\n  testbed clean --images")
@click.option("--images", "with_images", is_flag=True, help="Also the built images.")
def clean(with_images: bool) -> None:
    """End every background lab of yours and remove what a killed run left; with --images also the built images.

    As root that includes what --testbed-host=local left on this machine: containers, networks, rules.
    """
    with leaving("not all was removed: run it again for the rest"):
        _clean(with_images=with_images)


def _clean(*, with_images: bool) -> None:
    console = make()
    for lab in running():
        stop(lab)
        console.print(plain(f"ended the lab {lab.name}"))
    for removed in clean_local():
        console.print(plain(f"removed {removed}"))
    store = ImageStore()
    if with_images and store.folder.exists():
        become_root()  # the layers' files belong to subordinate ids
        with store.building(lambda line: console.print(plain(line))):
            store.remove()
        console.print(plain(f"removed the images in {store.folder}"))
    console.print(plain("nothing of ours is left"))
