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
    """The socket that the kernel hands a packet to: the one that fits best.

    Those of the address itself are looked at before the wildcards (net/ipv4/inet_hashtables.c, __inet_lookup_listener;
    net/ipv4/udp.c, __udp4_lib_lookup); of each a bound interface counts most, and then for IPv4 a socket of IPv4 more
    than one of IPv6 without IPV6_V6ONLY (compute_score).

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


def _score(listener: Listener, address: Address, link: int) -> tuple[bool, bool, bool] | None:
    """The address itself, a bound interface, the same version of IP: what counts, the most first."""
    if listener.link not in (0, link):
        return None
    bound = listener.address
    if bound in (address, _ANY[address.version]):
        return bound == address, bool(listener.link), True
    if address.version == 4 and bound == _ANY[6] and not listener.v6only:
        return False, bool(listener.link), False
    return None


def mapped(address: Address) -> Address:
    """An IPv4 address that an IPv6 socket names (::ffff:a.b.c.d, RFC 4291, 2.5.5.2) as itself."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
