"""What must be seen: the scenario's topology as a world to predict from, and the words of the real client. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

from testbed.evidence import Attempt, Container, Evidence, HostFacts, Listener, Names, Protocol
from testbed.evidence.declared import Seat, Stack, picture
from testbed.hosts_file import HostsFile
from testbed.model import Address, Outcome, Target, bracketed
from testbed.predict import Prediction, predict
from testbed.probe import go_text
from testbed.scenarios.portainer import topology as t
from testbed.topology import RESOLVER_ADDRESS

#: Which namespace each vantage that is a container is in.
STACKS: Final[Mapping[str, str]] = {
    "hostnet": "laptop",
    "portainer": "portainer",
    "sidecar": "portainer",
    "second": "second",
    "inner": "inner",
    "nonet": "nonet",
}
_HOSTS: Final = ("laptop", "neighbour")


def _seat(segment: str, address: str, *, bridge: bool = False) -> Seat:
    return Seat(segment, ipaddress.ip_interface(address), bridge=bridge)


def evidence(
    bound: Iterable[Address],
    hosts: Mapping[str, HostsFile],
    *,
    others: Iterable[Address] = (),
    laptop_resolves: bool = True,
) -> Evidence:
    """The lab with a forward listening on the laptop, as a picture.

    :param bound: the addresses it listens on; ``::`` is IPv6 only, as OpenSSH and the testbed bind it
    :param hosts: the hosts file of each vantage
    :param others: further addresses of the laptop, where it is a machine with a life of its own
    :param laptop_resolves: whether the laptop has a resolver to ask
    """
    resolver = ipaddress.ip_address(RESOLVER_ADDRESS)
    answers = Listener(Protocol.UDP, resolver, 53)
    stacks = (
        Stack(
            "laptop",
            (
                _seat("lan", f"{t.LAN_ADDRESS}/{t.LAN_PREFIX}"),
                _seat("wan", f"{t.LAPTOP}/24"),
                _seat("podman0", f"{t.PODMAN0}/16", bridge=True),
                _seat("second", f"{t.SECOND_GATEWAY}/24", bridge=True),
                _seat("inner", f"{t.INNER_GATEWAY}/24", bridge=True),
                _seat("laptop's resolver", f"{resolver}/32", bridge=True),
                *(_seat(f"elsewhere{n}", f"{a}/{a.max_prefixlen}", bridge=True) for n, a in enumerate(others)),
            ),
            forwards=True,
            listeners=(*(Listener(Protocol.TCP, address, t.PORT, v6only=True) for address in bound), answers),
        ),
        Stack("portainer", (_seat("podman0", "10.88.0.10/16"),), gateway=ipaddress.ip_address(t.PODMAN0)),
        Stack("second", (_seat("second", "10.89.0.10/24"),), gateway=ipaddress.ip_address(t.SECOND_GATEWAY)),
        Stack("inner", (_seat("inner", "10.89.1.10/24"),)),  # an internal network has no default route
        Stack("nonet"),
        Stack(
            "neighbour",
            (
                _seat("lan", f"{t.NEIGHBOUR}/{t.LAN_PREFIX}"),
                _seat("neighbour's resolver", f"{resolver}/32", bridge=True),
            ),
            listeners=(answers,),
        ),
    )
    asking = {name: Names(hosts[name], (resolver,)) for name in t.VANTAGES}
    if not laptop_resolves:
        asking["laptop"] = Names(hosts["laptop"])
    return picture(
        stacks,
        [HostFacts(name, name, name, asking[name], zone={}) for name in _HOSTS],
        [
            Container(name, name, "laptop", "running", "bridge", namespace=stack, names=asking[name])
            for name, stack in STACKS.items()
        ],
    )


def url(target: str) -> str:
    """The URL that is tried at a target."""
    return f"https://{bracketed(target)}:{t.PORT}/ping"


def expected(here: Evidence, vantage: str, target: str) -> Prediction:
    """What an attempt from a vantage to a target must end in."""
    return predict(here, Attempt(here.place(vantage), Target.parse(url(target))))


def client_words(prediction: Prediction, target: str, nameserver: str) -> str:
    """What Portainer's own client must say, to the byte; empty where it connects."""
    if prediction.outcome is Outcome.CONNECTED:
        return ""
    if prediction.address is None:
        return go_text.lookup_failure(url(target), target, nameserver)
    assert prediction.errno is not None
    return go_text.dial_failure(url(target), prediction.address, t.PORT, prediction.errno)
