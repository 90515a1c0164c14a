"""Which socket of a namespace a packet is for. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final

from testbed.evidence import Listener, Namespace, Protocol
from testbed.model import Address

_ANY: Final = {4: ipaddress.ip_address("0.0.0.0"), 6: ipaddress.ip_address("::")}


def listener_for(
    namespace: Namespace, protocol: Protocol, address: Address, port: int | None, link: int
) -> Listener | None:
    """The socket that the kernel hands a packet to: the one that fits best (net/ipv4/inet_hashtables.c, compute_score).

    A bound interface counts more than a bound address, and that more than a wildcard; for IPv4 a wildcard of IPv6
    without IPV6_V6ONLY comes last.

    :param port: the destination port; no socket takes a packet without one
    :param link: the index of the interface that the packet came in by
    """
    scored = [
        (score, listener)
        for listener in namespace.listeners
        if listener.protocol is protocol
        and listener.port == port
        and (score := _score(listener, address, link)) is not None
    ]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def _score(listener: Listener, address: Address, link: int) -> tuple[bool, int] | None:
    if listener.link not in (0, link):
        return None
    bound = listener.address
    if bound == address:
        return bool(listener.link), 3
    if bound == _ANY[address.version]:
        return bool(listener.link), 2
    if address.version == 4 and bound == _ANY[6] and not listener.v6only:
        return bool(listener.link), 1
    return None


def mapped(address: Address) -> Address:
    """An IPv4 address that an IPv6 socket names (::ffff:a.b.c.d, RFC 4291, 2.5.5.2) as itself."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
