"""Knocking: who answers at an address, from somebody's own place."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage
from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.topology import KITCHEN, OPEN_PORT, PORT, ROOM_OF, SEATS

#: Ways to the kitchen's doormen: its loopback's port by the address that others have for it, and the open one.
SHUT_DOOR: Final = f"{KITCHEN}:{PORT}"
OPEN_DOOR: Final = f"{KITCHEN}:{OPEN_PORT}"


def knock(vantage: Vantage, door: str) -> str:
    """The name of the doorman who answers, or how it ended otherwise, in the word of :class:`Outcome`."""
    seen = vantage.connect(f"http://{door}/")
    if seen.outcome is Outcome.CONNECTED and seen.answer is not None:
        return seen.answer.server
    return str(seen.outcome)


def knock_all(lab: NamespacesLab, door: str) -> dict[str, str]:
    """Who answers each at one and the same address."""
    return {name: knock(vantage, door) for name, vantage in lab.vantages.items()}


def at_loopback() -> dict[str, str]:
    """Who must answer each at localhost: the doorman of the own room."""
    return dict(ROOM_OF)


def at_kitchen(door: str) -> dict[str, str]:
    """Who must answer each at a door of the kitchen: nobody where he stands at loopback, not even in the kitchen."""
    there = "kitchen" if door == OPEN_DOOR else str(Outcome.REFUSED)
    return {name: there if room in SEATS else str(Outcome.NETWORK_UNREACHABLE) for name, room in ROOM_OF.items()}


def taken(net: NetworkNamespace, address: str, port: int) -> int | None:
    """The errno with which the kernel refuses to bind a TCP port; None where it is free."""
    with net.socket() as sock:
        try:
            sock.bind((address, port))
        except OSError as exc:
            return exc.errno
    return None
