"""The scenario's lab: a shop that sells toasters, and whoever buys one."""

from __future__ import annotations

from collections.abc import Callable

from testbed import images
from testbed.containers import HostContainer, LedgerContainer
from testbed.host.protocol import Host
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.scenarios.toaster.topology import TOPOLOGY


class ToasterLab(Lab):
    """Jack, two couriers between, and the shop with its frontend, its orders and its ledger.

    :param store: where images are, and are built where they are missing
    :param say: told what takes long, a line at a time
    """

    def __init__(self, *, store: ImageStore | None = None, say: Callable[[str], None] = lambda line: None) -> None:
        store = store or ImageStore()
        super().__init__(
            TOPOLOGY, images=images.ensure(TOPOLOGY.roles, store=store, say=say), image_store=store.storage
        )

    @property
    def jack(self) -> Host:
        """The customer's machine."""
        return self.hosts["jack"]

    @property
    def shop(self) -> Host:
        """The machine that the shop's containers are on."""
        return self.hosts["shop"]

    @property
    def frontend(self) -> HostContainer:
        """nginx."""
        return self.containers["frontend"]

    @property
    def orders(self) -> HostContainer:
        """The backend."""
        return self.containers["orders"]

    @property
    def ledger(self) -> LedgerContainer:
        """The database."""
        container = self.containers["ledger"]
        assert isinstance(container, LedgerContainer)
        return container
