"""Sockets that listen in namespaces of a world, in the place of programs; none of them ever accepts."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

from testbed.namespaces import NetworkNamespace

_BACKLOG: Final = 1024
#: What a socket does, as :class:`truth.deeds.Machines` calls it.
TCP: Final = "tcp"
#: An IPv6 socket that takes IPv4 too (ipv6(7), IPV6_V6ONLY).
TCP_OF_BOTH: Final = "tcp of both families"
UDP: Final = "udp"


@dataclass(frozen=True, slots=True)
class Bound:
    """One socket, and how it was made."""

    made: socket.socket
    address: str
    deed: str


class Programs:
    """The sockets of a world, by the place and port that they listen on. Closing it closes them."""

    def __init__(self) -> None:
        self._bound: dict[tuple[str, int], list[Bound]] = {}

    def start(self, place: str, net: NetworkNamespace, address: str, port: int, deed: str) -> bool:
        """Listen; False where the kernel refuses, as for a port that is taken.

        :param deed: one of this module's words; any other word is a socket of TCP and of both families
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = net.socket(family, socket.SOCK_DGRAM if deed == UDP else socket.SOCK_STREAM)
        if deed != UDP:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(deed in (TCP, UDP)))
        try:
            made.bind((address, port))
            if deed != UDP:
                made.listen(_BACKLOG)
        except OSError:
            made.close()
            return False
        self._bound.setdefault((place, port), []).append(Bound(made, address, deed))
        return True

    def listens(self, place: str, port: int) -> bool:
        """Tell if there is a socket on a port of a place."""
        return bool(self._bound.get((place, port)))

    def stop(self, place: str, port: int) -> str:
        """Close the sockets of a port of a place; what the first one did."""
        found = self._bound.pop((place, port))
        for one in found:
            one.made.close()
        return found[0].deed

    def again(self, place: str, net: NetworkNamespace | None) -> None:
        """Make the sockets of a place anew, in a namespace that it has now; those that cannot be there are not.

        :param net: None where it has none any more
        """
        for known, port in [key for key in self._bound if key[0] == place]:
            was = self._bound.pop((known, port))
            for one in was:
                one.made.close()
            if net is not None:
                for one in was:
                    self.start(place, net, one.address, port, one.deed)

    def close(self) -> None:
        """Close them all."""
        for place, port in list(self._bound):
            self.stop(place, port)
