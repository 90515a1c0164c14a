"""The outcome that the sender of a datagram sees. Pure."""

from __future__ import annotations

import errno
from typing import Final

from testbed.evidence import Hook
from testbed.model import Outcome
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Dropped, PacketEnding
from testbed.predict.prediction import failed

_NOT_KNOWN: Final = frozenset({Disposition.UNKNOWN, Disposition.LEFT})


def seen(ending: PacketEnding) -> tuple[Outcome, int | None, str]:
    """Tell outcome, errno and text of a datagram by how its way ended.

    CONNECTED means that a socket takes it, and that nothing on the way keeps an answer from coming back: whether the
    program behind it answers is not in the picture. UDP has no handshake (RFC 768): what is lost is silence, and only
    an ICMP error is heard of (ip(7), IP_RECVERR). What the sender's own OUTPUT drops is an error of its send(2)
    (net/netfilter/core.c, nf_hook_slow; net/ipv4/ip_output.c, ip_send_skb; measured, Linux 6.18).
    """
    if ending.disposition in _NOT_KNOWN:
        return Outcome.INCONCLUSIVE, None, ""
    if ending.disposition is Disposition.ACCEPTED:
        return Outcome.CONNECTED, None, ""
    if isinstance(ending, Dropped) and ending.verdict.hook is Hook.OUTPUT and not (ending.back or ending.trail.path):
        return failed(errno.EPERM)
    if ending.back or ending.errno is None:
        return Outcome.NO_ANSWER, None, "timed out"
    return failed(ending.errno)
