"""Addresses and MAC addresses that two interfaces of one link have, or that two of one namespace have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testbed.model import Address
from testbed.topology.checks.index import Index
from testbed.topology.checks.syntax import address, interface, twice
from testbed.topology.interfaces import ends_at


@dataclass(frozen=True, slots=True)
class _Interface:
    whose: str
    addresses: tuple[Address, ...]
    mac: str | None


def shared_segments(index: Index) -> Iterator[str]:
    """One sentence for each address that a network, a cable or a namespace has twice."""
    for (host, name), network in index.networks.items():
        there = [
            _Interface("its gateway", _addresses(network.gateway, network.ipv6_gateway), None),
            *(
                _Interface(repr(container.name), _addresses(end.address, end.ipv6_address), end.mac)
                for container in index.containers.values()
                if container.host == host
                for end in container.networks
                if end.network == name
            ),
        ]
        yield from _twice(f"on the network {name!r} of {host!r}", there)
    for cable in index.cables:
        ends = [(end, f"{end.link!r} at {end.place!r}") for end in (cable.one, cable.other)]
        there = [_Interface(whose, _addresses(end.address, end.ipv6_address), end.mac) for end, whose in ends]
        yield from _twice("on one cable", there)
    for place in dict.fromkeys([*index.hosts, *index.containers]):
        container = index.containers.get(place)
        there = [
            _Interface(repr(end.link), _addresses(end.address, end.ipv6_address), end.mac)
            for end in ends_at(index.cables, place)
        ]
        there += [
            _Interface(f"'eth{number}'", _addresses(end.address, end.ipv6_address), end.mac)
            for number, end in enumerate(container.networks if container else ())
        ]
        yield from _twice(f"at {place!r}", there)


def _addresses(*texts: str | None) -> tuple[Address, ...]:
    found = ((text, interface(text)) for text in texts if text)
    read = (with_prefix.ip if with_prefix else address(text) for text, with_prefix in found)
    return tuple(one for one in read if one)


def _twice(where: str, there: Iterable[_Interface]) -> Iterator[str]:
    known = list(there)
    for shared in twice(one for interface_ in known for one in interface_.addresses):
        holders = " and ".join(one.whose for one in known if shared in one.addresses)
        yield f"the address {shared} is given twice {where}: to {holders}"
    for mac in twice(one.mac.lower() for one in known if one.mac):
        holders = " and ".join(one.whose for one in known if one.mac and one.mac.lower() == mac)
        yield f"the MAC address {mac} is given twice {where}: to {holders}"
