"""Routes through a gateway (rtnetlink(7)), in the main table of a network namespace."""

from __future__ import annotations

import errno
import ipaddress
import os
from typing import Final

from pyroute2 import IPRoute, NetlinkError

from testbed.errors import HostError
from testbed.model import family
from testbed.namespaces import NetworkNamespace

#: The origin that ip-route(8) gives a route where nobody says another, RTPROT_BOOT.
_BOOT: Final = 3


def add_route(net: NetworkNamespace, destination: str, gateway: str, *, or_leave: bool = False) -> None:
    """Add a route, as ``ip route add DESTINATION via GATEWAY`` does.

    :param destination: a prefix, or ``default`` for the default route of the gateway's family
    :param gateway: an address on the link of one of the namespace's interfaces
    :param or_leave: leave a route to that destination that is there
    :raises HostError: the kernel refused, such as for a gateway that is on no link, or a destination that has a route
    """
    via = ipaddress.ip_address(gateway)
    prefix = {4: "0.0.0.0/0", 6: "::/0"}[via.version] if destination == "default" else destination

    def add() -> None:
        with IPRoute() as ipr:
            ipr.route("add", family=family(via), dst=prefix, gateway=gateway, proto=_BOOT)

    try:
        net.run(add)
    except NetlinkError as exc:
        if or_leave and exc.code == errno.EEXIST:
            return
        raise HostError(
            f"the route to {destination} through {gateway} was not added at {net.what}: {os.strerror(exc.code)}"
        ) from exc
