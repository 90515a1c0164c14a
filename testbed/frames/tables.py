"""The tables of the link layer, as they are now: whom a bridge knows, and whose MAC addresses a namespace knows."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.evidence import Neighbour
from testbed.frames.packet_socket import no_such
from testbed.namespaces import NetworkNamespace
from testbed.readers.links import read_links


@dataclass(frozen=True, slots=True)
class FdbRow:
    """An entry of a bridge's forwarding database (bridge(8)): an address, and the port that leads to it."""

    port: str
    """The interface's name; the bridge's own for its own address."""
    mac: str
    state: str
    """``permanent`` and ``static`` as bridge(8) says; others come from watching: ``reachable``, ``stale``."""

    @property
    def learned(self) -> bool:
        """Whether the bridge has it from watching: it ages out, and follows an address to another port."""
        return self.state not in ("permanent", "static")


def fdb(net: NetworkNamespace, bridge: str) -> tuple[FdbRow, ...]:
    """What a bridge knows: the addresses of its own and its ports', which are permanent, and those it has learned.

    :raises CaptureError: there is no bridge of that name
    :raises OSError: the kernel refused
    """
    seen = net.run(read_links)
    bridges = {one.name: one.index for one in seen.links if one.kind == "bridge"}
    if bridge not in bridges:
        raise no_such(net, "bridge", bridge, sorted(bridges))
    index = bridges[bridge]
    ports = {one.index: one.name for one in seen.links if index in (one.index, one.master)}
    return tuple(FdbRow(ports[row.link], row.mac, row.state) for row in seen.fdb if row.link in ports)


def neighbours(net: NetworkNamespace) -> tuple[Neighbour, ...]:
    """Whose MAC addresses a namespace knows, asks for, or asked for in vain; IPv4 (ARP) and IPv6 (NDP).

    :raises OSError: the kernel refused
    """
    return net.run(read_links).neighbours
