"""Sending a frame as it stands, from an interface, past everything that the kernel would decide about it."""

from __future__ import annotations

import re
from typing import Final

from testbed.errors import CaptureError, UsageError
from testbed.frames.decode import HEADER
from testbed.frames.packet_socket import packet_socket
from testbed.namespaces import NetworkNamespace

#: The smallest frame without its checksum (IEEE 802.3, 3.2.8: minFrameSize is 64 octets with it).
SMALLEST: Final = 60
_MAC: Final = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def ethernet(source: str, destination: str, ethertype: int, payload: bytes = b"") -> bytes:
    """A frame, padded with zeros to the 60 bytes that Ethernet asks for.

    :param source: a MAC address with colons, as the destination is
    :raises UsageError: one of them is none
    """
    return (HEADER.pack(_mac(destination), _mac(source), ethertype) + payload).ljust(SMALLEST, b"\0")


def send(net: NetworkNamespace, interface: str, frame: bytes) -> None:
    """Send one frame from an interface.

    :raises CaptureError: there is no such interface, it is down, the frame is too long, or the right is missing
    """
    with packet_socket(net, interface, 0) as sending:
        try:
            sending.send(frame)
        except OSError as exc:
            raise CaptureError(
                f"a frame of {len(frame)} bytes was not sent from {interface!r} of {net.what}: {exc.strerror}"
            ) from exc


def _mac(text: str) -> bytes:
    if not _MAC.fullmatch(text):
        raise UsageError(f"{text!r} is no MAC address: write six bytes with colons, such as 02:00:00:00:00:01")
    return bytes.fromhex(text.replace(":", ""))
