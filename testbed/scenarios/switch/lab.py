"""The scenario's lab: three containers at podman0, and taps at each of its ports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Unpack

from testbed.frames import Tap, fdb
from testbed.host.protocol import Host
from testbed.namespaces import NetworkNamespace
from testbed.scenarios.scenario_lab import LabSettings, ScenarioLab
from testbed.scenarios.switch.topology import BADGES, BRIDGE, FENCE, LAPTOP, PEOPLE, TOPOLOGY

#: What the kernel says by itself would teach the switch, or come between a question and its answer: neighbour discovery
#: and multicast reports of IPv6, and the question of ARP five seconds after a stale entry was used (arp(7)).
_QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv4.neigh.{link}.delay_first_probe_time=3600")
#: The kernel's own: five minutes (net/bridge/br_device.c, br_dev_setup).
_AGEING = "30000"


class SwitchLab(ScenarioLab):
    """A laptop with alice, bob and carlos at podman0, who are silent until told to speak.

    :param settings: those of :class:`testbed.scenarios.scenario_lab.LabSettings`
    """

    def __init__(self, **settings: Unpack[LabSettings]) -> None:
        super().__init__(TOPOLOGY, **settings)

    def _settle(self) -> None:
        for name in (LAPTOP, *PEOPLE):
            link = BRIDGE if name == LAPTOP else "eth0"
            self.command(name, ["sysctl", "-qw", *(setting.format(link=link) for setting in _QUIET)])

    @property
    def laptop(self) -> Host:
        """The machine that the switch is in."""
        return self.hosts[LAPTOP]

    def net(self, name: str) -> NetworkNamespace:
        """The network namespace of a person, or of the laptop."""
        return self.laptop.net if name == LAPTOP else self.containers[name].net

    def set_bridge(self, *words: str) -> None:
        """Change the switch: words of ``ip link set dev podman0 type bridge`` (ip-link(8))."""
        self.laptop.run(["ip", "link", "set", "dev", BRIDGE, "type", "bridge", *words])

    @contextmanager
    def ageing(self, hundredths: int) -> Iterator[None]:
        """Have the notebook keep a line for so many hundredths of a second (ip-link(8), ageing_time) meanwhile."""
        self.set_bridge("ageing_time", str(hundredths))
        try:
            yield
        finally:
            self.set_bridge("ageing_time", _AGEING)

    def forget(self) -> None:
        """Empty the notebook of everything that was learned."""
        self.set_bridge("fdb_flush")

    @cached_property
    def ports(self) -> Mapping[str, str]:
        """The port of the switch that leads to each person: the other end of the veth pair."""
        names = {link["ifindex"]: str(link["ifname"]) for link in self.links(LAPTOP)}
        return {name: names[self.seat(name)["link_index"]] for name in PEOPLE}

    @property
    def taps(self) -> tuple[Tap, ...]:
        """One at each port, called by who sits there, and one at the laptop's own seat."""
        at_ports = (Tap(name, self.laptop.net, port) for name, port in self.ports.items())
        return (*at_ports, Tap(LAPTOP, self.laptop.net, BRIDGE))

    def notebook(self) -> dict[str, str]:
        """What the switch has learned: each badge, and who sits at the port that it was heard at; no fence's."""
        people = {port: name for name, port in self.ports.items()}
        learned = (row for row in fdb(self.laptop.net, BRIDGE) if row.learned and row.mac != FENCE)
        return {row.mac: people.get(row.port, row.port) for row in learned}

    def known(self) -> tuple[str, ...]:
        """Whom the switch knows where they really sit, in the order of the table."""
        written = self.notebook()
        return tuple(name for name in PEOPLE if written.get(BADGES[name]) == name)

    def seat(self, name: str) -> dict[str, Any]:
        """A person's own end of the veth pair, as ``ip -json -details link`` has it."""
        (eth0,) = (link for link in self.links(name) if link["ifname"] == "eth0")
        return eth0

    def links(self, name: str) -> list[dict[str, Any]]:
        """The interfaces of a person, or of the laptop, as ``ip -json -details link`` has them."""
        found: list[dict[str, Any]] = json.loads(self.command(name, ["ip", "-json", "-details", "link"]))
        return found
