"""The scenario's lab: a shop that sells toasters, and whoever buys one."""

from __future__ import annotations

from typing import Unpack

from testbed.containers import HostContainer
from testbed.containers.roles.ledger import LedgerContainer
from testbed.host.protocol import Host
from testbed.scenarios.scenario_lab import LabSettings, ScenarioLab
from testbed.scenarios.toaster.topology import TOPOLOGY


class ToasterLab(ScenarioLab):
    """Jack, two couriers between, and the shop with its frontend, its orders and its ledger.

    :param settings: those of :class:`testbed.scenarios.scenario_lab.LabSettings`
    """

    def __init__(self, **settings: Unpack[LabSettings]) -> None:
        super().__init__(TOPOLOGY, **settings)

    def _settle(self) -> None:
        """Have podman0 keep its MAC address: netavark 1.14 sets one, and 1.4 does not.

        By itself a bridge borrows the lowest of its ports' (br_stp_recalculate_bridge_id): when that container is
        started again the others send what is for outside to nobody for seconds, until they believe in the old one no
        more.
        """
        mac = self.shop.run(["cat", "/sys/class/net/podman0/address"]).strip()
        self.shop.run(["ip", "link", "set", "dev", "podman0", "address", mac])

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
