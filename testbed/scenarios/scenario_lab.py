"""A lab that runs a scenario, or any topology of the testbed's own images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict, Unpack

from testbed import images
from testbed.host.protocol import Host
from testbed.images import ImageStore, Recipe
from testbed.lab import Lab
from testbed.scenarios.scenario import Options, Scenario
from testbed.topology import Topology


class LabSettings(TypedDict, total=False):
    """Settings of a lab beside its topology; each may be left out."""

    store: ImageStore
    """Where images are, and are built where they are missing; the user's own by default."""
    recipes: Mapping[str, Recipe]
    """Recipes of images, by role; the testbed's own by default."""
    special: Mapping[str, Callable[[], Host]]
    """Makes a host otherwise than as a private one, by its name."""
    say: Callable[[str], None]
    """Is told what takes long, a line at a time."""
    call_by: str
    """Prefix of the commands that repeat an attempt by hand; ``testbed exec`` by default."""


class ScenarioLab(Lab):
    """A lab of a topology, whose images are built where they are missing.

    :param settings: those of :class:`LabSettings`
    :raises Error: an image cannot be built, or something does not start; what did is ended again
    """

    def __init__(self, topology: Topology, **settings: Unpack[LabSettings]) -> None:
        self.store = settings.get("store") or ImageStore()
        super().__init__(
            topology,
            images=images.ensure(
                topology.roles,
                store=self.store,
                recipes=settings.get("recipes"),
                say=settings.get("say", lambda line: None),
            ),
            image_store=self.store.storage,
            special=settings.get("special"),
            call_by=settings.get("call_by", "testbed exec"),
        )

    def stay(self, options: Options) -> None:
        """Do what a lab that goes on running in the background is to have done, by its scenario's options.

        Nothing, unless a scenario's own lab does something here.

        :param options: each option of the scenario, the defaults filled in
        :raises Error: it cannot be done
        """


def start(what: Scenario | Topology, **settings: Unpack[LabSettings]) -> ScenarioLab:
    """Start the lab of a scenario, or of a topology without one.

    :param settings: those of :class:`LabSettings`
    :raises Error: it did not start; nothing is left of it
    """
    if isinstance(what, Topology):
        return ScenarioLab(what, **settings)
    if what.lab is None:
        return ScenarioLab(what.topology.load(), **settings)
    lab = what.lab.load()(**settings)
    assert isinstance(lab, ScenarioLab)
    return lab
