"""Places that a picture does not show: neighbours on a host's LANs, and a host beyond its router. Pure.

Each is made by adding to the picture what must be there: a neighbour on the uplink, a router where the default route
has its gateway, and a host behind that.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from testbed.errors import UsageError
from testbed.evidence import lookup
from testbed.evidence.added_lan import LOOPBACKS, SHORTEST, Lan, everything, station, unused_key
from testbed.evidence.kernel import InterfaceAddress, Namespace, Route, Subnet
from testbed.evidence.picture import Evidence, Place
from testbed.evidence.podman import HostFacts, Names
from testbed.evidence.uplinks import Uplink, default_routes, uplinks
from testbed.hosts_file import HostsFile
from testbed.model import Address

#: A network of the outside: one of those that nobody has (RFC 5737; RFC 3849).
_OUTSIDE: Final[dict[int, tuple[Subnet, ...]]] = {
    4: tuple(map(ipaddress.IPv4Network, ("198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"))),
    6: tuple(map(ipaddress.IPv6Network, ("2001:db8:ffff::/64", "2001:db8:fffe::/64"))),
}


@dataclass(frozen=True, slots=True)
class Remote:
    """A place that is not in the picture that was taken, and the picture with it."""

    word: str
    """As ``--from`` takes it: ``lan:eth0`` or ``outside``."""
    evidence: Evidence
    place: Place
    """Where an attempt of that picture starts."""
    addresses: tuple[Address, ...]
    """Of the host, on the uplink that its packets come in by."""


def neighbours(evidence: Evidence, host: HostFacts) -> tuple[Remote, ...]:
    """A neighbour on each LAN of a host, with an address of its own and the host's router as default gateway."""
    found = (_neighbour(evidence, host, uplink) for uplink in uplinks(evidence, host))
    return tuple(one for one in found if one is not None)


def outside(evidence: Evidence, host: HostFacts) -> Remote | None:
    """A host behind the router of a host's default route; None where it has none."""
    here = evidence.namespaces.get(host.namespace)
    for uplink in uplinks(evidence, host):
        if here is not None and (routes := default_routes(here, uplink)):
            return _beyond(evidence, host, here, uplink, routes)
    return None


def remotes(evidence: Evidence, host: HostFacts) -> tuple[Remote, ...]:
    """Everybody that may come in from elsewhere: the neighbours, then the host beyond the router."""
    beyond = outside(evidence, host)
    return (*neighbours(evidence, host), *((beyond,) if beyond else ()))


def is_remote(text: str, names: Iterable[str]) -> bool:
    """Tell if what was typed for a place means one of these.

    :param text: in the notation of :mod:`testbed.evidence.lookup`
    :param names: of the hosts and containers that are there: one of them that is called so is meant
    """
    word = text.rpartition("/")[2]
    return word.partition(":")[0] in (lookup.LAN, lookup.OUTSIDE) and word not in names


def start(evidence: Evidence, text: str) -> tuple[Evidence, Place, Remote | None]:
    """The place that a person means, in the picture or beyond it, and the picture that has it.

    :param text: in the notation of :mod:`testbed.evidence.lookup`, or as :func:`remote` takes it
    :returns: beyond it the last value is that place; in it None
    :raises UsageError: there is no such place, or there are several
    """
    if not is_remote(text, [place.name for place in evidence.places()]):
        return evidence, evidence.place(text), None
    found = remote(evidence, text)
    return found.evidence, found.place, found


def remote(evidence: Evidence, text: str) -> Remote:
    """The place that a person means by ``[LAB/][HOST/]lan``, ``lan:INTERFACE`` or ``outside``.

    :raises UsageError: there is none, or there are several
    """
    within, _, word = text.rpartition("/")
    hosts = [evidence.place(f"{within}/{lookup.HOST}").host] if within else _each_namespace_once(evidence.hosts)
    several = len(hosts) > 1
    found = [
        (f"{host.name}/{one.word}" if several else one.word, one)
        for host in hosts
        for one in remotes(evidence, host)
        if word in (one.word, one.word.partition(":")[0])
    ]
    if not found:
        raise UsageError(_none(evidence, hosts, word))
    if len(found) > 1:
        raise UsageError(f"{text!r} may be any of {', '.join(words for words, _ in found)}: give one of these")
    return found[0][1]


