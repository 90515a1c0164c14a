"""Checks of packets that come in by an interface, and of frames that cross a bridge. Pure."""

from __future__ import annotations

from testbed.evidence import Link, Namespace, RouteKind
from testbed.predict.ending import Martian, PacketEnding, ReversePath, Trail
from testbed.predict.routing import Chosen, is_local, reverse_path_fails, setting, way_back
from testbed.predict.unknown import Unknown, UnmodelledAddress


def loopback_refusal(trail: Trail, link: Link) -> Martian | None:
    """The ending where a packet with a loopback address came in by a real interface; None where it may.

    IPv4 may where route_localnet is on (net/ipv4/route.c, ip_route_input_slow), IPv6 never (net/ipv6/ip6_input.c).

    :param trail: the packet, and the namespace that it has come to
    """
    packet = trail.packet
    for address in (packet.destination, packet.source):
        if address.is_loopback and (address.version == 6 or not takes_loopback(trail.namespace, link.name)):
            return Martian(trail, link, address)
    return None


def source_refusal(trail: Trail, link: Link, chosen: Chosen) -> PacketEnding | None:
    """The ending where a namespace takes no packet from such a source by an interface; None where it does.

    The rules are those of net/ipv4/fib_frontend.c (fib_validate_source); IPv6 has none.

    :param trail: the packet, and the namespace that it has come to
    :param chosen: the route of the packet from there
    """
    here, packet = trail.namespace, trail.packet
    outgoing = chosen.link.name if chosen.link and chosen.kind is RouteKind.UNICAST else "lo"
    accepts = any(setting(here, f"ipv4/conf/{name}/accept_local") for name in ("all", link.name))
    own = packet.source.version == 4 and not packet.source.is_loopback
    if own and not accepts and is_local(here, packet.source, source=packet.destination, incoming=outgoing):
        return Martian(trail, link, packet.source)
    if reverse_path_fails(
        here, link, packet.source, destination=packet.destination, mark=packet.mark, outgoing=outgoing
    ):
        back = way_back(here, link, packet.source, destination=packet.destination, mark=packet.mark, outgoing=outgoing)
        return ReversePath(trail, link, back.forbidden_by or back.route)
    if chosen.kind in (RouteKind.BROADCAST, RouteKind.MULTICAST, RouteKind.ANYCAST):
        return Unknown(trail, UnmodelledAddress(packet.destination, chosen.kind))
    return None


def takes_loopback(here: Namespace, link: str) -> bool:
    """Tell if 127.0.0.0/8 may come and go by an interface (ip-sysctl, route_localnet)."""
    return any(setting(here, f"ipv4/conf/{name}/route_localnet") for name in ("all", link))


def filters_bridges(here: Namespace, version: int) -> bool:
    """Tell if frames that cross a namespace's bridges pass its IP firewall (br_netfilter)."""
    return bool(setting(here, f"bridge/bridge-nf-call-{'ip6' if version == 6 else 'ip'}tables"))
