"""What the kernel takes from a wire, and what it passes its firewall on the way through a bridge. Pure."""

from __future__ import annotations

from testbed.evidence import Link, Namespace, RouteKind
from testbed.predict.firewall import Packet
from testbed.predict.prediction import Disposition
from testbed.predict.routing import Chosen, is_local, reverse_path_fails, setting


def refusal(here: Namespace, link: Link, packet: Packet, chosen: Chosen) -> tuple[Disposition, str] | None:
    """Why a namespace takes no such packet from an interface; None where it does.

    The rules are those of net/ipv4/route.c (ip_route_input_slow, fib_validate_source) and ipv6/ip6_input.c.
    """
    for what, address in (("to", packet.destination), ("from", packet.source)):
        if address.is_loopback and (address.version == 6 or not takes_loopback(here, link.name)):
            return (
                Disposition.MARTIAN,
                f"{here.label} takes no packet {what} {address} from {link.name} (route_localnet is 0)",
            )
    accepts = any(setting(here, f"ipv4/conf/{name}/accept_local") for name in ("all", link.name))
    own = packet.source.version == 4 and not packet.source.is_loopback and is_local(here, packet.source)
    if own and not accepts:
        return Disposition.MARTIAN, f"{here.label} takes no packet from its own {packet.source} from {link.name}"
    if reverse_path_fails(here, link, packet.source):
        return (
            Disposition.REVERSE_PATH,
            f"{here.label} would not answer {packet.source} by {link.name}, so rp_filter drops it",
        )
    if chosen.kind in (RouteKind.BROADCAST, RouteKind.MULTICAST, RouteKind.ANYCAST):
        return Disposition.UNKNOWN, f"{packet.destination} is a {chosen.kind} address"
    return None


def takes_loopback(here: Namespace, link: str) -> bool:
    """Whether 127.0.0.0/8 may come and go by an interface (ip-sysctl, route_localnet)."""
    return any(setting(here, f"ipv4/conf/{name}/route_localnet") for name in ("all", link))


def filters_bridges(here: Namespace, version: int) -> bool:
    """Whether frames that cross a namespace's bridges pass its IP firewall (br_netfilter)."""
    return bool(setting(here, f"bridge/bridge-nf-call-{'ip6' if version == 6 else 'ip'}tables"))
