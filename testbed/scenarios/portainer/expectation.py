"""What must be seen: the scenario's topology as a world to predict from, and the words of the real client. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

from testbed.hosts_file import HostsFile
from testbed.model import Address, Outcome, Target, bracketed
from testbed.predict import Interface, Place, Prediction, Stack, World, predict
from testbed.probe import go_text
from testbed.scenarios.portainer import topology as t

#: Which namespace each vantage is in.
STACKS: Final[Mapping[str, str]] = {
    "laptop": "laptop",
    "hostnet": "laptop",
    "portainer": "portainer",
    "sidecar": "portainer",
    "second": "second",
    "inner": "inner",
    "nonet": "nonet",
    "neighbour": "neighbour",
}


def _interface(segment: str, address: str) -> Interface:
    return Interface(segment, ipaddress.ip_interface(address))


def world(
    bound: Iterable[Address],
    hosts: Mapping[str, HostsFile],
    *,
    others: Iterable[Address] = (),
    laptop_resolves: bool = True,
) -> World:
    """The lab with a forward listening on the laptop.

    :param bound: the addresses it listens on
    :param hosts: the hosts file of each vantage
    :param others: further addresses of the laptop, where it is a machine with a life of its own
    :param laptop_resolves: whether the laptop has a resolver to ask
    """
    listeners = frozenset((address, t.PORT) for address in bound)
    stacks = {
        "laptop": Stack(
            (
                _interface("lan", f"{t.LAN_ADDRESS}/{t.LAN_PREFIX}"),
                _interface("wan", f"{t.LAPTOP}/24"),
                _interface("podman0", f"{t.PODMAN0}/16"),
                _interface("second", f"{t.SECOND_GATEWAY}/24"),
                _interface("inner", f"{t.INNER_GATEWAY}/24"),
                *(_interface("elsewhere", f"{address}/{address.max_prefixlen}") for address in others),
            ),
            forwards=True,
            listeners=listeners,
        ),
        "portainer": Stack((_interface("podman0", "10.88.0.10/16"),), gateway=ipaddress.ip_address(t.PODMAN0)),
        "second": Stack((_interface("second", "10.89.0.10/24"),), gateway=ipaddress.ip_address(t.SECOND_GATEWAY)),
        "inner": Stack((_interface("inner", "10.89.1.10/24"),)),  # an internal network has no default route
        "nonet": Stack(),
        "neighbour": Stack((_interface("lan", f"{t.NEIGHBOUR}/{t.LAN_PREFIX}"),)),
    }
    places = {name: Place(STACKS[name], hosts[name], name != "laptop" or laptop_resolves) for name in t.VANTAGES}
    return World(stacks, places)


def url(target: str) -> str:
    """The URL that is tried at a target."""
    return f"https://{bracketed(target)}:{t.PORT}/ping"


def expected(here: World, vantage: str, target: str) -> Prediction:
    """What an attempt from a vantage to a target must end in."""
    return predict(here, vantage, Target.parse(url(target)))


def client_words(prediction: Prediction, target: str, nameserver: str) -> str:
    """What Portainer's own client must say, to the byte; empty where it connects."""
    if prediction.outcome is Outcome.CONNECTED:
        return ""
    if prediction.address is None:
        return go_text.lookup_failure(url(target), target, nameserver)
    assert prediction.errno is not None
    return go_text.dial_failure(url(target), prediction.address, t.PORT, prediction.errno)
