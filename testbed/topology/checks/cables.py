"""Contradictions of cables, in themselves and with the rest of a topology."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from testbed.topology.checks.index import Index
from testbed.topology.checks.syntax import interface, link_fault, mac_fault, twice
from testbed.topology.interfaces import ends_at
from testbed.topology.specs import RESOLVER_ADDRESS, CableEndSpec, CableSpec

#: Names that others give interfaces of a host: the kernel, the private host's resolver, Podman's bridges and netavark's
#: ends of containers' veth pairs.
_HOSTS_OWN: Final = re.compile(r"lo|resolver0|(podman|veth)[0-9]+")
_IPV4, _IPV6 = 4, 6
_SUCH_AS: Final = {_IPV4: "198.51.100.1/24", _IPV6: "2001:db8::1/64"}


def of_cables(cables: Sequence[CableSpec], index: Index) -> Iterator[str]:
    """One sentence for each end of a cable that cannot be honoured."""
    for cable in cables:
        for end in (cable.one, cable.other):
            yield from _of_end(end, index)
    for place in dict.fromkeys(end.place for cable in cables for end in (cable.one, cable.other)):
        for link in twice(end.link for end in ends_at(cables, place)):
            yield f"two cables have an end called {link!r} at {place!r}: call one of them otherwise"


def _of_end(end: CableEndSpec, index: Index) -> Iterator[str]:
    who = f"the cable's end {end.link!r} at {end.place!r}"
    if why := link_fault(end.link):
        yield f"{who}: it cannot be called that: {why}"
    yield from _of_place(who, end, index)
    for field, text, version in (("address", end.address, _IPV4), ("ipv6_address", end.ipv6_address, _IPV6)):
        if text is None:
            continue
        found = interface(text)
        if found is None or found.version != version:
            wanted = f"IPv{version} address with a prefix length, such as {_SUCH_AS[version]!r}"
            yield f"{who}: {field} {text!r} is no {wanted}"
        elif found.ip == found.network.network_address and found.network.num_addresses > 2:  # noqa: PLR2004 - RFC 3021
            yield f"{who}: {field} {text!r} is the prefix itself, and no address of an interface"
        elif str(found.ip) == RESOLVER_ADDRESS and end.place in index.hosts:
            yield f"{who}: {field} {text!r} is the resolver's of every private host: take another"
    if end.mac is not None and (why := mac_fault(end.mac)):
        yield f"{who}: mac {end.mac!r}: {why}"


def _of_place(who: str, end: CableEndSpec, index: Index) -> Iterator[str]:
    if end.place in index.hosts:
        if _HOSTS_OWN.fullmatch(end.link):
            yield f"{who}: a host's own interface has that name, or may come to have it: call the end otherwise"
        return
    container = index.containers.get(end.place)
    if container is None:
        known = ", ".join([*index.hosts, *index.containers])
        yield f"{who}: there is no host and no container {end.place!r}: there are {known}"
        return
    if end.link == "lo" or end.link in {f"eth{number}" for number in range(len(container.networks))}:
        yield f"{who}: the container's own interface has that name: call the end otherwise"
    if container.mode == "host":
        yield f"{who}: its mode is 'host', and the interface would be the host's: give the end to {container.host!r}"
    elif container.mode and container.mode.startswith("container:"):
        whose = container.mode.partition(":")[2]
        yield f"{who}: its mode is {container.mode!r}: give the end to {whose!r}, whose network namespace it is in"
    elif container.mode == "none" and container.restart != "no":
        yield (
            f"{who}: restart {container.restart!r} with mode 'none': Podman would start the container again in another "
            "network namespace, without its cables: put it on a network, or use Lab.restart"
        )
