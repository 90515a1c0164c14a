"""A lab that runs a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from testbed import images
from testbed.host.protocol import Host
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.topology import Topology


class ScenarioLab(Lab):
    """A lab of a topology with the testbed's own images.

    :param store: where images are, and are built where they are missing
    :param special: makes a host otherwise than as a private one, by its name
    :param say: told what takes long, a line at a time
    :param call_by: what commands that repeat an attempt by hand start with
    :raises Error: an image cannot be built, or something does not start; what did is ended again
    """

    def __init__(
        self,
        topology: Topology,
        *,
        store: ImageStore | None = None,
        special: Mapping[str, Callable[[], Host]] | None = None,
        say: Callable[[str], None] = lambda line: None,
        call_by: str = "testbed exec",
    ) -> None:
        self.store = store or ImageStore()
        super().__init__(
            topology,
            images=images.ensure(topology.roles, store=self.store, say=say),
            image_store=self.store.storage,
            special=special,
            call_by=call_by,
        )
