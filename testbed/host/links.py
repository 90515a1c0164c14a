"""Cables between hosts: veth pairs (veth(4)) with an end in each host's network namespace."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from pyroute2 import IPRoute

from testbed.host.protocol import Host


@dataclass(frozen=True, slots=True)
class CableEnd:
    """One end of a cable.

    :param link: the interface's name on its host, at most 15 bytes
    :param address: address and prefix length, such as ``198.51.100.1/24``
    """

    host: Host
    link: str
    address: str


def join(one: CableEnd, other: CableEnd) -> None:
    """Lay a cable between two hosts. It goes with whichever host is closed first.

    :raises pyroute2.NetlinkError: the kernel refused, such as EEXIST for a name that is taken
    """

    def lay() -> None:
        with IPRoute() as ipr:
            peer = {"ifname": other.link, "net_ns_fd": other.host.net.fileno()}
            ipr.link("add", ifname=one.link, kind="veth", peer=peer)

    one.host.net.run(lay)
    for end in (one, other):
        end.host.net.run(lambda end=end: _set_up(end))  # type: ignore[misc]


def _set_up(end: CableEnd) -> None:
    interface = ipaddress.ip_interface(end.address)
    with IPRoute() as ipr:
        (index,) = ipr.link_lookup(ifname=end.link)
        ipr.addr("add", index=index, address=str(interface.ip), prefixlen=interface.network.prefixlen)
        ipr.link("set", index=index, state="up")
