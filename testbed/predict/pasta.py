"""The connections that pasta makes in the place of a namespace whose interface it holds. Pure.

It was measured (docs/rootless.md); what was not is not said.
"""

from __future__ import annotations

import errno
import ipaddress
from dataclasses import replace
from typing import Final

from testbed.evidence import Link, Namespace, Protocol
from testbed.evidence.programs import DNS_PORT, PASTA, is_pasta
from testbed.model import Address
from testbed.predict.disposition import Disposition
from testbed.predict.ending import PacketEnding
from testbed.predict.routing import own_addresses
from testbed.predict.unknown import NotHandedOn, Unknown

_LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")
#: Handed on as they are: made, or not decided.
_AS_IT_IS: Final = frozenset(
    {Disposition.ACCEPTED, Disposition.HELD, Disposition.RELAY_CLOSES, Disposition.LEFT, Disposition.UNKNOWN}
)


def goal(here: Namespace, link: Link, to: Address, port: int, resolver: Address | None) -> Address | None:
    """The address that pasta calls on the host for one that is dialled in its namespace; None where that is not known.

    :param resolver: the first one of the host
    """
    names = link.pasta
    if names is None or to.version != 4:
        return None
    if to == names.resolver and port == DNS_PORT:
        return resolver
    if to == names.loopback:
        return _LOOPBACK
    return own_address(here, link) if to == names.host else to


def own_address(here: Namespace, link: Link) -> Address | None:
    """The IPv4 address that pasta copied from the host; of several the first, as the kernel tells them."""
    return next(own_addresses(here, 4, link.index), None)


def held_link(here: Namespace) -> Link | None:
    """The interface of a namespace that pasta holds; None where there is none."""
    return next((link for link in here.links if is_pasta(link.holder)), None)


def handed_on(onward: PacketEnding, protocol: Protocol) -> PacketEnding:
    """The ending that a namespace sees of pasta's own connection: a reset for a failure, and silence for silence."""
    if onward.disposition in _AS_IT_IS:
        return onward
    if protocol is not Protocol.TCP:
        return Unknown(onward.trail, NotHandedOn(onward, PASTA, protocol), there=onward.there)
    if onward.errno is None or onward.back:
        return onward
    return replace(onward, errno=errno.ECONNREFUSED)
