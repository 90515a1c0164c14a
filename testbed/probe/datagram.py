"""One datagram of UDP and what comes back: an answer, an ICMP error, or nothing, which decides nothing."""

from __future__ import annotations

import os
import shlex
import socket
from typing import Final

from testbed.model import Address, Target, family
from testbed.namespaces import NetworkNamespace

#: Where resolvers listen (RFC 1035, 4.2.1): what is sent there is a question.
DNS_PORT: Final = 53
#: The name that every resolver has to know (RFC 6761, 6.3).
_QUESTION: Final = "localhost"
#: An empty datagram is not handed on by every proxy (rootlesskit copies until it has written what it read, which is 0).
_NOTHING: Final = b"\n"
#: include/uapi/linux/in.h and in6.h: without it a connected socket is told of a few ICMP errors only (net/ipv4/udp.c,
#: __udp4_lib_err).
_HEAR_ERRORS: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),  # IP_RECVERR
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),  # IPV6_RECVERR
}
_LONGEST: Final = 1 << 16
_ID_BYTES: Final = 2


def exchange(net: NetworkNamespace, address: Address, port: int, payload: bytes, *, seconds: float) -> bytes:
    """Send one datagram, and wait for what comes back to it.

    :param payload: what to say; where it is empty, a question to a resolver on port 53, else a single line feed
    :param seconds: how long to wait
    :returns: the answer
    :raises TimeoutError: nothing came back
    :raises OSError: an ICMP error came back, or it could not be sent (ip(7), IP_RECVERR)
    """
    with net.socket(family(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(*_HEAR_ERRORS[sock.family], 1)
        sock.settimeout(seconds)
        sock.connect((str(address), port))
        sock.send(payload or (question() if port == DNS_PORT else _NOTHING))
        return sock.recv(_LONGEST)


def question() -> bytes:
    """A question to a resolver for the address of ``localhost`` (RFC 1035, 4.1), with an ID of its own."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in _QUESTION.split("."))
    flags_and_counts = b"\1\0" + b"\0\1" + bytes(6)  # recursion desired; one question
    return os.urandom(_ID_BYTES) + flags_and_counts + labels + b"\0" + b"\0\1\0\1"  # type A, class IN


def command(target: Target, payload: bytes, seconds: float) -> list[str]:
    """The words of a command that repeats it by hand: dig(1) for a resolver, else nc(1).

    :param payload: what was said; empty for what :func:`exchange` says then
    """
    if not payload and target.port == DNS_PORT:
        return ["dig", f"@{target.host}", f"+time={seconds:g}", "+tries=1", _QUESTION]
    said = shlex.join(["printf", "%s", payload.decode(errors="replace")]) if payload else "echo"
    return ["sh", "-c", f"{said} | {shlex.join(['nc', '-uv', '-w', f'{seconds:g}', target.host, str(target.port)])}"]
