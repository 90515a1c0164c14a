"""The addresses that Podman gives a container on a network (containers/common, libnetwork/netavark/ipam.go). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from testbed.change.change import ImpossibleChangeError
from testbed.evidence import Container, Evidence, Network, Subnet
from testbed.model import Address


def next_addresses(
    evidence: Evidence, network: Network, container: Container, before: Collection[Address] = ()
) -> tuple[Address, ...]:
    """The addresses of a container that starts on a network, one of each subnet.

    Podman remembers the last address that it gave and takes the next free one, so that a container gets another one
    whenever it starts, unless it was told which it is to have. No picture has what Podman remembers; it is taken to be
    the highest address in use.

    :param before: those that the container had until now, which were given too
    :raises ImpossibleChangeError: a subnet has no free address, or the one that it is to have is taken
    """
    used = {
        address: other
        for other in evidence.containers
        if other.host == network.host and other.id != container.id
        for attachment in other.attachments
        if attachment.network == network.name
        for address in attachment.addresses
    }
    fixed = {address for other in (*used.values(), container) for address in other.static if _is_in(network, address)}
    found = []
    for subnet in network.subnets:
        wanted = next((one for one in container.static if one in subnet), None)
        if wanted is not None and wanted in used:
            raise ImpossibleChangeError(f"its address {wanted} is {used[wanted].name}'s")
        given = {*used, *before} - fixed
        found.append(wanted or _next(network, subnet, used, given))
    return tuple(found)


def _is_in(network: Network, address: Address) -> bool:
    return any(address in subnet for subnet in network.subnets)


def _next(network: Network, subnet: Subnet, used: Collection[Address], given: Collection[Address]) -> Address:
    first, last = int(subnet.network_address) + 1, int(subnet.broadcast_address) - (subnet.version == 4)
    closed = {int(one) for one in (*used, *network.gateways) if one in subnet}
    after = max((int(one) for one in given if one in subnet), default=first - 1)
    for start, end in ((after + 1, last), (first, after)):
        for number in range(start, end + 1):
            if number not in closed:
                return _address(number, subnet.version)
    raise ImpossibleChangeError(f"the subnet {subnet} of the network {network.name} has no free address")


def _address(number: int, version: int) -> Address:
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
