"""The scenario's lab: one host, its containers, and a doorman on the same port of every room's 127.0.0.1."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import Unpack

from testbed.host.protocol import Host
from testbed.probe import Vantage
from testbed.scenarios.namespaces.doorman import Doorman
from testbed.scenarios.namespaces.house import House
from testbed.scenarios.namespaces.topology import LAPTOP, OPEN_PORT, PORT, ROOM_OF, ROOMS, SEATS, TOPOLOGY
from testbed.scenarios.scenario_lab import LabSettings, ScenarioLab


class NamespacesLab(ScenarioLab):
    """A laptop with two containers of its bridge, two that share a room with others, and one without any network.

    :param settings: those of :class:`testbed.scenarios.scenario_lab.LabSettings`
    """

    def __init__(self, **settings: Unpack[LabSettings]) -> None:
        self._closing = ExitStack()
        super().__init__(TOPOLOGY, **settings)

    def _settle(self) -> None:
        for room in ROOMS:
            self.stand(room, room, "127.0.0.1", PORT)
        for room, address in SEATS.items():
            self.stand(room, room, address, OPEN_PORT)

    @property
    def laptop(self) -> Host:
        """The one machine that there is."""
        return self.hosts[LAPTOP]

    @cached_property
    def vantages(self) -> Mapping[str, Vantage]:
        """A place to try from for everybody, the laptop first."""
        return {name: self.vantage(name) for name in ROOM_OF}

    @cached_property
    def house(self) -> House:
        """The host within the host, made when first asked for."""
        house = House(self.laptop, image_store=self.store.storage, image=self._images["base"])
        self._closing.callback(house.close)
        return house

    def stand(self, who: str, name: str, address: str, port: int) -> Doorman:
        """Put a doorman into somebody's room; it stays until it or the lab is closed.

        :raises OSError: the address or port cannot be bound there
        """
        return self._closing.enter_context(Doorman(self.vantages[who].net, name, address, port))

    def close(self) -> None:
        """End the doormen and the house, then everything else."""
        self._closing.close()
        super().close()
