"""Sockets on an interface of a network namespace, below IP (packet(7))."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from testbed.errors import CaptureError
from testbed.namespaces import NetworkNamespace


def packet_socket(net: NetworkNamespace, interface: str, protocol: int) -> socket.socket:
    """A raw packet socket, bound to an interface.

    :param protocol: the EtherType it receives, ETH_P_ALL for every one, 0 for none
    :raises CaptureError: there is no such interface, or this process has no right to it
    """
    try:
        made = net.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # it receives nothing before it is bound
    except PermissionError as exc:
        raise CaptureError(
            f"{interface!r} of {net.what} cannot be captured on or sent by ({exc.strerror}): "
            "that takes CAP_NET_RAW; do it as root, or as the owner of that network namespace"
        ) from exc
    try:
        made.bind((interface, protocol))
    except OSError as exc:
        made.close()
        raise _not_bound(net, interface, exc) from exc
    return made


def no_such(net: NetworkNamespace, what: str, name: str, others: Iterable[str]) -> CaptureError:
    """Says that there is no interface or bridge of that name, and which there are."""
    there = ", ".join(others)
    return CaptureError(
        f"{net.what} has no {what} {name!r}: "
        + (f"name one of those that it has ({there})" if there else "it has none")
    )


def _not_bound(net: NetworkNamespace, interface: str, exc: OSError) -> CaptureError:
    if exc.errno == errno.ENODEV:
        return no_such(net, "interface", interface, (name for _, name in net.run(socket.if_nameindex)))
    return CaptureError(f"{interface!r} of {net.what} takes no packet socket: {exc.strerror}")
