"""Cables: veth pairs (veth(4)) with an end in each of two network namespaces."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyroute2 import IPRoute

from testbed.errors import HostError
from testbed.host.protocol import Host
from testbed.namespaces import NetworkNamespace
from testbed.topology.interfaces import sysctl_path


@dataclass(frozen=True, slots=True)
class CableEnd:
    """One end of a cable."""

    host: Host
    link: str
    """The interface's name, at most 15 bytes."""
    address: str | None = None
    """IPv4 address and prefix length, such as ``198.51.100.1/24``."""
    ipv6_address: str | None = None
    """IPv6 address and prefix length, such as ``2001:db8::1/64``."""
    mac: str | None = None
    """MAC address; the kernel makes one up by default."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Kernel parameters of the interface, set before it is up."""
    namespace: NetworkNamespace | None = None
    """The network namespace of a container of the host; the host's own by default."""

    @property
    def net(self) -> NetworkNamespace:
        """The network namespace that it is in."""
        return self.namespace or self.host.net


def join(one: CableEnd, other: CableEnd) -> None:
    """Lay a cable. It goes with whichever of its network namespaces is gone first.

    :raises pyroute2.NetlinkError: the kernel refused, such as EEXIST for a name that is taken
    :raises HostError: it knows no such sysctl, or not the value
    """

    def lay() -> None:
        with IPRoute() as ipr:
            peer = {"ifname": other.link, "net_ns_fd": other.net.fileno(), **_mac(other)}
            ipr.link("add", ifname=one.link, kind="veth", peer=peer, **_mac(one))

    one.net.run(lay)
    for end in (one, other):
        end.net.run(lambda end=end: _set_up(end))  # type: ignore[misc]


def cut(net: NetworkNamespace, link: str) -> None:
    """Remove the cable that has an end of that name, where there is one."""

    def remove() -> None:
        with IPRoute() as ipr:
            for index in ipr.link_lookup(ifname=link):
                ipr.link("del", index=index)

    net.run(remove)


def set_sysctls(host: Host, net: NetworkNamespace, sysctls: Mapping[str, str]) -> None:
    """Set kernel parameters of a network namespace (sysctl(8)).

    :param host: whose /proc they are written in: that is the one that is sure to be writable, and /proc/sys/net shows
        the network namespace of whoever looks (proc(5))
    :raises HostError: the kernel knows no such name, or not the value
    """
    net.run(lambda: _write(host, net.what, sysctls))


def _write(host: Host, whose: str, sysctls: Mapping[str, str]) -> None:
    for name, value in sysctls.items():
        try:
            host.path(f"/proc/sys/{sysctl_path(name)}").write_text(value, encoding="utf-8")
        except OSError as exc:
            raise HostError(f"the sysctl {name!r} of {whose} was not set to {value!r}: {exc.strerror}") from exc


def _mac(end: CableEnd) -> dict[str, str]:
    return {"address": end.mac} if end.mac else {}


def _set_up(end: CableEnd) -> None:
    _write(end.host, end.net.what, end.sysctls)
    with IPRoute() as ipr:
        (index,) = ipr.link_lookup(ifname=end.link)
        for text in (end.address, end.ipv6_address):
            if text:
                interface = ipaddress.ip_interface(text)
                ipr.addr("add", index=index, address=str(interface.ip), prefixlen=interface.network.prefixlen)
        ipr.link("set", index=index, state="up")
