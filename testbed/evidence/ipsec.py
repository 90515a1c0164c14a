"""Policies of IPsec, as the kernel keeps them (ip-xfrm(8)). Values only."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Selected: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class IpsecDirection(StrEnum):
    """Which packets a policy is for, by the word of ip-xfrm(8)."""

    OUT = "out"
    """Those that the namespace sends, or passes on."""
    IN = "in"
    """Those that are for the namespace itself."""
    FORWARD = "fwd"
    """Those that it passes on, as they come in."""


class IpsecDemand(StrEnum):
    """The demands of a policy on a packet."""

    NOTHING = "nothing"
    """It passes as it is (no template)."""
    TRANSFORM = "transform"
    """That IPsec has encrypted or signed it (a template)."""
    BLOCK = "block"
    """That it does not pass (``action block``)."""


@dataclass(frozen=True, slots=True)
class IpsecPolicy:
    """A policy of a namespace; of those that select a packet the one with the lowest priority counts."""

    direction: IpsecDirection
    source: Selected
    destination: Selected
    demand: IpsecDemand
    priority: int = 0
    protocol: int = 0
    """The number of the transport protocol; 0 is any."""
