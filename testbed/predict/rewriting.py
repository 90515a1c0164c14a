"""Changes that a rule makes to a packet: its mark, its tracking, its addresses and ports. Pure."""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass, replace
from typing import Final

from testbed.evidence import Act, Action, Hook
from testbed.model import Address
from testbed.predict.packet import Packet

_LOOPBACK: Final = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}


def changed(packet: Packet, action: Action) -> Packet:
    """The packet after SET_MARK, SET_CONNTRACK_MARK or NOTRACK."""
    if action.act is Act.NOTRACK:
        return replace(packet, tracked=False, state="untracked")
    first, second, copies = _mark_argument(action.argument)
    if action.act is Act.SET_MARK:
        if copies:
            return replace(packet, mark=packet.mark & ~first ^ packet.conntrack_mark & second)
        return replace(packet, mark=packet.mark & first ^ second)
    if copies:
        return replace(packet, conntrack_mark=packet.conntrack_mark & ~second ^ packet.mark & first)
    return replace(packet, conntrack_mark=packet.conntrack_mark & first ^ second)


@functools.lru_cache(maxsize=1024)
def _mark_argument(text: str) -> tuple[int, int, bool]:
    copies = text.startswith("copy ")
    first, _, second = text.removeprefix("copy ").partition("/")
    return int(first, 16), int(second, 16), copies


def translated(packet: Packet, action: Action, hook: Hook) -> Packet | None:
    """The packet with other addresses and with the status that this gives its connection; None where not known.

    A translation to the same is none (net/netfilter/nf_nat_core.c, nf_nat_setup_info).
    """
    found = _rewritten(packet, action, hook)
    if found is None:
        return None
    status = packet.status
    if (found.destination, found.destination_port) != (packet.destination, packet.destination_port):
        status |= {"dnat"}
    if (found.source, found.source_port) != (packet.source, packet.source_port) or action.act is Act.MASQUERADE:
        status |= {"snat"}
    if status == packet.status:
        return found
    return replace(found, status=status, original=packet.original or packet.ends)


def _rewritten(packet: Packet, action: Action, hook: Hook) -> Packet | None:
    if action.act is Act.MASQUERADE:
        return packet
    address, ports = _where(action.argument)
    if action.act is Act.SNAT:
        port = packet.source_port if ports is None else ports.of(packet.source_port)
        return replace(packet, source=_address(address, packet.source), source_port=port)
    if ports is not None:
        port = ports.of(packet.destination_port)
        if port is None:
            return None
        packet = replace(packet, destination_port=port)
    if action.act is Act.REDIRECT:
        # nf_nat_redirect_ipv4 (net/netfilter/nf_nat_redirect.c)
        loopback = _LOOPBACK[packet.destination.version]
        own = loopback if hook is Hook.OUTPUT else packet.destination
        return replace(packet, destination=own, destination_type="local")
    destination = _address(address, packet.destination)
    if destination == packet.destination:
        return packet
    return replace(packet, destination=destination, destination_type="")


@dataclass(frozen=True, slots=True)
class _Prefix:
    """The subnet of a translation that keeps the rest of the address (iptables-extensions(8), NETMAP)."""

    subnet: ipaddress.IPv4Network | ipaddress.IPv6Network

    def of(self, address: Address) -> Address:
        """The new address for an old one."""
        if address.version != self.subnet.version:
            return address
        kept = int(address) & int(self.subnet.hostmask)
        return type(address)(int(self.subnet.network_address) | kept)


def _address(new: Address | _Prefix | None, old: Address) -> Address:
    return new.of(old) if isinstance(new, _Prefix) else new or old


@dataclass(frozen=True, slots=True)
class _Ports:
    """The ports that a translation gives."""

    first: int
    last: int
    base: int | None = None

    def of(self, port: int | None) -> int | None:
        """The new port for an old one; None where it is any of them (net/netfilter/nf_nat_core.c)."""
        if self.first == self.last:
            return self.first
        if port is None:
            return None
        moved = port if self.base is None else port - self.base + self.first
        return moved if self.first <= moved <= self.last else None


@functools.lru_cache(maxsize=1024)
def _where(text: str) -> tuple[Address | _Prefix | None, _Ports | None]:
    """Read ``ADDRESS``, ``ADDRESS:PORTS``, ``[ADDRESS]:PORTS``, ``:PORTS``, ``prefix SUBNET`` or nothing."""
    if text.startswith("prefix "):
        return _Prefix(ipaddress.ip_network(text.removeprefix("prefix "), strict=False)), None
    if not text.startswith(":") and text.count(":") != 1 and not text.startswith("["):
        return (ipaddress.ip_address(text) if text else None), None
    address, _, ports = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    found = None
    if ports:
        given, _, base = ports.partition("/")
        first, _, last = given.partition("-")
        found = _Ports(int(first), int(last or first), int(base) if base else None)
    return (ipaddress.ip_address(address.strip("[]")) if address else None), found