def _none(evidence: Evidence, hosts: list[HostFacts], word: str) -> str:
    names = ", ".join(host.name for host in hosts)
    known = [one.word for host in hosts for one in remotes(evidence, host)]
    there = f"; there are: {', '.join(known)}" if known else ""
    if word == lookup.OUTSIDE:
        return f"{names} has no default route by an interface that leads out, so that nobody outside reaches it{there}"
    _, _, link = word.partition(":")
    if link:
        return f"{names} has no uplink {link!r} with a subnet that has neighbours{there}"
    return f"{names} has no uplink: no interface that is up, has a global address and leads to others than containers"


def _each_namespace_once(hosts: Iterable[HostFacts]) -> list[HostFacts]:
    """The rootful and the rootless Podman of a machine are one place."""
    return list({host.namespace: host for host in reversed(tuple(hosts))}.values())[::-1]


# --- what is added ----------------------------------------------------------------------------------------------------


def _neighbour(evidence: Evidence, host: HostFacts, uplink: Uplink) -> Remote | None:
    here = evidence.namespaces[host.namespace]
    lan = Lan(evidence, here, uplink)
    own = tuple(lan.free(network) for network in lan.networks)
    addresses = tuple(address for address in own if address is not None)
    if not addresses:
        return None
    routes = default_routes(here, uplink)
    added = lan.with_router(routes)
    key = unused_key(evidence, f"{host.namespace}/{lookup.LAN}:{uplink.link.name}")
    label = f"a neighbour on {uplink.link.name}"
    made = station(key, label, added.port(key, 2), addresses, tuple(r.gateway for r in routes if r.gateway))
    return _remote(added, host, made, f"{lookup.LAN}:{uplink.link.name}", uplink, lan.networks)


def _beyond(evidence: Evidence, host: HostFacts, here: Namespace, uplink: Uplink, routes: tuple[Route, ...]) -> Remote:
    added = Lan(evidence, here, uplink).with_router(routes)
    key, label = unused_key(evidence, f"{host.namespace}/{lookup.OUTSIDE}"), "a host outside"
    networks = [_unused(here, route.destination.version) for route in routes]
    if added.router is None:
        # A link without a gateway leads to whoever is at its other end, and beyond.
        far = tuple(_interface(network, 7) for network in networks)
        made = station(key, label, added.port(key, 2), far, (), on_link=True)
    else:
        peer = added.join_router(key, 2, tuple(_interface(network, 1) for network in networks))
        far = tuple(_interface(network, 7) for network in networks)
        made = station(key, label, peer, far, tuple(network[1] for network in networks))
    return _remote(added, host, made, lookup.OUTSIDE, uplink, tuple(map(everything, (4, 6))))


def _remote(
    lan: Lan, host: HostFacts, made: Namespace, word: str, uplink: Uplink, senders: tuple[Subnet, ...]
) -> Remote:
    own = tuple(address.ip for address in uplink.addresses)
    known = HostsFile({host.name.lower(): own, "localhost": tuple(each.ip for each in reversed(LOOPBACKS))})
    facts = HostFacts(made.key, made.label, made.key, Names(known, sources=("files",)), zone={}, stands_for=senders)
    evidence = replace(
        lan.evidence,
        hosts=(*lan.evidence.hosts, facts),
        namespaces={**lan.namespaces, lan.switch.key: lan.switch, made.key: made},
    )
    return Remote(word, evidence, Place(facts), own)


def _unused(here: Namespace, version: int) -> Subnet:
    """A network of the outside that the host has no route for but its default routes."""
    taken = [r.destination for r in here.routes if r.destination.prefixlen >= SHORTEST]
    choice = _OUTSIDE[version]
    free = (one for one in choice if not any(one[0] in net for net in taken if net.version == version))
    return next(free, choice[0])


def _interface(network: Subnet, number: int) -> InterfaceAddress:
    return ipaddress.ip_interface(f"{network[number]}/{network.prefixlen}")
